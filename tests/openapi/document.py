"""`docs/openapi.yaml`, and responses held against it."""

import json
from collections.abc import Iterable
from pathlib import Path

import requests
import schemathesis
import yaml
from schemathesis.specs.openapi import checks, definitions

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]

# An operation's id, a status, and the code of the error if it is a refusal.
Response = tuple[str, int, str | None]


def code_of(response) -> str | None:
    """The code of a refusal, if it is one for programs."""
    try:
        return response.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None


class Document:
    """The operations by their ids, of a document that is one of OpenAPI 3.1."""

    def __init__(self):
        self._raw = yaml.safe_load(DOCUMENT.read_text())
        definitions.OPENAPI_31_VALIDATOR.validate(self._raw)
        loaded = schemathesis.openapi.from_path(DOCUMENT)
        operations = [result.ok() for result in loaded.get_all_operations()]
        self.operations = {
            operation.definition.raw["operationId"]: operation for operation in operations
        }

    def request(self, operation: str, **parameters: str) -> tuple[str, str]:
        """The method and the path of an operation."""
        found = self.operations[operation]
        return found.method.upper(), found.path.format(**parameters)

    def check(self, operation: str, at: dict[str, str], response: requests.Response) -> None:
        """Raises when a response is not as the document says."""
        found = self.operations[operation]
        case = found.Case(method=found.method.upper(), path_parameters=at)
        case.validate_response(response, checks=CHECKS)

    def responses(self) -> set[Response]:
        """Everything that the document says may come."""
        return set(self._responses())

    def _responses(self) -> Iterable[Response]:
        for operation in (each for path in self._raw["paths"].values() for each in path.values()):
            for status, response in operation["responses"].items():
                for code in self._codes(response):
                    yield operation["operationId"], int(status), code

    def _codes(self, response: dict) -> Iterable[str | None]:
        if reference := response.get("$ref"):
            response = self._raw["components"]["responses"][reference.rsplit("/", 1)[1]]
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        for one in schema.get("anyOf", [schema]):
            error = one.get("properties", {}).get("error", {}).get("properties", {})
            yield from error.get("code", {}).get("enum", [None])

    def met(self, responses: Iterable[Response]) -> set[Response]:
        """Which of the documented ones these are; the code counts where one is documented."""
        documented = self.responses()
        given = {(operation, status) for operation, status, code in documented if code is None}
        met = {response for response in responses if response in documented}
        return met | {(*pair, None) for pair in {each[:2] for each in responses} & given}


def read(lines: Path) -> list[Response]:
    """The responses that `hooks.py` has noted."""
    return [tuple(json.loads(line)) for line in lines.read_text().splitlines()]
