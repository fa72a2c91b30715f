"""Lets a web scanner that nobody here wrote look for holes in a server: wapiti3, with every module that needs no other
host. Somebody has a seat in a room meanwhile, so that lobby, form and room are all seen from inside.

It fails for whatever is of medium level or higher.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import requests
import socketio

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("HUECHAT_BIN", str(ROOT / "target" / "debug" / "huechat"))
WAPITI = str(Path(sys.executable).with_name("wapiti"))

# The others ask a server of the scanner's authors (ssrf, xxe, log4shell, spring4shell), load lists from elsewhere (cms,
# htp, network_device, nikto, wapp, wp_enum), or are about a name or a certificate, which a test has not (ssl, takeover).
MODULES = """backup brute_login_form buster cookieflags crlf csp csrf exec file htaccess http_headers https_redirect
    ldap methods permanentxss redirect shellshock sql timesql upload xss""".split()
MEDIUM = 2
LEVELS = ["information", "low", "medium", "high", "critical"]
MINUTES = 20
# What is looked for is not how often one may ask.
RATES = "ROOMS ENTERING PASSWORDS CHATS WHISPERS GIFS GIF_KIB TYPING ITEMS READS TOKENS FRAMES HANDSHAKES SESSIONS".split()


@contextmanager
def server(folder: Path):
    """A server of its own: its address, and what it logs."""
    settings = {"HOST": "127.0.0.1", "PORT": "0", "DATA_DIR": str(folder / "data")}
    settings |= {"UPLOADS_URL": str(folder / "uploads")} | {f"RATE_{rate}": "off" for rate in RATES}
    log = folder / "log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            [BINARY, "serve"], env=os.environ | settings, stderr=output, cwd=folder
        )
    try:
        found = None
        while not found and running.poll() is None:
            found = re.search(r"listening on (http://\S+)", log.read_text())
        if not found:
            sys.exit(f"the server did not start:\n{log.read_text()}")
        yield found[1], log
    finally:
        running.terminate()
        running.wait()


@contextmanager
def somebody_inside(address: str):
    """Somebody with a seat in a room that they made: their cookie, and the room."""
    visitor = requests.Session()
    visitor.get(address)
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    form = {"title": "tea", "max": 20}
    made = visitor.post(f"{address}/room", json=form, headers={"Accept": "application/json"})
    room = made.json()["id"]
    client = socketio.Client()
    client.connect(
        address,
        headers={"Cookie": cookie},
        namespaces=["/chat"],
        auth={"room": room},
        transports=["websocket"],
    )
    client.call("chat:post", {"chat": "see https://example.com/"}, namespace="/chat")
    try:
        yield cookie, room
    finally:
        client.disconnect()


def scan(address: str, cookie: str, room: str, folder: Path) -> dict:
    """What the scanner reports."""
    report = folder / "report.json"
    paths = [
        "/room",
        f"/room/{room}",
        f"/room/{room}/chat?before=5&limit=3",
        f"/room/{room}?password=x",
    ]
    paths += ["/?q=tea&page=1", "/?error=kicked", "/token"]
    command = [WAPITI, "-u", f"{address}/", "--scope", "domain", "-m", ",".join(MODULES)]
    for path in paths:
        command += ["-s", address + path]
    # Whoever scans stays who they are, and where they are.
    for path in ["/logout", f"/room/{room}/leave"]:
        command += ["-x", address + path]
    command += ["-H", f"Cookie: {cookie}", "--max-scan-time", str(60 * MINUTES), "--flush-session"]
    command += [
        "--store-session",
        str(folder / "session"),
        "--store-config",
        str(folder / "config"),
    ]
    command += ["-f", "json", "-o", str(report), "--no-bugreport", "-v", "0"]
    subprocess.run(command, check=True, cwd=folder)
    return json.loads(report.read_text())


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="huechat-scan-") as name:
        folder = Path(name)
        with server(folder) as (address, log):
            with somebody_inside(address) as (cookie, room):
                report = scan(address, cookie, room, folder)
                findings = [
                    finding | {"kind": kind}
                    for part in ["vulnerabilities", "anomalies", "additionals"]
                    for kind, found in report[part].items()
                    for finding in found
                ]
                serious = [finding for finding in findings if finding["level"] >= MEDIUM]
            panics = [line for line in log.read_text().splitlines() if "panicked" in line]

    print(f"\n{report['infos']['crawled_pages_nbr']} pages, {len(MODULES)} modules\n")
    counted = Counter((found["module"], found["kind"], found["level"]) for found in findings)
    for (module, kind, level), times in sorted(counted.items()):
        print(f"{module:<18}{LEVELS[level]:<14}{times:>4}  {kind}")
    quiet = sorted(set(MODULES) - {found["module"] for found in findings})
    print(f"\nnothing from {', '.join(quiet)}")
    for finding in serious:
        print(f"{LEVELS[finding['level']]}: {finding['info']}\n{finding['http_request']}\n")
    for line in panics:
        print(line)
    return 1 if serious or panics or not report["infos"]["crawled_pages_nbr"] else 0


if __name__ == "__main__":
    sys.exit(main())
