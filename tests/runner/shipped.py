"""Checks the licences and sources of the npm packages whose code visitors load, against `deny.toml`.

They are few, so each names one licence: an expression would have to be looked at by somebody.
"""

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Read where the package itself says it, as its description in the registry says it in a form that npm no longer reads.
LICENCES = {"xmlhttprequest-ssl": "MIT"}


def complaints(lock: dict, policy: dict) -> list[str]:
    """Everything about the packages that the policy does not permit."""
    allowed = policy["licenses"]["allow"]
    found = []
    for path, package in lock["packages"].items():
        if not path or package.get("dev"):
            continue  # What is ours, and what only tests and builds use.
        name = path.rpartition("node_modules/")[2]
        licence = package.get("license") or LICENCES.get(name)
        if licence not in allowed:
            found.append(f"{name} has the licence {licence}")
        if not package.get("integrity"):
            found.append(f"{name} has no hash in the lock file")
        # The registry needs no address; whatever has one comes from elsewhere.
        if "resolved" in package:
            found.append(f"{name} does not come from the registry")
    return found


def main() -> int:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    policy = tomllib.loads((ROOT / "deny.toml").read_text())
    found = complaints(lock, policy)
    shipped = sum(
        1 for path, package in lock["packages"].items() if path and not package.get("dev")
    )
    print("\n".join(found) or f"{shipped} packages of npm are as deny.toml wants them")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
