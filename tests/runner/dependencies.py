"""Checks the licences and sources of all crates against `deny.toml`.

It is what cargo-deny would check, without the minutes that it takes to build; known
vulnerabilities only cargo-deny looks up, and `tests/run.py` calls it where it is installed.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def permits(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression is met by licences that are allowed.

    `/` is how crates wrote OR before SPDX expressions.
    """
    tokens = re.findall(r"[()]|[^\s()/]+(?:\s+WITH\s+[^\s()]+)?|/", expression)

    def either() -> bool:
        met = both()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            met = both() or met
        return met

    def both() -> bool:
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one() -> bool:
        token = tokens.pop(0)
        if token != "(":
            return token in allowed
        met = either()
        tokens.pop(0)
        return met

    return either()


def complaints(metadata: dict, policy: dict) -> list[str]:
    """Everything about the crates that the policy does not permit."""
    allowed = set(policy["licenses"]["allow"])
    exceptions = {
        exception["crate"]: set(exception["allow"])
        for exception in policy["licenses"].get("exceptions", [])
    }
    ours = set(metadata["workspace_members"])
    found = []
    for package in metadata["packages"]:
        name, version = package["name"], package["version"]
        licence = package["license"] or ""
        if not licence or not permits(licence, allowed | exceptions.get(name, set())):
            found.append(f"{name} {version} has the licence {licence or 'of no name'}")
        if package["id"] in ours:
            wild = [need["name"] for need in package["dependencies"] if need["req"] == "*"]
            found += [f"{name} takes any version of {need}" for need in wild]
        elif not (package["source"] or "").startswith("registry+"):
            found.append(f"{name} {version} does not come from the registry")
    return found


def main() -> int:
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    policy = tomllib.loads((ROOT / "deny.toml").read_text())
    found = complaints(metadata, policy)
    print("\n".join(found) or f"{len(metadata['packages'])} crates are as deny.toml wants them")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
