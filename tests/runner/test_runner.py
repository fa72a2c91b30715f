"""The runner counts what the others test; here it is tested itself."""

import io
import json
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path

from runner import counts
from runner.counts import Counts
from runner.dependencies import complaints, permits
from runner.report import Outcome, judge, print_report


class Counting(unittest.TestCase):
    def test_all_binaries_of_cargo_count_together(self):
        output = (
            "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n"
            "test result: FAILED. 2 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out\n"
        )
        self.assertEqual(counts.of_cargo(output), Counts(6, 1, 3))

    def test_node_is_read_in_both_of_its_formats(self):
        for mark in "#ℹ":
            output = f"{mark} tests 6\n{mark} pass 3\n{mark} fail 1\n{mark} cancelled 1\n{mark} skipped 1\n{mark} todo 0\n"
            self.assertEqual(counts.of_node(output), Counts(3, 2, 1))

    def test_unittest_is_read_whatever_its_last_line_says(self):
        for last, expected in [
            ("OK", Counts(7)),
            ("OK (skipped=2)", Counts(5, 0, 2)),
            ("FAILED (failures=1, errors=2, skipped=1)", Counts(3, 3, 1)),
        ]:
            output = f"Ran 7 tests in 0.012s\n\n{last}\n"
            self.assertEqual(counts.of_unittest(output), expected, last)

    def test_a_flaky_browser_test_has_failed(self):
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.json")
            stats = {"expected": 9, "unexpected": 1, "flaky": 2, "skipped": 3}
            report.write_text(json.dumps({"stats": stats}))
            self.assertEqual(counts.of_playwright(report), Counts(9, 3, 3))
            self.assertEqual(counts.of_playwright(Path(folder, "none")), Counts())


class Judging(unittest.TestCase):
    def judged(self, found, exit_code):
        return judge("step", found, exit_code=exit_code, seconds=0.0)

    def test_a_step_that_ran_no_test_has_failed(self):
        self.assertEqual(self.judged(Counts(), 0).failed, 1)

    def test_a_step_that_crashed_after_its_tests_passed_has_failed(self):
        self.assertEqual(self.judged(Counts(3), 134).failed, 1)
        self.assertEqual(self.judged(Counts(3, 2), 1).failed, 2)

    def test_a_test_that_was_left_out_has_failed(self):
        self.assertEqual(self.judged(Counts(3, 0, 1), 0).failed, 1)

    def test_the_last_line_counts_everything_and_the_exit_code_agrees(self):
        for outcomes, line, code in [
            ([Outcome("a", 3), Outcome("b", 4)], "7 passed, 0 failed", 0),
            ([Outcome("a", 3), Outcome("b", 4, 1)], "7 passed, 1 failed", 1),
            ([], "0 passed, 0 failed", 1),
        ]:
            with redirect_stdout(io.StringIO()) as printed:
                self.assertEqual(print_report(outcomes), code)
            self.assertEqual(printed.getvalue().splitlines()[-1], line)


class Dependencies(unittest.TestCase):
    def test_licences_are_read_as_expressions(self):
        allowed = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"}
        for expression, met in [
            ("MIT", True),
            ("GPL-2.0-only", False),
            ("Apache-2.0 OR GPL-2.0-only", True),
            ("Unlicense/MIT", True),
            ("GPL-2.0 / MIT", True),
            ("MIT AND BSD-3-Clause", False),
            ("(MIT OR GPL-2.0-only) AND Apache-2.0", True),
            ("MIT OR GPL-2.0-only AND BSD-3-Clause", True),
            ("Apache-2.0 WITH LLVM-exception", True),
            ("GPL-2.0 WITH Classpath-exception-2.0", False),
        ]:
            self.assertEqual(permits(expression, allowed), met, expression)

    def test_a_foreign_source_a_wildcard_and_a_licence_that_is_not_allowed_are_found(self):
        def package(name, licence="MIT", source="registry+index", dependencies=()):
            return {
                "id": name,
                "name": name,
                "version": "1.0.0",
                "license": licence,
                "source": source,
                "dependencies": list(dependencies),
            }

        ours = package("ours", source=None, dependencies=[{"name": "any", "req": "*"}])
        packages = [ours, package("fine"), package("forked", source="git+somewhere")]
        packages += [package("copyleft", "GPL-3.0-only"), package("bare", None)]
        packages += [package("excepted", "ISC")]
        policy = {"licenses": {"allow": ["MIT"], "exceptions": [{"crate": "excepted", "allow": ["ISC"]}]}}

        found = complaints({"packages": packages, "workspace_members": ["ours"]}, policy)

        self.assertEqual(
            found,
            [
                "ours takes any version of any",
                "forked 1.0.0 does not come from the registry",
                "copyleft 1.0.0 has the licence GPL-3.0-only",
                "bare 1.0.0 has the licence of no name",
            ],
        )


if __name__ == "__main__":
    unittest.main()
