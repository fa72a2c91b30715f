"""Starts the servers that the tests talk to, and stops them."""

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.tools import VENV, python

SECANTUSD = VENV / "bin" / "secantusd-py"
START_SECONDS = 60
STOP_SECONDS = 10
# pymongo waits by itself until a server answers.
PING = """
import sys, pymongo
uri, seconds = sys.argv[1:]
client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=1000 * int(seconds))
client.admin.command("ping")
"""


class DidNotStart(Exception):
    """A server that the tests need could not be started."""


@contextmanager
def secantusdb() -> Iterator[str]:
    """A server that speaks MongoDB's protocol, empty, for as long as the tests run: its URI."""
    with tempfile.TemporaryDirectory(prefix="huechat-mongodb-") as folder:
        port = _free_port()
        uri = f"mongodb://127.0.0.1:{port}"
        log = Path(folder, "log")
        command = [str(SECANTUSD), "--port", str(port)]
        command += ["--storage-path", str(Path(folder, "data")), "--log-level", "WARNING"]
        with log.open("wb") as output:
            # In a session of its own, so that Ctrl-C ends the tests before it.
            server = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=folder, start_new_session=True
            )
        try:
            print(f"SecantusDB is starting on port {port}", flush=True)
            ping = [python(), "-c", PING, uri, str(START_SECONDS)]
            if subprocess.run(ping, capture_output=True).returncode != 0:
                raise DidNotStart(f"SecantusDB does not answer:\n{log.read_text()}")
            yield uri
        finally:
            server.terminate()
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
