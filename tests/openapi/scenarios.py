"""Requests of people who do what generated requests rarely do: each response that the document names is met."""

import re

import requests
from document import Document, Response, code_of
from stage import GIF, Stage, Visitor

NOBODY = "a" * 12
NOWHERE = "a" * 16
TOO_LONG = "a" * 2_001
FOR_A_PAGE = {"accept": "text/html", "sec-fetch-site": "same-origin"}
OF_ANOTHER_SITE = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"}
POLLING = {"EIO": "4", "transport": "polling"}
WEBSOCKET = {"EIO": "4", "transport": "websocket"}
UPGRADE = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def upload(file: bytes) -> dict:
    return {"files": {"gif": ("a.gif", file, "image/gif")}}


class Scenarios:
    """Holds each response against the document, and collects them."""

    def __init__(self, url: str, document: Document):
        self._url, self._document = url, document
        self.met: list[Response] = []

    def run(self) -> None:
        """Goes through all of them, each in a room of its own."""
        for scenario in SCENARIOS:
            scenario(self, Stage(self._url))

    def visitor(self) -> Visitor:
        return Visitor(self._url)

    def meet(self, operation: str, by: Visitor, code=None, *, at=None, **request):
        """Requests an operation, with these parameters of its path, and expects this refusal."""
        method, path = self._document.request(operation, **(at or {}))
        response: requests.Response = by.ask(method, path, **request)
        if response.status_code != 101:  # To the checks, that is no response at all.
            self._document.check(operation, at or {}, response)
        found = code_of(response)
        assert code in (None, found), f"{operation}: not {code}, but {response.text}"
        self.met.append((operation, response.status_code, found))
        return response

    def each(self, code: str, stage: Stage) -> list[tuple[str, dict[str, str]]]:
        """The operations that may refuse with this code, with what is real in their paths."""
        found = sorted({each[0] for each in self._document.responses() if each[2] == code})
        return [(operation, self.real(operation, stage)) for operation in found]

    def real(self, operation: str, stage: Stage) -> dict[str, str]:
        names = re.findall(r"{(\w+)}", self._document.operations[operation].path)
        return {name: stage.real(operation, name) for name in names}


def body(operation: str, whom: str = NOBODY) -> dict:
    """A body that an operation understands."""
    bodies = {
        "change_room": {"json": {"title": "tea"}},
        "enter_room": {"data": {"seat": "true"}},
        "say": {"json": {"chat": "hello"}},
        "whisper": {"json": {"to": whom, "chat": "hello"}},
        "whisper_anywhere": {"json": {"chat": "hello"}},
        "hand_over": {"json": {"id": whom}},
        "report": {"json": {}},
        "share": upload(GIF),
    }
    return bodies.get(operation, {})


def what_another_site_asks_for(all: Scenarios, stage: Stage) -> None:
    for operation, real in all.each("foreign_origin", stage):
        all.meet(operation, stage.owner, "foreign_origin", at=real, headers=OF_ANOTHER_SITE)


def what_is_too_large(all: Scenarios, stage: Stage) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    for operation, real in all.each("too_large", stage):
        if operation != "socket_io_packets":
            by = stage.owner
            all.meet(operation, by, "too_large", at=real, headers=form, data=b"a" * 70_000)


def what_cannot_be_parsed(all: Scenarios, stage: Stage) -> None:
    json = {"content-type": "application/json"}
    for operation, real in all.each("malformed", stage):
        request = {"headers": json, "data": "{"}
        if operation.startswith("socket_io"):
            continue
        if operation == "lobby":
            request = {"params": [("page", "1"), ("page", "2")]}
        elif real:
            real |= {next(iter(real)): "%ff"}
        all.meet(operation, stage.owner, "malformed", at=real, **request)


def rooms_that_do_not_exist(all: Scenarios, stage: Stage) -> None:
    for operation, real in all.each("no_such_room", stage):
        # To have left a room that is gone is well; only what is no id is refused.
        nowhere = "nowhere" if operation == "leave_room" else NOWHERE
        room = {"room" if "room" in real else "id": nowhere}
        all.meet(operation, stage.owner, "no_such_room", at=real | room, **body(operation))


def those_outside(all: Scenarios, stage: Stage) -> None:
    for operation, real in all.each("not_in_room", stage):
        all.meet(operation, all.visitor(), "not_in_room", at=real, **body(operation))


def those_who_own_nothing(all: Scenarios, stage: Stage) -> None:
    stage.seq = str(stage.owner.say(stage.room)["seq"])
    for operation, real in all.each("not_owner", stage):
        request = body(operation, stage.guest_id)
        all.meet(operation, stage.guest, "not_owner", at=real, **request)


def people_who_are_not_here(all: Scenarios, stage: Stage) -> None:
    nobody = {"kick": {"who": NOBODY}, "whisper_anywhere": {"id": NOBODY}}
    for operation, real in all.each("not_here", stage):
        request = {"json": {"person": "somebody"}} if operation == "report" else body(operation)
        real |= nobody.get(operation, {})
        all.meet(operation, stage.owner, "not_here", at=real, **request)


def oneself(all: Scenarios, stage: Stage) -> None:
    me = stage.owner.say(stage.room)["user"]["id"]
    myself = {"kick": {"who": me}, "whisper_anywhere": {"id": me}}
    for operation, real in all.each("yourself", stage):
        real |= myself.get(operation, {})
        all.meet(operation, stage.owner, "yourself", at=real, **body(operation, me))


def messages_that_do_not_exist(all: Scenarios, stage: Stage) -> None:
    room = {"id": stage.room}
    all.meet("delete_chat", stage.owner, "no_such_message", at=room | {"seq": "9999"})
    all.meet("report", stage.owner, "no_such_message", at=room, json={"seq": 9999})


def fields_that_are_wrong(all: Scenarios, stage: Stage) -> None:
    wrong = {
        "choose": {"theme": "pink"},
        "create_room": {"title": "", "max": 1},
        "change_room": {"max": 1},
        "create_token": {"name": "a" * 31},
        "report": {"why": "a" * 501},
        "say": {"chat": " "},
        "whisper": {"to": stage.guest_id, "chat": " "},
        "whisper_anywhere": {"chat": " "},
    }
    for operation, real in all.each("invalid", stage):
        request = {"json": wrong.get(operation)}
        if operation == "share":
            request = {"files": {"clientId": (None, "one")}}
        all.meet(operation, stage.owner, "invalid", at=real, **request)
    for operation, real in all.each("too_long", stage):
        request = {"json": {"to": stage.guest_id, "chat": TOO_LONG}}
        all.meet(operation, stage.owner, "too_long", at=real, **request)


def files_that_are_no_gif(all: Scenarios, stage: Stage) -> None:
    room = {"id": stage.room}
    all.meet("share", stage.owner, "not_a_gif", at=room, **upload(b"a text"))
    all.meet("share", stage.owner, "bad_gif", at=room, **upload(GIF[:30]))
    all.meet("share", stage.owner, "too_large", at=room, **upload(GIF + b"a" * 5_300_000))


def parts_of_files(all: Scenarios, stage: Stage) -> None:
    file = {"room": stage.room, "name": stage.file}
    assert all.meet("gif", stage.guest, at=file).status_code == 200
    part = all.meet("gif", stage.guest, at=file, headers={"range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)
    all.meet("gif", stage.guest, "out_of_range", at=file, headers={"range": "bytes=9999-"})
    all.meet("gif", stage.guest, "not_found", at=file | {"name": "a" * 64 + ".gif"})
    all.meet("asset", stage.guest, "not_found", at={"version": "any", "path": "nothing"})


def doors_that_stay_shut(all: Scenarios, stage: Stage) -> None:
    """Each reason against entering, for the page and for the seat."""
    secret = stage.owner.make_room(password="sesame")
    locked = stage.owner.make_room()
    assert stage.owner.sit(locked).status_code == 204
    all.meet("change_room", stage.owner, at={"id": locked}, json={"locked": True})
    full = stage.owner.make_room(max=2)
    for inside in (stage.owner, stage.guest):
        assert inside.sit(full).status_code == 204
    kicked = all.visitor()
    assert kicked.sit(stage.room).status_code == 204
    whom = {"id": stage.room, "who": kicked.say(stage.room)["user"]["id"]}
    assert all.meet("kick", stage.owner, at=whom).status_code == 204
    for room, code, by in [
        (secret, "wrong_password", stage.guest),
        (locked, "locked", stage.guest),
        (full, "room_full", all.visitor()),
        (stage.room, "kicked", kicked),
    ]:
        all.meet("room", by, code, at={"id": room})
        all.meet("enter_room", by, code, at={"id": room}, data={"seat": "true"})


def bots(all: Scenarios, stage: Stage) -> None:
    guest = {"id": stage.guest_id}
    text = {"json": {"chat": "hello"}}
    nameless = {"cookie": ""}
    all.meet("whisper_anywhere", stage.owner, "unauthorized", at=guest, headers=nameless, **text)
    forged = {"authorization": "Bearer huechat_forged"}
    all.meet("whisper_anywhere", stage.owner, "invalid_token", at=guest, headers=forged, **text)
    assert all.meet("tokens", stage.owner).status_code == 200
    while (made := all.meet("create_token", stage.owner)).status_code == 201:
        token = {"id": made.json()["id"]}
    assert code_of(made) == "too_many_tokens"
    assert all.meet("revoke_token", stage.owner, at=token).status_code == 204
    assert all.meet("revoke_token_by_form", stage.owner, at=token).status_code == 204
    assert all.meet("revoke_tokens_by_form", stage.owner).status_code == 204
    assert all.meet("revoke_tokens", stage.owner).status_code == 204


def what_people_do(all: Scenarios, stage: Stage) -> None:
    room, whom = {"id": stage.room}, {"id": stage.guest_id}
    for operation, by, status, request in [
        ("lobby", stage.owner, 200, {}),
        ("choose", stage.owner, 204, {"json": {"theme": "dark"}}),
        ("room_form", stage.owner, 200, {}),
        ("create_room", stage.owner, 201, {"json": {"title": "tea", "max": 5}}),
        ("room", stage.owner, 200, {"at": room}),
        ("change_room", stage.owner, 200, {"at": room, "json": {"max": 9}}),
        ("enter_room", stage.guest, 204, {"at": room, "data": {"seat": "true"}}),
        ("say", stage.guest, 201, {"at": room, "json": {"chat": "hello"}}),
        ("history", stage.guest, 200, {"at": room}),
        ("delete_chat", stage.guest, 200, {"at": room | {"seq": stage.seq}}),
        ("whisper", stage.owner, 201, {"at": room, **body("whisper", stage.guest_id)}),
        ("whisper_anywhere", stage.owner, 201, {"at": whom, **body("whisper_anywhere")}),
        ("share", stage.owner, 201, {"at": room, **upload(GIF)}),
        ("report", stage.guest, 204, {"at": room, "json": {}}),
        ("hand_over", stage.owner, 200, {"at": room, "json": {"id": stage.guest_id}}),
        ("leave_room", stage.owner, 204, {"at": room}),
        ("close_room", stage.guest, 204, {"at": room}),
        ("log_out", stage.guest, 204, {}),
        ("asset", stage.guest, 200, {"at": {"version": "any", "path": "css/base.css"}}),
        ("favicon", stage.guest, 200, {}),
        ("robots", stage.guest, 200, {}),
        ("live", stage.guest, 200, {}),
        ("ready", stage.guest, 200, {}),
    ]:
        response = all.meet(operation, by, **request)
        assert response.status_code == status, f"{operation}: {response.text}"


def what_pages_do(all: Scenarios, stage: Stage) -> None:
    """Those who read pages are redirected: when it is done, and when it is refused."""
    room, token = {"id": stage.room}, {"id": stage.token["id"]}
    for operation, by, request in [
        ("lobby", stage.owner, {"params": [("page", "1"), ("page", "2")]}),
        ("choose", stage.owner, {"data": {"theme": "dark"}}),
        ("create_room", stage.owner, {"data": {"title": "tea", "max": "5"}}),
        ("room", stage.owner, {"at": room, "params": {"password": "none"}}),
        ("change_room", stage.guest, {"at": room, "data": {"max": "9"}}),
        ("close_room", stage.guest, {"at": room}),
        ("enter_room", stage.guest, {"at": room, "data": {"seat": "true"}}),
        ("create_token", stage.owner, {"headers": {"content-type": "text/plain"}, "data": "?"}),
        ("revoke_token", stage.owner, {"at": {"id": "%ff"}}),
        ("revoke_token_by_form", stage.owner, {"at": token}),
        ("revoke_tokens_by_form", stage.owner, {}),
        ("leave_room", stage.guest, {"at": room}),
        ("log_out", stage.owner, {}),
    ]:
        headers = FOR_A_PAGE | request.pop("headers", {})
        response = all.meet(operation, by, headers=headers, **request)
        assert response.status_code == 303, f"{operation}: {response.text}"


def sockets(all: Scenarios, stage: Stage) -> None:
    def connection() -> dict[str, str]:
        opened = all.meet("socket_io", stage.owner, params=POLLING)
        return {"params": POLLING | {"sid": re.search(r'"sid":"([^"]+)"', opened.text)[1]}}

    assert all.meet("socket_io_packets", stage.owner, data="40", **connection()).ok
    all.meet("socket_io_packets", stage.owner, "malformed", data="nonsense", **connection())
    packet = "4" + "a" * 200_000
    all.meet("socket_io_packets", stage.owner, "too_large", data=packet, **connection())
    unknown = {"params": POLLING | {"sid": "AAAAAAAAAAAAAAAA"}}
    for operation in ("socket_io", "socket_io_packets"):
        assert all.meet(operation, stage.owner, **unknown).status_code == 400
    all.meet("socket_io", stage.owner, "malformed", params=WEBSOCKET)
    opened = all.meet("socket_io", stage.owner, params=WEBSOCKET, headers=UPGRADE)
    assert opened.status_code == 101
    assert all.meet("gateway", stage.owner).status_code == 426
    assert all.meet("gateway", stage.owner, headers=UPGRADE).status_code == 101


SCENARIOS = [
    what_another_site_asks_for,
    what_is_too_large,
    what_cannot_be_parsed,
    rooms_that_do_not_exist,
    those_outside,
    those_who_own_nothing,
    people_who_are_not_here,
    oneself,
    messages_that_do_not_exist,
    fields_that_are_wrong,
    files_that_are_no_gif,
    parts_of_files,
    doors_that_stay_shut,
    bots,
    what_people_do,
    what_pages_do,
    sockets,
]
