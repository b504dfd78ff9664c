"""Lives whole cohorts with deploy/local/demo.sh and holds the reports against
the programmes.

usage: demo_test.py BINARIES   the folder of a build, as build/asan
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else ROOT / "build/release"


def live(programme, seed, database):
    """The report of a cohort of `programme`, and what was shown meanwhile."""
    with tempfile.TemporaryDirectory(prefix="parcours-demo.") as folder:
        environment = os.environ | {
            "PARCOURS_BINARIES": str(BINARIES), "DEMO_STATE": folder + "/demo",
            "PROGRAMME": programme, "SEED": str(seed), "DEMO_DATABASE": database}
        shown = subprocess.run([ROOT / "deploy/local/demo.sh"], env=environment, cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        logs = "".join(f"\n== {log.name}\n{log.read_text()[-4000:]}"
                       for log in pathlib.Path(folder).glob("demo/log/*.log"))
        if shown.returncode != 0:
            raise AssertionError(shown.stdout[-4000:] + logs)
        return json.loads(pathlib.Path(folder, "demo/report.json").read_text()), logs


def number(programme, field):
    """The first value of `field` in the programme file."""
    return int(re.search(rf"\b{field}: (\d+)", (ROOT / programme).read_text()).group(1))


class DemoTest(unittest.TestCase):
    def check_places(self, programme, report):
        self.assertGreaterEqual(report["applications"], 40)
        self.assertEqual(number(programme, "capacity"), report["capacity"])
        self.assertEqual(report["capacity"], report["confirmed"])
        self.assertEqual(number(programme, "duration_minutes"), report["scheduled_minutes"])
        self.assertEqual(report["half_days"], report["closed_sheets"])
        self.assertEqual(1, report["dropped_out"])
        self.assertGreaterEqual(report["refused"], 1)
        self.assertGreaterEqual(report["derogations"], 1)
        self.assertGreaterEqual(report["offers_expired"], 1)
        self.assertEqual(report["due_minutes"], report["attended_minutes"] +
                         report["justified_minutes"] + report["absent_minutes"])

    def check_jury(self, report):
        self.assertEqual(report["completed"], report["notes"])
        self.assertEqual(report["notes"],
                         report["awarded"] + report["deferred"] + report["refused_by_jury"])
        for figure in ("awarded", "deferred", "refused_by_jury", "notes_late",
                       "notes_out_of_range"):
            self.assertGreaterEqual(report[figure], 1, figure)
        self.assertEqual(report["awarded"], len(report["certificates"]))

    def test_the_certificate_of_2026_on_both_engines(self):
        programme = "programmes/culture-ess-2026.txtpb"
        for database in ("sqlite", "postgresql"):
            with self.subTest(database=database):
                report, logs = live(programme, 2026, database)
                self.check_places(programme, report)
                # Who holds which place is a race: of thirty, somebody pays alone and
                # can withdraw; of a small course's, perhaps nobody.
                self.assertGreaterEqual(report["legal_withdrawals"], 1)
                self.check_jury(report)
                # What people are called never reaches a log.
                self.assertNotIn("Fictive", logs)
                self.assertNotIn("Fictif", logs)

    def test_another_programme_without_a_jury(self):
        programme = "programmes/atelier-gouvernance-2026.txtpb"
        report, _ = live(programme, 7, "sqlite")
        self.check_places(programme, report)
        self.assertEqual([], report["certificates"])
        self.assertEqual(report["completed"], report["completed_without_jury"])


if __name__ == "__main__":
    unittest.main()
