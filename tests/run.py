#!/usr/bin/env python3
"""Runs the tests: all of them, or the steps that are named.

Installs what is missing, starts what is needed, runs one step after another, and ends with one
line over everything: `N passed, N failed`. Needs nothing but Python's standard library.
"""

import argparse
import os
import signal
import sys
import time
from contextlib import ExitStack

from runner import services, tools
from runner.report import Outcome, print_report
from runner.steps import STEPS, Need, run_step


def main() -> int:
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = [step.name for step in STEPS if not step.on_request]
    parser.add_argument("step", nargs="*", help=f"of: {', '.join(names)}")
    wanted = parser.parse_args().step
    if unknown := set(wanted) - set(names):
        parser.error(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    steps = [step for step in STEPS if step.name in (wanted or every)]

    # Whoever ends this with a signal ends what it started, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.chdir(tools.ROOT)
    outcomes: list[Outcome] = []
    with ExitStack() as started:
        try:
            environment = prepare({need for step in steps for need in step.needs}, started)
            for step in steps:
                outcomes.append(run_step(step, environment))
        except (tools.Missing, services.DidNotStart) as error:
            print(f"\n{error}", file=sys.stderr)
            outcomes.append(Outcome("setting up", failed=1))
        except KeyboardInterrupt:
            print("\nstopped", file=sys.stderr)
            outcomes.append(Outcome("stopped", failed=1))
        finally:
            # A second signal would leave running what is being stopped.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
    return print_report(outcomes)


def prepare(needs: set[Need], started: ExitStack) -> dict[str, str]:
    """Installs and starts what the steps need, and returns the environment that says where it is."""
    begun = time.monotonic()
    environment = dict(os.environ)
    if Need.NPM in needs:
        tools.install_npm_packages()
    if Need.CHROMIUM in needs:
        environment |= tools.find_or_install_chromium()
    if Need.PYTHON in needs or Need.MONGODB in needs:
        tools.install_python_packages()
    if Need.PROXIES in needs:
        environment |= tools.find_or_install_proxies()
    if Need.SCANNER in needs:
        tools.install_scanner()
    if Need.MONGODB in needs:
        server = started.enter_context(services.secantusdb())
        environment["HUECHAT_TEST_MONGODB_URI"] = server
        # For the tests that kill a server, or let it fail for everybody.
        environment["HUECHAT_TEST_SECANTUSD"] = str(services.SECANTUSD)
    print(f"ready after {time.monotonic() - begun:.0f} s", flush=True)
    return environment


if __name__ == "__main__":
    sys.exit(main())
