"""The sandbox as a partner meets it: keys, time, faults, and forgetting.

usage: sandbox_test.py BUILD
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
COHORT = "/v1/bodies/opale/cohorts/culture-ess-2026"
APPLICATION = {
    "candidate": {"givenName": "Candidate", "familyName": "Essayée",
                  "email": "candidate.essayee@example.org"},
    "payer": {"kind": "PAYER_KIND_INDIVIDUAL"},
}


class SandboxTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._folder.cleanup)
        cls._state = pathlib.Path(cls._folder.name) / "sandbox"
        cls.addClassCleanup(cls._run, "down")
        cls._said = cls._run("up")

    @classmethod
    def _run(cls, command):
        done = subprocess.run(
            [ROOT / "deploy/local/sandbox.sh", command], check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PARCOURS_BINARIES": str(BUILD), "SANDBOX_PORT": "0",
                 "SANDBOX_GRPC_PORT": "0", "SANDBOX_STATE": str(cls._state)})
        if done.returncode != 0:
            raise AssertionError(done.stdout)
        return done.stdout

    def call(self, path, body=None, key="coordinator", method=None, fault=None):
        port = (self._state / "run/gateway.port").read_text().strip()
        headers = {"Content-Type": "application/json"}
        if key is not None:
            token = (self._state / f"keys/{key}.token").read_text().strip()
            headers["Authorization"] = f"Bearer {token}"
        if fault is not None:
            headers["parcours-sandbox-fault"] = fault
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", headers=headers, method=method,
            data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def applications(self):
        status, page = self.call(COHORT + "/applications?pageSize=500")
        self.assertEqual(status, 200, page)
        return page["applications"]

    def test_there_is_a_key_for_each_role(self):
        for path in sorted((self._state / "keys").glob("*.token")):
            with self.subTest(path.stem):
                status, caller = self.call("/enrolment/v1/caller", key=path.stem)
                self.assertEqual(status, 200, caller)
                role = "funder" if path.stem == "afdas" else path.stem
                self.assertEqual(caller["roles"], ["ROLE_" + role.upper()])
        self.assertGreaterEqual(len(list((self._state / "keys").glob("*.token"))), 16)

    def test_a_partner_s_program_gets_a_token(self):
        partner = json.loads((self._state / "keys/partner.json").read_text())
        status, token = self.call("/v1/tokens:issue", partner, key=None)
        self.assertEqual(status, 200, token)

    def test_a_lost_answer_is_found_again_by_the_same_request(self):
        path = f"{COHORT}/applications:submit"
        body = {"application": APPLICATION, "requestId": str(uuid.uuid4())}
        before = len(self.applications())
        for fault in ("429", "503"):
            status, error = self.call(path, body, fault=fault)
            self.assertEqual(status, int(fault), error)
            self.assertEqual(len(self.applications()), before)
        status, error = self.call(path, body, fault="503-after")
        self.assertEqual(status, 503)
        self.assertEqual(error["error"]["details"][0]["reason"], "COMMIT_IN_DOUBT")
        self.assertEqual(len(self.applications()), before + 1)
        status, found = self.call(path, body)
        self.assertEqual(status, 200, found)
        applications = self.applications()
        self.assertEqual(len(applications), before + 1)
        self.assertIn(found["name"], [one["name"] for one in applications])

    def test_every_so_many_calls_meet_a_fault(self):
        self.addCleanup(self.call, "/sandbox/faults", method="DELETE")
        status, faults = self.call(
            "/sandbox/faults", {"calls": {"fault": "503", "every": 3}}, method="PUT")
        self.assertEqual((status, faults["calls"]), (200, {"fault": "503", "every": 3}))
        statuses = [self.call(COHORT)[0] for _ in range(6)]
        self.assertEqual(statuses, [200, 200, 503, 200, 200, 503])

    def test_what_is_wrong_with_a_fault_is_said_at_once(self):
        status, error = self.call(
            "/sandbox/faults", {"calls": {"fault": "fire", "every": 0}, "weather": "rain"},
            method="PUT")
        self.assertEqual(status, 400)
        named = [violation["field"] for detail in error["error"]["details"]
                 for violation in detail.get("fieldViolations", [])]
        self.assertEqual(sorted(named), ["calls.every", "calls.fault", "weather"])

    def test_time_moves_for_all_services_at_once_and_only_for_the_administrator(self):
        _, before = self.call("/sandbox", key="administrator")
        status, _ = self.call("/sandbox/time", {"by": "36h"})
        self.assertEqual(status, 403)
        status, moved = self.call("/sandbox/time", {"by": "36h"}, key="administrator")
        self.assertEqual(status, 200, moved)
        _, after = self.call("/sandbox", key="administrator")
        self.assertEqual(len(set(after["businessTime"].values())), 1)
        self.assertNotEqual(after["businessTime"], before["businessTime"])
        status, error = self.call("/sandbox/time", {"to": "2001-01-01T00:00:00Z"},
                                  key="administrator")
        self.assertEqual(error["error"]["details"][0]["reason"], "TIME_MOVES_FORWARD_ONLY")
        status, error = self.call("/sandbox/time", {"by": "a while"}, key="administrator")
        self.assertEqual(status, 400, error)

    def test_z_it_forgets_what_happened_and_nothing_else(self):
        self.call(f"{COHORT}/applications:submit",
                  {"application": APPLICATION, "requestId": str(uuid.uuid4())})
        self.assertIn("Parcours sandbox", self._run("up"))
        self.assertGreater(len(self.applications()), 3)
        self._run("down")
        self._run("up")
        self.assertGreater(len(self.applications()), 3)
        self._run("reset")
        self.assertEqual(len(self.applications()), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
