"""The server responds as `docs/openapi.yaml` says, and in every way that it says.

`FUZZ_SECONDS` says for how long generated requests go on, with a seed of chance; without it they are the same each time.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from document import DOCUMENT, Document, read
from scenarios import Scenarios
from stage import unlimited

from server import Server

HERE = Path(__file__).resolve().parent
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
]
PHASES = ["examples", "coverage", "fuzzing", "stateful"]
SEED, EXAMPLES = 17, 10
REQUEST_SECONDS = 30

# What no request of one person brings about, and where it is met.
ELSEWHERE = {
    "slow_down": "tests/api/floods.rs, for each operation",
    "unavailable": "tests/api/store_trouble.rs",
    "restarting": "tests/api/draining.rs",
    "too_slow": "tests/api/bounds_of_uploads.rs",
    "uploads_full": "tests/api/bounds_of_uploads.rs",
    "too_many_connections": "tests/api/bounds.rs",
    "too_many_rooms": "tests/api/rooms.rs",
}
# The store does not answer; and what only a network that begins too many sessions meets there.
UNMET = {("ready", 503, None)}
UNMET |= {(operation, 303, None) for operation in ("room_form", "tokens", "revoke_tokens")}


def generate(url: str, folder: Path) -> subprocess.CompletedProcess:
    """Lets schemathesis make requests of the document."""
    seconds = os.environ.get("FUZZ_SECONDS")
    extent = ["--max-time", seconds] if seconds else ["--seed", str(SEED)]
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(DOCUMENT)]
    command += ["--url", url, "--max-examples", str(EXAMPLES), *extent]
    command += ["--checks", ",".join(CHECKS), "--phases", ",".join(PHASES)]
    command += ["--generation-with-security-parameters", "false", "--generation-database", "none"]
    command += ["--suppress-health-check", "all", "--request-timeout", str(REQUEST_SECONDS)]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "HUECHAT_MET": str(folder / "met"),
    }
    command += ["--no-color", "--warnings", "off"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


class EveryResponse(unittest.TestCase):
    """Of one server, without rate limits."""

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="huechat-openapi-"))
        cls.folder = Path(folder)
        settings = unlimited() | {"MAX_ROOMS": "100000"}
        cls.server = cls.enterClassContext(Server(settings))

    def test_what_requests_of_the_document_are_answered_is_in_the_document(self):
        run = generate(self.server.url, self.folder)
        print(run.stdout[-1_500:])
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertGreater(len(read(self.folder / "met")), 500)

    def test_every_response_of_the_document_can_be_met(self):
        document = Document()
        scenarios = Scenarios(self.server.url, document)
        scenarios.run()

        self.assertLessEqual(UNMET, document.responses())
        unmet = document.responses() - document.met(scenarios.met) - UNMET
        unmet = {response for response in unmet if response[2] not in ELSEWHERE}
        self.assertEqual(unmet, set())


if __name__ == "__main__":
    unittest.main()
