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
# The proxies that docs/deploy/proxy.md configures, by the variables that name their programs.
PROXIES = {"HUECHAT_TEST_NGINX": "nginx", "HUECHAT_TEST_CADDY": "caddy"}
PROXIES_FOLDER = ROOT / "target" / "proxies"


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
    _update_apt()
    apt = [*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qy"]
    _install("Chromium", [*apt, "--no-install-recommends", *CHROMIUM_PACKAGES])


def find_or_install_proxies() -> dict[str, str]:
    """The programs of the proxies, by the variables that name them: those that are set, or on the PATH, or Debian's."""
    return {name: _find_or_unpack_proxy(name, program) for name, program in PROXIES.items()}


def _find_or_unpack_proxy(variable: str, program: str) -> str:
    """Unpacks the package of a proxy instead of installing it: an installed one would start a service on port 80."""
    folders = ["/usr/sbin", *(str(PROXIES_FOLDER / "usr" / name) for name in ("sbin", "bin"))]
    path = os.pathsep.join([os.environ.get("PATH", ""), *folders])
    if found := os.environ.get(variable) or shutil.which(program, path=path):
        return found
    if not shutil.which("apt-get"):
        raise Missing(f"the tests of proxies need {program}: install it, or set {variable}")
    PROXIES_FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        _download_package(program)
    except Missing:
        _update_apt()  # The list of packages may be missing, or may name a version that is gone.
        _download_package(program)
    (package,) = PROXIES_FOLDER.glob(f"{program}_*.deb")
    _install(program, ["dpkg-deb", "--extract", str(package), str(PROXIES_FOLDER)])
    package.unlink()
    if found := shutil.which(program, path=path):
        return found
    raise Missing(f"{program} was unpacked, and is not in {PROXIES_FOLDER}")


def _download_package(name: str) -> None:
    _install(f"{name} into {PROXIES_FOLDER}", ["apt-get", "download", "-q", name], PROXIES_FOLDER)


def _update_apt() -> None:
    _install("Debian's list of packages", [*_as_root(), "apt-get", "update", "-q"])


def _as_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo"]


def _on_path(names: list[str]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def _install(what: str, command: list[str], folder: Path = ROOT) -> None:
    print(f"installing {what}: {' '.join(command)}", flush=True)
    try:
        subprocess.run(command, cwd=folder, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"could not install {what}: {error}") from error
