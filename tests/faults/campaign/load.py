"""What people do while the system is under fire, each actor in a thread with a
client and chance of its own: the same seed asks for the same, as far as the
answers, which depend on who came first, are the same.
"""

import datetime
import queue
import threading
import time

import stage
from client import GaveUp, version_of

# Of an actor, between two things that it does.
_THINKING = (0.0, 0.02)


def pdf(size, text):
    """A file that the services accept, of about that size."""
    filling = "%" + "x" * 70 + "\n"
    objects = ("1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
               "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
               "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n")
    head = f"%PDF-1.4\n%{text}\n" + filling * (size // len(filling)) + objects
    return (head + "trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n").encode()


class Load:
    """All actors, from `start` until `finish`."""

    def __init__(self, system, history, new_client, seed, members):
        self.system, self.history, self.seed = system, history, seed
        self.members = members
        self._new_client = new_client
        self._ending = threading.Event()
        self._threads = []
        self._clients = []
        self.crashed = []
        # The half-day on which signatures are given, with who is to sign.
        self._to_sign = queue.Queue()

    def start(self):
        for name, actor in [
                *((f"applicant-{i}", self._applies) for i in (1, 2, 3, 4)),
                ("sender", self._sends_files),
                ("desk-1", self._works_at_desk), ("desk-2", self._works_at_desk),
                ("desk-3", self._works_at_desk),
                ("signer-1", self._signs), ("signer-2", self._signs),
                ("conductor", self._conducts), ("jury", self._judges),
                ("reader", self._reads), ("rosters", self._looks_at_rosters),
                *((f"follower-{service}", self._follows)
                  for service in self.system.replicas)]:
            client = self._new_client(name)
            self._clients.append(client)
            thread = threading.Thread(target=self._live, args=(actor, client), name=name)
            self._threads.append(thread)
            thread.start()

    def _live(self, actor, client):
        try:
            actor(client)
        except GaveUp:
            pass
        # What is wrong with an actor must be seen, and not end the run quietly.
        # pylint: disable-next=broad-except
        except Exception as error:  # noqa: BLE001
            self.crashed.append(f"{client.name}: {error!r}")
            raise

    def finish(self, patience):
        """Nothing new is begun; what is under way is asked for until it is known."""
        self._ending.set()
        for client in self._clients:
            client.limit = time.monotonic() + patience
        for thread in self._threads:
            thread.join()
        for client in self._clients:
            client.close()

    def _goes_on(self, client):
        time.sleep(client.random.uniform(*_THINKING))
        return not self._ending.is_set()

    def _applies(self, client):
        number = 0
        while self._goes_on(client):
            number += 1
            stage.submit(client, stage.ARRIVALS, f"{client.name}.{number}@example.org")
            # Crowds come and go: the waiting list is to be answered as well.
            if number % 5 == 0:
                self._ending.wait(client.random.uniform(0.2, 0.6))

    def _sends_files(self, client):
        number = 0
        while self._goes_on(client):
            number += 1
            data = pdf(client.random.choice((500, 70_000, 200_000)), f"{client.name} {number}")
            upload = client.upload("enrolment", stage.BODY, data)
            if upload is not None:
                stage.submit(client, stage.FILES, f"{client.name}.{number}@example.org",
                             [{"kind": "PIECE_KIND_LETTER", "upload": upload}])

    # Desks share the applications by their names and answer each as chance says.

    def _works_at_desk(self, client):
        mine = int(client.name[-1]) - 1
        dealt_with = set()
        while self._goes_on(client):
            cohort = client.random.choice((stage.ARRIVALS, stage.ARRIVALS, stage.FILES))
            for application in client.read_all("enrolment", "ListApplications", parent=cohort,
                                               order_by="rank"):
                place = word(application, "place_state", "PLACE_STATE_")
                review = word(application, "review_state", "REVIEW_STATE_")
                stands = (application.name, place, review)
                if self._ending.is_set():
                    return
                if sum(application.name.encode()) % 3 == mine and stands not in dealt_with:
                    dealt_with.add(stands)
                    self._deals_with(client, application.name, place, review)

    def _deals_with(self, client, name, place, review):
        """What comes next for an application that stands so; once, if at all."""
        chance = client.random.random()
        if review in ("REFUSED", "WITHDRAWN") or place == "RELEASED":
            return
        if place == "OFFERED":
            if chance < 0.5:
                client.change("enrolment", "AcceptOffer", name=name, at_own_cost=True)
            elif chance < 0.75:
                client.change("enrolment", "DeclineOffer", name=name)
            # Else it runs out.
        elif place == "CONFIRMED":
            if chance < 0.4:
                for agreement in client.read_all("enrolment", "ListAgreements",
                                                 parent=stage.BODY, application=name):
                    if word(agreement, "state", "STATE_") in ("SIGNED", "BINDING"):
                        client.change("enrolment", "WithdrawFromAgreement", name=agreement.name)
        elif chance < 0.12:
            client.change("enrolment", "WithdrawApplication", name=name)
        elif review == "RECEIVED" and chance < 0.2:
            client.change("enrolment", "RefuseApplication", name=name,
                          decider="Coordinatrice Fictive", reason="Projet trop éloigné.")
        elif review == "RECEIVED" and (place == "HELD" or chance < 0.7):
            stage.admit(client, name)
        elif place == "HELD" and chance < 0.8:
            agreement = stage.draw_up(client, name)
            if agreement is not None and stage.sign(client, agreement.name) is not None:
                stage.confirm(client, name)
        # Else the commitment never comes, and the place lapses.

    # The class: a half-day after the other, and business time with them.

    def _conducts(self, client):
        learners = [one.person for one in client.read_all("enrolment", "ListEnrolments",
                                                          parent=stage.CLASS)]
        half_days = client.read_all("scheduling", "ListHalfDays", parent=stage.CLASS)
        for half_day in sorted(half_days, key=lambda one: one.start_time.ToJsonString()):
            if not self._goes_on(client):
                return
            start = half_day.start_time.ToDatetime(datetime.timezone.utc)
            end = half_day.end_time.ToDatetime(datetime.timezone.utc)
            stage.move_to(client, _later(start, 5))
            for person in client.random.sample(learners, len(learners)):
                self._to_sign.put((half_day.name, person))
            # A class lasts until nearly all have signed.
            self._ending.wait(0.8)
            waited = time.monotonic()
            while not self._to_sign.empty() and not self._ending.is_set() and \
                    time.monotonic() - waited < 2.0:
                self._ending.wait(0.05)
            stage.move_to(client, _later(end, 5))
            for trainer in half_day.trainers:
                _sign(client, half_day.name, trainer.person, "TRAINER", "TRAINER_DEVICE")
            client.change("scheduling", "CloseAttendanceSheet", name=half_day.name + "/sheet",
                          mark_missing_absent=True)
            if client.random.random() < 0.3:
                # A second look, by others who want it closed as well.
                client.change("scheduling", "CloseAttendanceSheet",
                              name=half_day.name + "/sheet", mark_missing_absent=True)

    def _signs(self, client):
        while not self._ending.is_set():
            try:
                half_day, person = self._to_sign.get(timeout=0.05)
            except queue.Empty:
                continue
            entry = _sign(client, half_day, person, "LEARNER", "PERSONAL_LINK")
            if entry is not None and client.random.random() < 0.15:
                client.change("scheduling", "CorrectAttendanceEntry", name=entry.name,
                              asked={"name": None}, status="ATTENDANCE_STATUS_ABSENT",
                              reason="Signé par erreur.")
            if client.random.random() < 0.1:
                # Signs again, being unsure: refused.
                _sign(client, half_day, person, "LEARNER", "PERSONAL_LINK")

    # Three juries one after the other; decisions change until the minutes close.

    def _judges(self, client):
        for cohort in stage.JURIES:
            jury = cohort + "/juries/jury"
            client.change("evaluation", "OpenJury", name=jury, present_members=self.members)
            candidates = client.read_all("evaluation", "ListJuryCandidates", parent=jury)
            for candidate in candidates * 2:
                if not self._goes_on(client):
                    break
                self._ending.wait(client.random.uniform(0.05, 0.35))
                outcome = client.random.choice(("AWARDED", "AWARDED", "DEFERRED", "REFUSED"))
                client.change("evaluation", "RecordDecision", parent=jury, decision={
                    "enrolment": candidate.enrolment, "outcome": f"OUTCOME_{outcome}",
                    "reason": "" if outcome == "AWARDED" else "Délibération fictive."})
            client.change("evaluation", "CloseMinutes", name=jury)
            if self._ending.is_set():
                return

    # Those who only look.

    def _reads(self, client):
        """Programmes come from caches. Who sends back the position of the feed that
        told of a version is never answered with an older one, by any replica."""
        changes, token, known = 0, "", 0
        while self._goes_on(client):
            cohort = client.random.choice((stage.ARRIVALS, stage.FILES))
            invoke = time.monotonic()
            seen = client.read("enrolment", "GetCohort", name=cohort)
            if seen is not None:
                self.history.observe("cohort", "enrolment", invoke,
                                     {"name": cohort, "held_count": seen.held_count})
            if client.random.random() < 0.3:
                changes += 1
                client.change("enrolment", "UpdateProgramme", programme={
                    "name": stage.READ, "display_name": f"Programme fictif {changes}"},
                    update_mask={"paths": ["display_name"]})
            told = client.read("enrolment", "ListChanges", after_token=token, page_size=1000,
                               filter={"kinds": ["programme"]})
            if told is None:
                return
            token = told.next_token or token
            known = max([known, *(one.version for one in told.changes
                                  if one.resource == stage.READ)])
            for _ in range(3):
                invoke = time.monotonic()
                answer = client.read("enrolment", "GetProgramme", name=stage.READ,
                                     metadata=[("parcours-feed-token", token)])
                if answer is not None:
                    self.history.observe("read", "enrolment", invoke, {
                        "name": stage.READ, "version": version_of(answer.etag),
                        "known": known})

    def _follows(self, client):
        service, token = client.name.partition("-")[2], ""
        while True:
            # One look after the last change, so that nothing is missed.
            last = self._ending.is_set()
            invoke = time.monotonic()
            answer = client.read(service, "ListChanges", after_token=token, page_size=200)
            if answer is None:
                return
            token = answer.next_token or token
            self.history.observe("feed", service, invoke, {
                "rows": [row_of(one) for one in answer.changes], "head": answer.head_position})
            if last and not answer.more:
                return
            if not answer.more:
                self._ending.wait(0.1)

    def _looks_at_rosters(self, client):
        while self._goes_on(client):
            for service in ("scheduling", "evaluation"):
                for cohort in (stage.ARRIVALS, stage.FILES):
                    invoke = time.monotonic()
                    entries = client.read_all(service, "ListRosterEntries", parent=cohort)
                    self.history.observe("roster", service, invoke, {
                        "enrolments": [one.enrolment for one in entries]})
            self._ending.wait(0.2)


def word(message, field, prefix):
    """The value of an enum without its prefix."""
    described = message.DESCRIPTOR.fields_by_name[field].enum_type
    return described.values_by_number[getattr(message, field)].name[len(prefix):]


def _later(time_, minutes):
    later = time_ + datetime.timedelta(minutes=minutes)
    return later.isoformat().replace("+00:00", "Z")


def _sign(client, half_day, person, role, means):
    return client.change("scheduling", "CreateAttendanceEntry", parent=half_day,
                         attendance_entry={"signer": person, "signer_role": f"SIGNER_ROLE_{role}",
                                           "status": "ATTENDANCE_STATUS_PRESENT",
                                           "means": f"MEANS_{means}"})


def row_of(change):
    """A change of a feed, for the history."""
    return {"position": change.position, "kind": change.kind, "resource": change.resource,
            "version": change.version, "cause": change.cause, "removed": change.removed}
