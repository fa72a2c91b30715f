#!/usr/bin/env python3
"""A bot that welcomes whoever comes into its room.

    $ pip install --require-hashes -r examples/requirements.txt
    $ HUECHAT_TOKEN=huechat_… python3 examples/welcome_bot.py ws://localhost:8005/gateway ROOM

docs/gateway.md is the manual of what is spoken. The bot comes back by itself when its connection breaks, and asks for
what it missed; what it says has a clientId, so that nothing is said twice.
"""

import argparse
import asyncio
import json
import os
import sys

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

TRY_AGAIN_AFTER = 1.0
LATER = {"restarting", "unavailable", "too_slow"}
NEVER_MIND = {"slow_down", "not_here", "not_in_room"}


class Refused(Exception):
    """Coming back is no use."""


class ComeBack(Exception):
    """The server asks to come back after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Bot:
    """What the bot knows of its room."""

    def __init__(self, settings: argparse.Namespace) -> None:
        self._settings = settings
        self._me = ""
        # The newest message that it has seen.
        self._seen: int | None = None

    async def visit(self) -> None:
        """One connection, from its first word to its end."""
        async with connect(self._settings.gateway, ping_interval=None) as socket:
            beating = None
            try:
                async for text in socket:
                    frame = json.loads(text)
                    if frame["op"] == "HELLO":
                        beating = asyncio.create_task(
                            _beat(socket, frame["d"]["heartbeatMs"] / 1_000)
                        )
                        await _ask(socket, "IDENTIFY", {"token": self._settings.token})
                    else:
                        await self._hear(socket, frame["op"], frame.get("d"))
            finally:
                if beating:
                    beating.cancel()

    async def _hear(self, socket: ClientConnection, op: str, d: dict) -> None:
        match op:
            case "READY":
                self._me = d["person"]["id"]
                await self._join(socket)
            case "ROOM_WELCOME":
                back = self._seen is not None
                for chat in d["chats"]:
                    # The first time, whoever came before it is welcome already.
                    await self._read(socket, chat, answer=back)
                if back and d["more"]:
                    await self._join(socket)
                self._seen = self._seen or 0
                print(f"in the room as {d['you']['name']}", file=sys.stderr)
            case "MESSAGE_CREATE":
                await self._read(socket, d, answer=True)
            case "ROOM_HEAD" if d["seq"] > (self._seen or 0):
                await self._join(socket)
            case "ROOM_LEAVE":
                raise Refused("somebody removed the bot")
            case "ROOM_DELETE":
                raise Refused("the room is gone")
            case "ERROR" if d["code"] in LATER:
                raise ComeBack(d.get("retryAfterMs", TRY_AGAIN_AFTER * 1_000) / 1_000)
            case "ERROR" if d["code"] not in NEVER_MIND:
                raise Refused(f"{d['code']}: {d['message']}")

    async def _join(self, socket: ClientConnection) -> None:
        """Comes into the room, or asks for what came since."""
        wanted = {
            "room": self._settings.room,
            "password": self._settings.password,
            "after": self._seen,
        }
        await _ask(socket, "ROOM_JOIN", wanted)

    async def _read(self, socket: ClientConnection, chat: dict, *, answer: bool) -> None:
        """Reads a message once, and welcomes whom it tells of."""
        if chat["seq"] <= (self._seen or 0):
            return
        self._seen = chat["seq"]
        came = chat.get("system", {})
        if not answer or came.get("code") != "joined" or came["person"]["id"] == self._me:
            return
        words = f"Welcome, @{came['person']['name']}!"
        post = {"room": self._settings.room, "chat": words, "clientId": f"welcome-{chat['seq']}"}
        await _ask(socket, "MESSAGE_POST", post)


async def _ask(socket: ClientConnection, op: str, d: dict | None) -> None:
    await socket.send(json.dumps({"op": op, "d": d}))


async def _beat(socket: ClientConnection, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await _ask(socket, "HEARTBEAT", None)


async def _run(settings: argparse.Namespace) -> None:
    bot = Bot(settings)
    while True:
        wait = TRY_AGAIN_AFTER
        try:
            await bot.visit()
        except ComeBack as asked:
            wait = asked.seconds
        except (ConnectionClosed, OSError) as error:
            print(f"the connection broke: {error}", file=sys.stderr)
        await asyncio.sleep(wait)


def _settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Welcomes whoever comes into a room.")

    def setting(name: str, variable: str, about: str) -> None:
        given = os.environ.get(variable)
        parser.add_argument(name, nargs="?", default=given, help=f"{about}, or {variable}")

    setting("gateway", "HUECHAT_GATEWAY", "such as ws://localhost:8005/gateway")
    setting("room", "HUECHAT_ROOM", "the id of the room: the end of its address")
    settings = parser.parse_args()
    # Not an argument: others on the machine would see it.
    settings.token = os.environ.get("HUECHAT_TOKEN")
    settings.password = os.environ.get("HUECHAT_PASSWORD")
    if not (settings.gateway and settings.room and settings.token):
        parser.error("the gateway, the room and HUECHAT_TOKEN are needed")
    return settings


if __name__ == "__main__":
    try:
        asyncio.run(_run(_settings()))
    except Refused as refused:
        sys.exit(str(refused))
    except KeyboardInterrupt:
        pass
