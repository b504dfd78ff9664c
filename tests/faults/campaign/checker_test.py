"""The checker refuses what is planted in a good history, by the right name, and
nothing in the good one.
"""

import copy
import unittest

import checker

COHORT = "bodies/fictif/cohorts/arrivees"
JURY = "bodies/fictif/cohorts/jury-1/juries/jury"
HALF_DAY = "bodies/fictif/cohorts/classe/halfDays/20260302-morning"


class GoodRun:
    """Four candidates for two places, one of whom is confirmed and certified, and
    a half-day that two people sign. Every change takes a second, the next begins
    half a second later, and each is in feed and audit trail."""

    def __init__(self):
        self.now = 100.0
        self.history = {"operations": [], "observations": [], "faults": []}
        self.state = {"cohorts": [{"name": COHORT, "capacity": 2, "held_count": 2,
                                   "waitlisted_count": 2}],
                      "applications": [], "agreements": [], "enrolments": [], "entries": [],
                      "decisions": [], "certificates": [], "rosters": {}, "chains": [],
                      "feeds": {"enrolment": [], "scheduling": [], "evaluation": []},
                      "audit": {"enrolment": [], "scheduling": [], "evaluation": []}}
        self.apply()
        self.confirm()
        self.attend()
        self.decide()
        self.look()

    def change(self, service, method, asked, said, also=()):
        """An operation that was acknowledged, and what it left behind."""
        number = len(self.history["operations"]) + 1
        request_id = f"request-{number}"
        self.history["operations"].append({
            "number": number, "client": "client", "service": service, "method": method,
            "request_id": request_id, "asked": asked, "invoke": self.now, "reply": self.now + 1,
            "attempts": 1, "outcome": "ok", "code": None, "reasons": [], "doubts": [],
            "said": said})
        self.now += 1.5
        feed = self.state["feeds"][service]
        for name, version in [(said["name"], said.get("version", 1)), *also]:
            feed.append({"position": len(feed) + 1, "kind": "", "resource": name,
                         "version": version, "cause": method, "removed": False})
        audit = self.state["audit"][service]
        audit.append({"position": len(audit) + 1, "request_id": request_id})

    def apply(self):
        for rank in range(1, 5):
            name, email = f"{COHORT}/applications/{rank}", f"candidate.{rank}@example.org"
            place = "HELD" if rank <= 2 else "WAITLISTED"
            self.state["applications"].append(
                {"name": name, "cohort": COHORT, "email": email, "rank": rank, "place": place,
                 "review": "RECEIVED", "version": 1})
            self.change("enrolment", "SubmitApplication", {"cohort": COHORT, "email": email},
                        {"name": name, "version": 1, "rank": rank})

    def confirm(self):
        application = self.state["applications"][0]
        self.change("enrolment", "AdmitApplication", {"name": application["name"]},
                    {"name": application["name"], "version": 2, "rank": 1})
        enrolment = f"{COHORT}/enrolments/1"
        self.change("enrolment", "ConfirmPlace", {}, {"name": enrolment, "version": 1},
                    also=[(application["name"], 3)])
        application.update(version=3, place="CONFIRMED", review="ADMITTED")
        self.state["enrolments"].append({"name": enrolment, "application": application["name"],
                                         "state": "ENROLLED", "version": 1})
        for service in ("scheduling", "evaluation"):
            self.state["rosters"][service] = [
                {"name": f"{COHORT}/rosterEntries/1", "enrolment": enrolment,
                 "state": "ENROLLED"}]

    def attend(self):
        for i in (1, 2):
            name, signer = f"{HALF_DAY}/attendanceEntries/{i}", f"bodies/fictif/persons/{i}"
            self.state["entries"].append({"name": name, "half_day": HALF_DAY, "signer": signer,
                                          "role": "LEARNER", "act": "SIGNATURE", "about": ""})
            self.change("scheduling", "CreateAttendanceEntry", {}, {"name": name})

    def decide(self):
        enrolment = f"{COHORT}/enrolments/1"
        decision, certificate = f"{JURY}/decisions/1", "bodies/fictif/certificates/1"
        self.change("evaluation", "OpenJury", {"name": JURY}, {"name": JURY, "version": 2})
        self.change("evaluation", "RecordDecision", {}, {"name": decision, "version": 1})
        self.change("evaluation", "CloseMinutes", {"name": JURY}, {"name": f"{JURY}/minutes"},
                    also=[(certificate, 1)])
        self.state["decisions"].append({"name": decision, "jury": JURY, "enrolment": enrolment,
                                        "version": 1})
        self.state["certificates"].append({"name": certificate, "number": "2026-1",
                                           "enrolment": enrolment, "decision": decision,
                                           "version": 1})

    def look(self):
        def saw(what, service, seen):
            self.history["observations"].append(
                {"what": what, "service": service, "invoke": self.now, "reply": self.now + 0.1,
                 "seen": seen})
            self.now += 0.2

        rows = copy.deepcopy(self.state["feeds"]["enrolment"])
        saw("feed", "enrolment", {"rows": rows[:3], "head": 3})
        saw("feed", "enrolment", {"rows": rows[3:], "head": len(rows)})
        saw("roster", "scheduling", {"enrolments": [f"{COHORT}/enrolments/1"]})
        saw("feed", "enrolment", {"rows": [], "head": len(rows)})
        saw("cohort", "enrolment", {"name": COHORT, "held_count": 2})
        saw("read", "enrolment", {"name": "bodies/fictif/programmes/arrivees", "version": 2,
                                  "known": 2})
        self.state["chains"] = [{"name": "audit of enrolment", "valid": True, "text": ""}]
        self.history["faults"] = [{"name": "kill enrolment/0", "seconds_to_health": 0.7}]


class CheckerTest(unittest.TestCase):

    def setUp(self):
        run = GoodRun()
        self.history, self.state = run.history, run.state
        self.applications = self.state["applications"]

    def names(self):
        return {one.name for one in checker.violations(self.history, self.state)}

    def operation(self, method):
        return next(one for one in self.history["operations"] if one["method"] == method)

    def test_a_good_run_passes(self):
        self.assertEqual([], checker.violations(self.history, self.state))

    # The five that a checker has to find above all; each is the only thing wrong.

    def test_a_place_too_many(self):
        self.applications[2]["place"] = "HELD"
        self.state["cohorts"][0].update(held_count=3, waitlisted_count=1)
        self.assertEqual({"oversold"}, self.names())

    def test_ranks_that_changed_places(self):
        first, second = self.applications[1], self.applications[2]
        first["rank"], second["rank"] = second["rank"], first["rank"]
        for one in self.history["operations"]:
            if one["said"]["name"] in (first["name"], second["name"]):
                one["said"]["rank"] = 5 - one["said"]["rank"]
        self.assertEqual({"ranks_against_time"}, self.names())

    def test_an_acknowledgement_that_was_lost(self):
        lost = self.applications.pop()
        self.state["cohorts"][0]["waitlisted_count"] = 1
        feed = self.state["feeds"]["enrolment"]
        # As after a database that forgot its last commit: no trace is left.
        self.state["feeds"]["enrolment"] = [row for row in feed
                                            if row["resource"] != lost["name"]]
        for position, row in enumerate(self.state["feeds"]["enrolment"], 1):
            row["position"] = position
        self.history["observations"] = []
        self.state["audit"]["enrolment"] = [row for row in self.state["audit"]["enrolment"]
                                            if row["request_id"] != "request-4"]
        self.assertEqual({"lost"}, self.names())

    def test_a_change_that_was_made_twice(self):
        again = dict(self.applications[3], name=f"{COHORT}/applications/5", rank=5)
        self.applications.append(again)
        self.state["cohorts"][0]["waitlisted_count"] = 3
        feed = self.state["feeds"]["enrolment"]
        feed.append(dict(feed[3], position=len(feed) + 1, resource=again["name"]))
        audit = self.state["audit"]["enrolment"]
        audit.append(dict(audit[3], position=len(audit) + 1))
        self.assertEqual({"doubled"}, self.names())

    def test_a_gap_in_the_feed(self):
        for row in self.state["feeds"]["scheduling"][1:]:
            row["position"] += 1
        self.assertEqual({"feed_gap"}, self.names())

    # The others.

    def test_too_many_places_for_a_moment(self):
        self.history["observations"].append({
            "what": "cohort", "service": "enrolment", "invoke": 1, "reply": 2,
            "seen": {"name": COHORT, "held_count": 3}})
        self.assertEqual({"oversold"}, self.names())

    def test_places_that_are_counted_wrongly(self):
        self.state["cohorts"][0]["held_count"] = 1
        self.assertEqual({"miscounted"}, self.names())

    def test_a_waiting_list_that_is_counted_wrongly(self):
        self.state["cohorts"][0]["waitlisted_count"] = 3
        self.assertEqual({"miscounted"}, self.names())

    def test_ranks(self):
        self.applications[3]["rank"] = 5
        self.assertEqual({"rank_changed", "rank_gap"}, self.names())
        self.applications[3]["rank"] = 3
        self.assertEqual({"rank_changed", "doubled"}, self.names())

    def test_a_change_that_is_only_in_the_answer(self):
        self.operation("AdmitApplication")["said"]["version"] = 7
        self.assertEqual({"lost"}, self.names())

    def test_a_signature_twice(self):
        self.state["entries"][1]["signer"] = self.state["entries"][0]["signer"]
        self.assertEqual({"doubled"}, self.names())

    def test_a_certificate_number_twice(self):
        self.state["certificates"].append(dict(
            self.state["certificates"][0], name="bodies/fictif/certificates/2",
            enrolment=f"{COHORT}/enrolments/2"))
        self.assertEqual({"doubled", "feed_incomplete"}, self.names())

    def test_an_effect_twice(self):
        feed = self.state["feeds"]["enrolment"]
        feed.append(dict(feed[5], position=len(feed) + 1, version=2))
        self.state["enrolments"][0]["version"] = 2
        self.assertEqual({"doubled"}, self.names())

    def test_a_request_that_was_given_another_s_resource(self):
        self.history["operations"][3]["said"] = dict(self.history["operations"][2]["said"])
        self.assertIn("doubled", self.names())

    def test_what_was_refused_and_done(self):
        self.history["operations"][3].update(outcome="refused", said={})
        self.assertEqual({"refused_and_done", "unasked"}, self.names())

    def test_no_answer(self):
        self.history["operations"][3].update(outcome="unknown", said={})
        self.assertEqual({"unanswered"}, self.names())

    def test_an_error_of_the_service_s_own(self):
        self.history["operations"][3]["doubts"] = ["INTERNAL"]
        self.assertEqual({"wrong_error"}, self.names())

    def test_a_service_that_ended_by_itself(self):
        self.history["observations"].append({
            "what": "end", "service": "enrolment", "invoke": 1, "reply": 2,
            "seen": {"name": "enrolment/0", "code": -11}})
        self.assertEqual({"service_ended"}, self.names())

    def test_a_version_that_the_feed_withholds(self):
        self.applications[0]["version"] = 4
        self.assertEqual({"feed_incomplete"}, self.names())

    def test_a_feed_in_another_order(self):
        rows = self.state["feeds"]["enrolment"]
        # The enrolment before its application.
        rows[0]["resource"], rows[5]["resource"] = rows[5]["resource"], rows[0]["resource"]
        rows[0]["cause"], rows[5]["cause"] = rows[5]["cause"], rows[0]["cause"]
        self.history["observations"] = []
        self.assertIn("effect_before_cause", self.names())
        self.assertIn("feed_against_time", self.names())

    def test_a_version_that_comes_again(self):
        self.state["feeds"]["enrolment"][6]["version"] = 1
        self.assertIn("feed_disorder", self.names())

    def test_a_follower_who_was_told_something_else(self):
        self.history["observations"][0]["seen"]["rows"][0]["version"] = 9
        self.assertEqual({"feed_rewritten"}, self.names())
        del self.history["observations"][0]["seen"]["rows"][:2]
        del self.history["observations"][1]["seen"]["rows"][0]
        self.assertEqual({"follower_gap"}, self.names())

    def test_a_roster_ahead_of_its_owner(self):
        looks = [one for one in self.history["observations"] if one["what"] == "feed"]
        looks[-1]["seen"]["head"] = 3
        self.assertEqual({"roster_ahead"}, self.names())

    def test_a_roster_that_is_not_the_enrolments(self):
        self.state["rosters"]["evaluation"][0]["state"] = "STARTED"
        self.assertEqual({"roster_wrong"}, self.names())
        self.state["rosters"]["evaluation"] = []
        self.assertEqual({"roster_wrong"}, self.names())

    def test_an_answer_older_than_what_was_known(self):
        self.history["observations"][-1]["seen"]["known"] = 3
        self.assertEqual({"stale"}, self.names())

    def test_an_audit_trail_that_forgot(self):
        self.state["audit"]["evaluation"].pop()
        self.assertEqual({"lost"}, self.names())

    def test_a_chain_that_was_rewritten(self):
        self.state["chains"][0].update(valid=False, text="REWRITTEN")
        self.assertEqual({"chain_broken"}, self.names())

    def test_a_service_that_stayed_ill(self):
        self.history["faults"][0]["seconds_to_health"] = checker.SECONDS_TO_HEALTH + 0.1
        self.assertEqual({"unhealthy"}, self.names())
        self.history["faults"][0]["seconds_to_health"] = None
        self.assertEqual({"unhealthy"}, self.names())


if __name__ == "__main__":
    unittest.main()
