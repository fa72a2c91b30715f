"""Reads from what a test runner printed how many of its tests passed and failed."""

import json
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Counts:
    """A test that was left out has not passed: it is told apart, and counts as failed."""

    passed: int = 0
    failed: int = 0
    left_out: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.passed + other.passed,
            self.failed + other.failed,
            self.left_out + other.left_out,
        )


CARGO = re.compile(r"^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored", re.MULTILINE)
NODE = re.compile(r"^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)$", re.MULTILINE)
UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
UNITTEST_REST = re.compile(r"^(?:OK|FAILED) \((.*)\)$", re.MULTILINE)


def of_cargo(output: str) -> Counts:
    """Of all test binaries together, documentation tests among them."""
    return sum((Counts(*map(int, found)) for found in CARGO.findall(output)), Counts())


def of_node(output: str) -> Counts:
    """Of Node's own test runner."""
    found = {name: int(number) for name, number in NODE.findall(output)}
    return Counts(
        found.get("pass", 0),
        found.get("fail", 0) + found.get("cancelled", 0),
        found.get("skipped", 0) + found.get("todo", 0),
    )


def of_unittest(output: str) -> Counts:
    """Of Python's `unittest`."""
    ran = sum(map(int, UNITTEST_RAN.findall(output)))
    rest = [part.split("=") for line in UNITTEST_REST.findall(output) for part in line.split(", ")]
    found = {name: int(number) for name, number in rest}
    failed = sum(found.get(name, 0) for name in ["failures", "errors", "unexpected successes"])
    left_out = sum(found.get(name, 0) for name in ["skipped", "expected failures"])
    return Counts(max(0, ran - failed - left_out), failed, left_out)


def of_playwright(report: Path) -> Counts:
    """Of Playwright's JSON report. A test that passed only when tried again has failed."""
    if not report.exists():
        return Counts()
    stats = json.loads(report.read_text())["stats"]
    return Counts(stats["expected"], stats["unexpected"] + stats["flaky"], stats["skipped"])
