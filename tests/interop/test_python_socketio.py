"""The server with python-socketio, over every transport that it has."""

import queue
import unittest
from typing import Any

import requests
import socketio
from server import PATIENCE_SECONDS, Server


class Client:
    """A connection to one namespace that keeps what it hears until it is asked for."""

    def __init__(self, url: str, namespace: str, transports: list[str], cookie: str, auth: dict):
        self._heard: queue.Queue = queue.Queue()
        self._namespace = namespace
        headers = {"cookie": cookie} if cookie else {}
        # Every request of long polling needs the cookie, and `headers` of `connect` go with the first alone.
        session = requests.Session()
        session.headers.update(headers)
        self._client = socketio.Client(reconnection=False, http_session=session)
        self._client.on("*", lambda event, *data: self._heard.put((event, *data)), namespace)
        self._client.on("connect_error", lambda data: self._heard.put(data), namespace)
        try:
            self._client.connect(
                url,
                headers=headers,
                auth=auth,
                transports=transports,
                namespaces=[namespace],
                wait_timeout=PATIENCE_SECONDS,
            )
        except socketio.exceptions.ConnectionError:
            self._client.disconnect()
            raise PermissionError(self._heard.get(timeout=PATIENCE_SECONDS)["message"]) from None

    @property
    def transport(self) -> str:
        return self._client.transport()

    def next(self) -> tuple[str, Any]:
        return self._heard.get(timeout=PATIENCE_SECONDS)

    def hears(self, name: str) -> Any:
        """What the next event of this name carries. What comes before it is passed over."""
        while True:
            event, *data = self.next()
            if event == name:
                return data[0]

    def ask(self, event: str, data: object) -> dict:
        return self._client.call(event, data, self._namespace, timeout=PATIENCE_SECONDS)

    def tell(self, event: str) -> None:
        self._client.emit(event, namespace=self._namespace)

    def close(self) -> None:
        self._client.disconnect()


class Story:
    """What works over every transport."""

    transports: list[str]

    def setUp(self):
        self.server = self.enterContext(Server())

    def connect(self, namespace, cookie="", **auth) -> Client:
        client = Client(self.server.url, namespace, self.transports, cookie, auth)
        self.addCleanup(client.close)
        return client

    def test_two_people_meet_talk_and_leave(self):
        hers, his = self.server.visitor(), self.server.visitor()
        lobby = self.connect("/room", hers)
        room = self.server.make_room(hers, "tea", 2)
        self.assertEqual(lobby.hears("newRoom")["id"], room)

        she = self.connect("/chat", hers, room=room)
        first, welcome = she.next()
        self.assertEqual((first, welcome["room"]["id"]), ("welcome", room))
        self.assertEqual(she.transport, self.transports[-1])
        he = self.connect("/chat", his, room=room)
        himself = he.hears("welcome")["you"]
        self.assertEqual(she.hears("join")["person"]["id"], himself["id"])

        reply = he.ask("chat:post", {"chat": "안녕, tea?", "clientId": "1"})
        self.assertTrue(reply["ok"], reply)
        self.assertEqual(reply["data"]["chat"], "안녕, tea?")
        self.assertEqual(she.hears("chat")["id"], reply["data"]["id"])

        he.tell("exit")
        self.assertEqual(she.hears("exit")["currentUsers"], 1)
        she.tell("exit")
        self.assertEqual(lobby.hears("removeRoom"), room)

    def test_nobody_comes_in_without_a_cookie(self):
        room = self.server.make_room(self.server.visitor(), "tea", 2)
        for namespace in ["/room", "/chat"]:
            with self.assertRaisesRegex(PermissionError, "^unauthorized$"):
                self.connect(namespace, room=room)


class PollingOnly(Story, unittest.TestCase):
    transports = ["polling"]


class WebSocketOnly(Story, unittest.TestCase):
    transports = ["websocket"]


class PollingThatUpgrades(Story, unittest.TestCase):
    transports = ["polling", "websocket"]


if __name__ == "__main__":
    unittest.main()
