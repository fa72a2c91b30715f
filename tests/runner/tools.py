"""Installs what the tests need and the machine lacks, and says so."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
# Libraries of tests, and programs of checks.
REQUIREMENTS = [ROOT / "tests" / name for name in ("requirements.txt", "tools.txt")]
SCANNER_VENV = ROOT / "target" / "scanner"
SCANNER_REQUIREMENTS = ROOT / "tests" / "scan" / "requirements.txt"
# The interpreter that has it.
SCANNER = str(SCANNER_VENV / "bin" / "python")
WITH_WINDOWS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
# Its pages take half as long.
WITHOUT_WINDOWS = ["chromium-headless-shell"]
# The pages are read in Korean too.
CHROMIUM_PACKAGES = ["chromium", "chromium-headless-shell", "fonts-noto-cjk"]


class Missing(Exception):
    """Something that the tests need is not there and could not be installed."""


def python() -> str:
    """The interpreter that has the packages of the tests."""
    return str(VENV / "bin" / "python")


def install_npm_packages() -> None:
    """The browser client and the browser tests, as `package-lock.json` says."""
    lock = ROOT / "package-lock.json"
    installed = ROOT / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    _install("the packages of package-lock.json", ["npm", "ci", "--no-audit", "--no-fund"])


def install_python_packages() -> None:
    """A virtual environment, made anew whenever its list of packages has changed."""
    wanted = "".join(path.read_text() for path in REQUIREMENTS)
    stamp = VENV / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    _install("a virtual environment in .venv", [sys.executable, "-m", "venv", str(VENV)])
    pip = [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # One after another: hashes in one would be asked of all.
    for path in REQUIREMENTS:
        _install(f"the packages of tests/{path.name}", [*pip, "-r", str(path)])
    stamp.write_text(wanted)


def install_scanner() -> None:
    """The web scanner, apart from everything else: it brings versions of its own."""
    wanted = SCANNER_REQUIREMENTS.read_text()
    stamp = SCANNER_VENV / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(SCANNER_VENV, ignore_errors=True)
    _install(
        "a virtual environment for the scanner", [sys.executable, "-m", "venv", str(SCANNER_VENV)]
    )
    pip = [SCANNER, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _install("the scanner", [*pip, "-r", str(SCANNER_REQUIREMENTS)])
    stamp.write_text(wanted)


def find_or_install_chromium() -> dict[str, str]:
    """The browser with windows and the one without, by the variables that name them: those that are set, or on the
    PATH, or Debian's. One alone does for both."""
    if named := os.environ.get("CHROMIUM"):
        return {"CHROMIUM": named}
    quietly = shutil.which("apt-get") and os.geteuid() == 0
    if not _on_path(WITH_WINDOWS) or (quietly and not _on_path(WITHOUT_WINDOWS)):
        _install_chromium()
    with_windows = _on_path(WITH_WINDOWS)
    if not with_windows:
        raise Missing("Chromium was installed, and is not on the PATH")
    without = _on_path(WITHOUT_WINDOWS) or with_windows
    return {"CHROMIUM": without, "CHROMIUM_WITH_WINDOWS": with_windows}


def _install_chromium() -> None:
    if not shutil.which("apt-get"):
        raise Missing("the browser tests need Chromium: install it, or set CHROMIUM to where it is")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    _install("Debian's list of packages", [*as_root, "apt-get", "update", "-q"])
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qy"]
    _install("Chromium", [*apt, "--no-install-recommends", *CHROMIUM_PACKAGES])


def _on_path(names: list[str]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def _install(what: str, command: list[str]) -> None:
    print(f"installing {what}: {' '.join(command)}", flush=True)
    try:
        subprocess.run(command, cwd=ROOT, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"could not install {what}: {error}") from error
