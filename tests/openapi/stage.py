"""A room with two people in it, for requests that must meet something real."""

import sys
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))

from server import PATIENCE_SECONDS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]

# A seat without a connection is kept for a minute; requests of the same visitor prolong it.
PROLONG_AFTER_SECONDS = 20

# Two frames of one pixel.
GIF = bytes.fromhex(
    "474946383961010001008000000000ffffffff"
    "21f904000a0000002c00000000010001000002024401"
    "0021f904000a0000002c0000000001000100000202440100"
    "3b"
)


def unlimited() -> dict[str, str]:
    """The settings that turn every rate limit off."""
    lines = (ROOT / ".env").read_text().splitlines()
    names = [line.split("=")[0] for line in lines if line.startswith("RATE_")]
    return dict.fromkeys(names, "off")


class Visitor:
    """A session."""

    def __init__(self, url: str):
        self._url = url
        page = requests.get(url, timeout=PATIENCE_SECONDS)
        self.cookie = page.headers["set-cookie"].split(";")[0]

    def ask(self, method: str, path: str, **arguments) -> requests.Response:
        """Sends a request as a program."""
        headers = {"accept": "application/json", "cookie": self.cookie}
        headers |= arguments.pop("headers", {})
        return requests.request(
            method,
            self._url + path,
            headers=headers,
            timeout=PATIENCE_SECONDS,
            allow_redirects=False,
            **arguments,
        )

    def make_room(self, **fields) -> str:
        """The id of a new room."""
        answer = self.ask("POST", "/room", json={"title": "tea", "max": 10} | fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def sit(self, room: str) -> requests.Response:
        """Takes a seat without a connection, or prolongs it."""
        return self.ask("POST", f"/room/{room}/enter", data={"seat": "true"})

    def say(self, room: str, text: str = "hello") -> dict:
        """Sends a message, and returns it as it is stored."""
        answer = self.ask("POST", f"/room/{room}/chat", json={"chat": text})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def share(self, room: str, file: bytes = GIF) -> requests.Response:
        """Shares a GIF."""
        return self.ask("POST", f"/room/{room}/gif", files={"gif": ("a.gif", file, "image/gif")})


class Stage:
    """The owner of a room and a guest, who both have a seat; a message, a GIF and a token."""

    def __init__(self, url: str):
        self._url = url
        self.owner, self.guest = Visitor(url), Visitor(url)
        self.room = self.owner.make_room(max=100)
        assert self._sit()
        said = self.guest.say(self.room)
        self.seq, self.guest_id = str(said["seq"]), said["user"]["id"]
        shared = self.owner.share(self.room)
        assert shared.status_code == 201, shared.text
        self.file = shared.json()["gif"]["url"].rsplit("/", 1)[1]
        self.token = self.owner.ask("POST", "/token", json={}).json()

    def _sit(self) -> bool:
        self._sat_at = time.monotonic()
        return all(
            visitor.sit(self.room).status_code == 204 for visitor in (self.owner, self.guest)
        )

    def prolong(self) -> bool:
        """Keeps the seats, and says whether both are still there."""
        return time.monotonic() - self._sat_at <= PROLONG_AFTER_SECONDS or self._sit()

    def real(self, operation: str, parameter: str) -> str | None:
        """What a parameter of a path can name here."""
        if parameter == "id" and operation.startswith("whisper_anywhere"):
            return self.guest_id
        if parameter == "id" and "token" in operation:
            return self.token["id"]
        names = {"id": self.room, "room": self.room, "who": self.guest_id}
        names |= {"seq": self.seq, "name": self.file, "version": "any", "path": "css/base.css"}
        return names[parameter]
