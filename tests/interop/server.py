"""A server of its own for a test, and visitors with sessions."""

import os
import re
import subprocess
import tempfile
import threading
from pathlib import Path

import requests

BUILT = Path(__file__).resolve().parents[2] / "target" / "debug" / "huechat"

# Longer than anything here takes on a busy machine.
PATIENCE_SECONDS = 30


class Server:
    """Runs for as long as the `with` that it is in."""

    def __init__(self, settings: dict[str, str] | None = None):
        self._settings = settings or {}

    def __enter__(self) -> "Server":
        self._folder = tempfile.TemporaryDirectory(prefix="huechat-")
        folder = Path(self._folder.name)
        settings = {
            "HOST": "127.0.0.1",
            "PORT": "0",
            "DATA_DIR": str(folder / "data"),
            "UPLOADS_URL": str(folder / "uploads"),
        }
        program = os.environ.get("HUECHAT_BIN", str(BUILT))
        self._process = subprocess.Popen(
            [program], cwd=folder, env=settings | self._settings, stderr=subprocess.PIPE, text=True
        )
        self.url = self._listening()
        # Whoever writes into a pipe that nobody reads is stuck in the end.
        self._reader = threading.Thread(target=self._process.stderr.read, daemon=True)
        self._reader.start()
        return self

    def _listening(self) -> str:
        for line in self._process.stderr:
            if found := re.search(r"listening on (http://[\d.:]+)", line):
                return found[1]
        raise RuntimeError("the server ended at its start")

    def __exit__(self, *_error) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)
        self._reader.join()
        self._process.stderr.close()
        self._folder.cleanup()

    def visitor(self) -> str:
        """The cookie of a new visitor."""
        page = requests.get(self.url, timeout=PATIENCE_SECONDS)
        return page.headers["set-cookie"].split(";")[0]

    def make_room(self, cookie: str, title: str, capacity: int) -> str:
        """The id of a new room."""
        answer = requests.post(
            f"{self.url}/room",
            json={"title": title, "max": capacity},
            headers={"accept": "application/json", "cookie": cookie},
            timeout=PATIENCE_SECONDS,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]
