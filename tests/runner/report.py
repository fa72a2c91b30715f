"""Says at the end how it went."""

from dataclasses import dataclass

from runner.counts import Counts


@dataclass
class Outcome:
    """How one step went."""

    name: str
    passed: int = 0
    failed: int = 0
    note: str = ""
    seconds: float = 0.0


def judge(name: str, counts: Counts, *, exit_code: int, seconds: float) -> Outcome:
    """What a step's counts and exit code come to.

    A step fails that ran no test, left one out, or ended badly with every test passed.
    """
    notes = []
    failed = counts.failed + counts.left_out
    if counts.left_out:
        notes.append(f"{counts.left_out} left out")
    if not counts.passed and not failed:
        failed = 1
        notes.append("ran no test")
    if exit_code != 0:
        failed = max(failed, 1)
        notes.append(f"exit code {exit_code}")
    return Outcome(name, counts.passed, failed, ", ".join(notes), seconds)


def print_report(outcomes: list[Outcome]) -> int:
    """Prints a table of the steps and the closing line, and returns the exit code."""
    print(f"\n{'step':<14}{'passed':>8}{'failed':>8}{'time':>9}")
    for step in outcomes:
        minutes, seconds = divmod(round(step.seconds), 60)
        time = f"{minutes}:{seconds:02}"
        line = f"{step.name:<14}{step.passed:>8}{step.failed:>8}{time:>9}  {step.note}"
        print(line.rstrip())
    passed = sum(step.passed for step in outcomes)
    failed = sum(step.failed for step in outcomes)
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0
