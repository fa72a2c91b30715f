"""The runner counts what the others test; here it is tested itself."""

import io
import json
import os
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

from runner import counts, tools
from runner.counts import Counts
from runner.report import Outcome, judge, print_report
from runner.shipped import complaints


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


class Finding(unittest.TestCase):
    def test_a_proxy_that_a_variable_names_is_used_and_nothing_is_installed(self):
        named = {"HUECHAT_TEST_NGINX": "/opt/nginx", "HUECHAT_TEST_CADDY": "/opt/caddy"}
        with mock.patch.dict(os.environ, named), redirect_stdout(io.StringIO()) as printed:
            self.assertEqual(tools.find_or_install_proxies(), named)
        self.assertEqual(printed.getvalue(), "")


class Shipped(unittest.TestCase):
    def test_a_licence_that_is_not_allowed_and_a_package_without_a_hash_are_found(self):
        def package(licence="MIT", integrity="sha512-x", **more):
            return {"license": licence, "integrity": integrity, **more}

        packages = {
            "": {"license": "MIT"},
            "node_modules/fine": package(),
            "node_modules/copyleft": package("GPL-3.0-only"),
            "node_modules/bare": package(None),
            "node_modules/changed": package(integrity=None),
            "node_modules/elsewhere": package(resolved="git+ssh://somewhere"),
            "node_modules/tool": package("GPL-3.0-only", dev=True),
        }

        found = complaints({"packages": packages}, {"licenses": {"allow": ["MIT"]}})

        self.assertEqual(
            found,
            [
                "copyleft has the licence GPL-3.0-only",
                "bare has the licence None",
                "changed has no hash in the lock file",
                "elsewhere does not come from the registry",
            ],
        )


if __name__ == "__main__":
    unittest.main()
