"""What schemathesis does around each of its requests: gives some of them a session and what exists.

`HUECHAT_MET` names a file for the responses that were met.
"""

import json
import os
import zlib

import schemathesis
from document import code_of
from schemathesis.core.parameters import ParameterLocation
from stage import GIF, Stage

# They end what the requests after them need.
ENDING = {"log_out", "close_room", "leave_room", "kick", "hand_over", "revoke_token", "change_room"}
ENDING |= {"revoke_tokens", "revoke_tokens_by_form", "revoke_token_by_form"}

# What the server understands, where a generated value would rarely get any further.
PLAIN = {"title": "tea", "max": 7, "chat": "hello", "clientId": "one", "why": "because", "gif": GIF}

stages: dict[str, Stage] = {}


def stage(url: str) -> Stage:
    """The room on that server."""
    if url not in stages or not stages[url].prolong():
        stages[url] = Stage(url)
    return stages[url]


def dice(case, sides: int, salt: str) -> bool:
    """One of so many cases, and for the same case always the same."""
    made = repr((salt, case.method, case.path, case.path_parameters, case.query, case.body))
    return zlib.crc32(made.encode("utf-8", "replace")) % sides == 0


def is_meant(case, part: ParameterLocation) -> bool:
    """Whether a part of the request is as the document says: what is wrong on purpose stays so."""
    made = case.meta and case.meta.components.get(part)
    return made is None or made.mode.is_positive


@schemathesis.hook
def before_call(_context, case, kwargs):
    operation = case.operation.definition.raw["operationId"]
    here = stage(case.operation.base_url)
    if is_meant(case, ParameterLocation.PATH) and not dice(case, 4, "nothing real"):
        for name in case.path_parameters or {}:
            case.path_parameters[name] = here.real(operation, name)
    if isinstance(case.body, dict) and is_meant(case, ParameterLocation.BODY):
        if not dice(case, 4, "nobody real"):
            real = dict.fromkeys(["to", "id", "person"], here.guest_id)
            case.body.update((name, real[name]) for name in real.keys() & case.body.keys())
        if dice(case, 2, "plain"):
            case.body.update((name, PLAIN[name]) for name in PLAIN.keys() & case.body.keys())
    visitor = here.guest if dice(case, 4, "guest") else here.owner
    headers = {"Accept": "application/json", "Cookie": visitor.cookie}
    if dice(case, 4, "page"):
        headers |= {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    if "Range" in case.headers:
        headers["Range"] = "bytes=9-19" if dice(case, 2, "a part") else "bytes=99999-"
    case.headers.update(headers)
    kwargs["allow_redirects"] = False


@schemathesis.hook
def after_call(_context, case, response):
    operation = case.operation.definition.raw["operationId"]
    if case.method == case.operation.method.upper():
        with open(os.environ["HUECHAT_MET"], "a", encoding="utf-8") as met:
            met.write(json.dumps([operation, response.status_code, code_of(response)]) + "\n")
    if operation in ENDING and response.status_code < 400:
        stages.pop(case.operation.base_url, None)
