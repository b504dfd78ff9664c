"""Walks every method for every role, on what is the caller's own, on what is
another's of the same body and on what is another body's, and holds the answers
against the contract that docs/access.md is generated from.

usage: access_walk_test.py BINARIES   the folder of a build, as build/asan
"""

import pathlib
import sys
import unittest

import grpc
from google.protobuf import text_format

from contract import Contract, is_map, is_message, is_repeated
from simulation import Simulation

BINARIES = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path("build/release")

BODY = "bodies/opale"
OTHER_BODY = "bodies/exemple"
ROLES = ("COORDINATOR", "ADMISSIONS", "ACCOUNTANT", "PEDAGOGICAL_DIRECTOR", "TRAINER", "TUTOR",
         "DISABILITY_CONTACT", "LEARNER", "EMPLOYER_CONTACT", "READER", "JURY_MEMBER",
         "CERTIFIER", "FUNDER", "STEERING_READER", "AUDITOR", "SERVICE", "ADMINISTRATOR")
WITHOUT_BODY = ("SERVICE", "ADMINISTRATOR")
STALE_ETAG = '"v999999"'
DENIED = grpc.StatusCode.PERMISSION_DENIED
OK = grpc.StatusCode.OK


def identifier_of(name):
    return name.rsplit("/", 1)[1]


class World:
    """What an administrator sees of one body, sorted by whom it is about."""

    def __init__(self, simulation, body):
        self.simulation, self.body = simulation, body
        self.cohort = self.all("ListCohorts", parent=body)[0].name
        self.enrolments = self.all("ListEnrolments", parent=self.cohort)
        self.applications = {a.name: a for a in self.all("ListApplications", parent=self.cohort)}
        self.agreements = self.all("ListAgreements", parent=body)
        self.half_days = self.all("ListHalfDays", parent=self.cohort)
        self.entries = {h.name: self.all("ListAttendanceEntries", parent=h.name)
                        for h in self.half_days}
        self.juries = self.all("ListJuries", parent=self.cohort)
        self.notes = {n.enrolment: n for n in self.all("ListValidationNotes", parent=self.cohort)}
        self.readers = {n.name: self.all("ListNoteReaders", parent=n.name)
                        for n in self.notes.values()}
        self.results = {r.enrolment: r for r in self.all("ListResults", parent=self.cohort)}
        self.certificates = {c.enrolment: c for c in self.all("ListCertificates", parent=body)}
        self.venues = self.all("ListVenues", parent=body)
        self.conflicts = self.all("ListConflicts", parent=self.cohort)
        self.appeals = self.all("ListAppeals", parent=self.cohort)
        self.erasures = self.all("ListErasures", parent=body)

    def all(self, method, **fields):
        return self.simulation.list_all(method, **fields)

    def shared(self):
        """What belongs to nobody in particular."""
        venue = self.venues[0].name if self.venues else f"{self.body}/venues/none"
        rooms = self.all("ListRooms", parent=venue) if self.venues else []
        versions = self.all("ListCalendarVersions", parent=self.cohort)
        jury = self.juries[0].name if self.juries else f"{self.cohort}/juries/none"
        return {
            "Body": self.body, "Cohort": self.cohort,
            "Programme": self.all("ListProgrammes", parent=self.body)[0].name,
            "Calendar": f"{self.cohort}/calendar",
            "CalendarVersion": versions[0].name if versions else
                               f"{self.cohort}/calendarVersions/1",
            "AssessmentPlan": f"{self.cohort}/assessmentPlan",
            "Venue": venue, "Room": rooms[0].name if rooms else f"{venue}/rooms/none",
            "Jury": jury, "Minutes": f"{jury}/minutes",
            "ApiClient": f"{self.body}/apiClients/marche",
            "Erasure": self.erasures[0].name if self.erasures else f"{self.body}/erasures/none",
        }

    def file(self, enrolment, half_day=None):
        """The names of everything about one participation, by type."""
        names = self.shared()
        identifier = identifier_of(enrolment.name)
        entry = next(((h, e) for h, entries in self.entries.items() for e in entries
                      if e.enrolment == enrolment.name and half_day in (None, h)), None)
        day = half_day or (entry[0] if entry else self.half_days[0].name)
        note = self.notes.get(enrolment.name)
        note_name = note.name if note else f"{self.cohort}/validationNotes/{identifier}"
        readers = self.readers.get(note_name, [])
        result = self.results.get(enrolment.name)
        certificate = self.certificates.get(enrolment.name)
        decision = result.decision if result else ""
        agreement = next((a.name for a in self.agreements
                          if a.application == enrolment.application), None)
        appeal = next((a.name for a in self.appeals if a.decision == decision), None)
        conflict = next((c.name for c in self.conflicts if c.enrolment == enrolment.name), None)
        names.update({
            "Enrolment": enrolment.name, "Application": enrolment.application,
            "Person": enrolment.person,
            "Organisation": enrolment.organisation or f"{self.body}/organisations/none",
            "Agreement": agreement or f"{self.body}/agreements/none",
            "RosterEntry": f"{self.cohort}/rosterEntries/{identifier}",
            "HalfDay": day, "AttendanceSheet": f"{day}/sheet",
            "AttendanceEntry": entry[1].name if entry else f"{day}/attendanceEntries/none",
            "AttendanceSummary": f"{enrolment.name}/attendanceSummary",
            "CompletionRecord": f"{self.cohort}/completionRecords/{identifier}",
            "ValidationNote": note_name,
            "NoteVersion": self.all("ListNoteVersions", parent=note_name)[0].name if note else
                           f"{note_name}/versions/none",
            "NoteReader": readers[0].name if readers else f"{note_name}/readers/none",
            "Result": result.name if result else f"{self.cohort}/results/{identifier}",
            "Certificate": certificate.name if certificate else f"{self.body}/certificates/none",
            "Decision": decision or f"{names['Jury']}/decisions/none",
            "Appeal": appeal or f"{self.cohort}/appeals/none",
            "Conflict": conflict or f"{self.cohort}/conflicts/none",
            "Upload": f"{self.body}/uploads/none",
        })
        return names


class Caller:
    """Somebody with one role: their token, what is theirs and what is not."""

    def __init__(self, role, token, own=None, foreign=None, markers=()):
        self.role, self.token, self.own, self.foreign = role, token, own, foreign
        # One of these stands in everything that is theirs.
        self.markers = [marker for marker in markers if marker]


class AccessWalkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.contract = Contract()
        cls.simulation = Simulation(BINARIES, cls.contract)
        cls.addClassCleanup(cls.simulation.stop)
        cls.simulation.live(["programmes/culture-ess-2026.txtpb",
                             "programmes/culture-ess-2026.fictitious.txtpb"])
        cls.add_what_the_demonstration_lacks()
        cls.simulation.live_later("programmes/atelier-gouvernance-2026.txtpb", years=11)
        cls.world = World(cls.simulation, BODY)
        other = World(cls.simulation, OTHER_BODY)
        cls.other = other.file(other.enrolments[0])
        cls.callers = cls.make_callers()

    @classmethod
    def add_what_the_demonstration_lacks(cls):
        """A second jury, conflicts of interest, readers, appeals, a room, and somebody
        who was erased."""
        world = World(cls.simulation, BODY)
        passing = cls.simulation.make("CreatePerson", parent=BODY, person={
            "given_name": "Passante", "family_name": "Fictive", "email": "passante@exemple.fr"})
        cls.simulation.make("ErasePerson", person=passing.name, ground=1)
        cls.simulation.make("CreateRoom", parent=world.venues[0].name, room_id="grande-salle",
                            room={"display_name": "Grande salle"})
        cls.simulation.make("CreateApiClient", parent=BODY, api_client_id="marche", api_client={
            "display_name": "Programme d’essai", "purpose": "Parcourir toutes les méthodes.",
            "contact": {"name": "Contact d’essai", "email": "essai@exemple.fr"},
            "roles": [13], "funder_id": "afdas", "calls_per_minute": 60,
            "expire_time": {"seconds": 2_208_988_800}})
        # Who holds which place is a race: whom the walk is about is chosen from it.
        full = [e for e in world.enrolments if e.name in world.certificates]
        learner = next(e for e in full if e.organisation)
        stranger = next(e for e in full if e.organisation != learner.organisation and
                        e.funder_id != learner.funder_id)
        cls.learner, cls.stranger = learner.name, stranger.name
        for enrolment in (learner, stranger):
            cls.simulation.make("LodgeAppeal", parent=world.cohort, appeal={
                "decision": world.results[enrolment.name].decision, "ground": 1,
                "statement": "Erreur matérielle."})
        members = [m.person for m in world.juries[0].members]
        people = [p for p in world.all("ListPersons", parent=BODY)
                  if p.name not in members and not p.HasField("erase_time")]
        date = {"year": 2038, "month": 1, "day": 15}
        cls.simulation.make("CreateJury", parent=world.cohort, jury={
            "session_date": date, "place": "Paris",
            "members": [{"person": p.name, "person_display_name": "Membre de plus",
                         "role": 1 if i == 0 else 2} for i, p in enumerate(people[:3])]})
        for enrolment, reader in ((learner, people[3]), (stranger, people[4])):
            note = world.notes[enrolment.name]
            cls.simulation.make("AssignReader", parent=note.name, reader={
                "person": reader.name, "person_display_name": "Lectrice ou lecteur"})
        for member, enrolment in ((members[0], learner), (people[0].name, stranger)):
            cls.simulation.make("DeclareConflict", parent=world.cohort, conflict={
                "person": member, "enrolment": enrolment.name, "category": 1})

    @classmethod
    def make_callers(cls):
        world, mint = cls.world, cls.simulation.mint
        full = [e for e in world.enrolments if e.name in world.certificates]
        learner = next(e for e in full if e.name == cls.learner)
        stranger = next(e for e in full if e.name == cls.stranger)
        callers = {}
        uploads = {}

        def upload(token):
            code, answer, error = cls.simulation.send(*cls.simulation.methods["CreateUpload"],
                cls.contract.message("parcours.platform.v1.CreateUploadRequest", parent=BODY,
                                     upload={"byte_size": 1, "content_type": "application/pdf"}),
                token)
            return answer.name if code == OK else f"{BODY}/uploads/none"

        for role in ROLES:
            body = None if role in WITHOUT_BODY else BODY
            token = mint(role, body=body)
            uploads[role] = upload(token)
            callers[role] = Caller(role, token,
                                   own=world.file(learner) | {"Upload": uploads[role]},
                                   foreign=world.file(stranger))

        def owner(role, own, foreign, markers, **claims):
            token = mint(role, body=BODY, **claims)
            own, foreign = (own | {"Upload": upload(token)},
                            foreign | {"Upload": uploads["COORDINATOR"]})
            callers[role] = Caller(role, token, own, foreign, markers)

        owner("LEARNER", world.file(learner), world.file(stranger),
              [learner.person, learner.application, identifier_of(learner.name)],
              person=learner.person)
        employed = next(e for e in full if e.organisation)
        colleague = next(e for e in full if e.organisation != employed.organisation)
        staff = [e for e in world.enrolments if e.organisation == employed.organisation]
        owner("EMPLOYER_CONTACT", world.file(employed), world.file(colleague),
              [employed.organisation, *(e.name for e in staff)],
              organisation=employed.organisation)
        funded = next(e for e in full if e.funder_id)
        unfunded = next(e for e in full if e.funder_id != funded.funder_id)
        paid = [e for e in world.enrolments if e.funder_id == funded.funder_id]
        owner("FUNDER", world.file(funded), world.file(unfunded),
              [f'funder_id: "{funded.funder_id}"', *(e.name for e in paid)],
              funder=funded.funder_id)

        day = next(h for h in world.half_days if h.trainers)
        trainer = day.trainers[0].person
        taught = [h.name for h in world.half_days if trainer in {t.person for t in h.trainers}]
        absent = next(h for h in world.half_days if h.name not in taught)
        own = world.file(learner, day.name) | {"Person": trainer}
        foreign = world.file(stranger, absent.name)
        owner("TRAINER", own, foreign, [*taught, "rosterEntries"], person=trainer)

        note = world.notes[learner.name]
        reader = world.readers[note.name][0]
        unread = next(e for e in full if reader.person not in
                      {r.person for r in world.readers[world.notes[e.name].name]})
        read = [n.name for n in world.notes.values()
                if reader.person in {r.person for r in world.readers[n.name]}]
        owner("READER", world.file(learner) | {"Person": reader.person, "NoteReader": reader.name},
              world.file(unread), read, person=reader.person)

        jury, second = world.juries[0], world.juries[1]
        if len(jury.members) == 0 or not jury.candidates:
            jury, second = second, jury
        member = jury.members[0].person
        # Only these two have an appeal and a reader.
        candidate = next(e for e in (learner, stranger) if e.name in jury.candidates)
        outside = next(e for e in world.enrolments if e.name not in jury.candidates)
        own = world.file(candidate) | {"Jury": jury.name, "Minutes": f"{jury.name}/minutes",
                                       "Person": member}
        conflict = next(c for c in world.conflicts if c.person == member)
        own |= {"Conflict": conflict.name}
        foreign = world.file(outside) | {"Jury": second.name, "Minutes": f"{second.name}/minutes",
                                         "Decision": f"{second.name}/decisions/none"}
        owner("JURY_MEMBER", own, foreign,
              [jury.name, member, *map(identifier_of, jury.candidates)], person=member)
        return callers

    # What is sent.

    def request(self, method, names):
        request = self.contract.message(method.input_type.full_name)
        self.fill(request, names, creates=method.name.startswith(("Create", "Declare", "Lodge",
                                                                  "Assign", "Record", "Submit")))
        overrides = getattr(self, f"_complete_{method.name}", None)
        if overrides is not None:
            overrides(request, names)
        return request

    def fill(self, message, names, creates, top=True):
        resource = self.contract.resource_of(message.DESCRIPTOR)
        for field in message.DESCRIPTOR.fields:
            if field.name == "etag" and not creates:
                message.etag = STALE_ETAG
            elif field.name == "name" and resource and not top:
                if not creates:
                    message.name = names[resource]
            elif field.name in ("name", "parent") or self.contract.is_required(field):
                self.fill_field(message, field, names, creates)
            elif is_message(field) and top and field.message_type.file.package.startswith(
                    "parcours.") and self.contract.resource_of(field.message_type):
                self.fill(getattr(message, field.name), names, creates, top=False)

    def fill_field(self, message, field, names, creates):
        type_name, children = self.contract.reference(field)
        if is_map(field):
            return
        if is_message(field):
            value = (getattr(message, field.name).add() if is_repeated(field)
                     else getattr(message, field.name))
            if field.message_type.full_name == "google.type.Date":
                value.year, value.month, value.day = 2038, 1, 15
            elif field.message_type.full_name == "google.type.TimeOfDay":
                value.hours = 10 if "start" in field.name else 12
            elif field.message_type.full_name == "google.protobuf.Timestamp":
                value.GetCurrentTime()
            else:
                value.SetInParent()
                self.fill(value, names, creates, top=False)
            return
        if type_name:
            short = type_name.rsplit("/", 1)[1]
            # A child's type stands for whatever its parent is.
            value = self.parent_of(names, short) if children else names[short]
        elif field.enum_type is not None:
            value = field.enum_type.values[1].number
        elif field.cpp_type == field.CPPTYPE_STRING:
            value = self.contract.sample(field)
        elif field.cpp_type == field.CPPTYPE_BOOL:
            value = True
        else:
            value = max(1, self.contract.field_option(field, "parcours.type.v1.rules").minimum)
        if is_repeated(field):
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)

    @staticmethod
    def parent_of(names, child):
        """The parent of resources of a type, as "bodies/opale" for a Programme."""
        name = names[child] if child in names else f"{names['Cohort']}/children/none"
        return name.rsplit("/", 2)[0] if child not in ("Minutes",) else name.rsplit("/", 1)[0]

    def _complete_CreateCohort(self, request, names):
        cohort = request.cohort
        for field, month in (("application_open_date", 1), ("application_close_date", 2),
                             ("entry_cutoff_date", 3), ("start_date", 3), ("end_date", 6)):
            getattr(cohort, field).month = month
        cohort.time_zone = "Europe/Paris"

    _complete_UpdateCohort = _complete_CreateCohort

    def _complete_CreateBody(self, request, names):
        request.body.time_zone = "Europe/Paris"

    def _complete_UpdateBody(self, request, names):
        request.body.time_zone = "Europe/Paris"

    def _complete_LodgeAppeal(self, request, names):
        request.appeal.statement = "Erreur matérielle."

    def _complete_VerifyCertificate(self, request, names):
        certificate = next(c for c in self.world.certificates.values() if c.number and c.code)
        request.number, request.code = certificate.number, certificate.code

    def _complete_WriteUpload(self, request, names):
        request.data = b"x"

    # What is expected.

    def is_denied(self, caller, method, code, answer, error):
        """Whether nothing of others was given: refused, a list without it, or a
        reference that names nothing."""
        if code == DENIED:
            return True
        if code == OK and method.name.startswith("List"):
            return all(self.is_own(caller, item) for item in self.items(answer))
        if code == grpc.StatusCode.INVALID_ARGUMENT:
            reasons = self.contract.reasons(error)
            return "UNKNOWN_REFERENCE" in " ".join(reasons)
        return False

    @staticmethod
    def items(answer):
        return [item for field, value in answer.ListFields() if is_repeated(field)
                for item in value]

    def send(self, caller, service, method, names):
        return self.simulation.send(service, method, self.request(method, names), caller.token)

    def label(self, caller, service, method, code, error):
        reasons = self.contract.reasons(error) if error is not None else ""
        return f"{service.full_name}.{method.name} as {caller.role}: {code} {reasons}"

    def test_1_nobody_without_a_credential_gets_anything_but_what_is_public(self):
        public = []
        for service, method in self.contract.methods():
            if "PUBLIC" in self.contract.grants(method):
                public.append(method.name)
                continue
            code, _, error = self.simulation.send(
                service, method, self.request(method, self.callers["LEARNER"].own), None)
            with self.subTest(method=method.name):
                self.assertEqual(grpc.StatusCode.UNAUTHENTICATED, code)
        self.assertIn("VerifyCertificate", public)

    def test_2_what_is_not_granted_is_refused_and_changes_nothing(self):
        before = self.simulation.heads()
        refused = 0
        for service, method in self.contract.methods():
            grants = self.contract.grants(method)
            for role in ROLES:
                caller = self.callers[role]
                scope = grants.get(role)
                if role == "ADMINISTRATOR" or (role in WITHOUT_BODY and scope) or \
                        "PUBLIC" in grants:
                    continue
                targets = {"other": self.other}
                if scope is None:
                    targets |= {"own": caller.own, "foreign": caller.foreign}
                elif scope == "OWN" and not self.only_about_the_cohort(method):
                    targets["foreign"] = caller.foreign
                for target, names in targets.items():
                    if scope and not self.names_a_body(method):
                        continue
                    code, answer, error = self.send(caller, service, method, names)
                    refused += 1
                    with self.subTest(method=method.name, role=role, target=target):
                        if scope is None:
                            self.assertEqual(DENIED, code,
                                             self.label(caller, service, method, code, error))
                        else:
                            self.assertTrue(
                                self.is_denied(caller, method, code, answer, error),
                                self.label(caller, service, method, code, error) + f" {answer}")
        self.assertGreater(refused, 2000)
        self.assertEqual(before, self.simulation.heads(), "a refused call has changed something")

    def test_3_what_is_granted_is_given(self):
        given = 0
        methods = sorted(self.contract.methods(),
                         key=lambda pair: not self.contract.only_reads(pair[1]))
        for service, method in methods:
            grants = self.contract.grants(method)
            if method.name == "IssueToken":
                continue  # Its permission is a secret that the request carries.
            for role in ROLES:
                caller = self.callers[role]
                scope = "INSTALLATION" if role == "ADMINISTRATOR" else grants.get(role)
                if scope is None:
                    continue
                code, answer, error = self.send(caller, service, method, caller.own)
                given += 1
                with self.subTest(method=method.name, role=role):
                    label = self.label(caller, service, method, code, error)
                    self.assertNotIn(code, (DENIED, grpc.StatusCode.UNAUTHENTICATED), label)
                    self.assertNotIn(code, (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN),
                                     label)
                    if code == grpc.StatusCode.INVALID_ARGUMENT:
                        self.assertIn(method.name, self.invalid_by_design, label)
                    if code == OK and scope == "OWN" and method.name.startswith("List"):
                        self.check_own(caller, method, answer, label)
        self.assertGreater(given, 400)

    def test_4_who_pays_sees_neither_reasons_nor_how_somebody_signed(self):
        service, method = self.simulation.methods["ListAttendanceEntries"]
        hidden = ("reason", "statement", "witness", "means")

        def shown(role):
            """How many entries a role sees, and which hidden fields have a value."""
            count, fields = 0, set()
            for half_day in self.world.half_days:
                request = self.contract.message(method.input_type.full_name,
                                                parent=half_day.name, page_size=500)
                code, answer, _ = self.simulation.send(service, method, request,
                                                       self.callers[role].token)
                self.assertEqual(OK, code)
                for entry in answer.attendance_entries:
                    count += 1
                    self.assertTrue(entry.status)
                    fields |= {name for name in hidden if getattr(entry, name)}
            return count, fields

        everything, fields = shown("COORDINATOR")
        self.assertLessEqual({"reason", "means"}, fields)
        for role in ("EMPLOYER_CONTACT", "FUNDER"):
            with self.subTest(role=role):
                count, fields = shown(role)
                self.assertGreater(count, 0)
                self.assertLess(count, everything)
                self.assertEqual(set(), fields)

    # Calls that a made-up request cannot make valid: what is checked before the
    # scope has been looked at is the contract alone, or comes after the scope.
    invalid_by_design = {
        "CreateProgramme", "UpdateProgramme", "CreateCohort", "UpdateCohort", "CreateJury",
        "UpdateJury", "UpdateHalfDay", "SubmitApplication", "CreateAttendanceEntry",
        "UpdateAssessmentPlan", "AttachPiece", "SubmitNoteVersion", "OpenJury", "RecordDecision",
        "CreateOrganisation", "UpdateOrganisation", "CreateVenue", "UpdateVenue", "CreateRoom",
        "UpdateRoom", "CreateUpload", "WriteUpload", "AdvanceTime", "CompareCalendarVersions",
        "RecordCertifierNumber", "AdaptNote", "LodgeAppeal", "CreateBody", "UpdateBody",
        "CreatePerson", "UpdatePerson", "ChangePayer", "DecideCohort", "EndEnrolment",
        "ReplaceLearner", "CreateAgreement", "DeclareConflict", "AssignReader",
        "CreateCompletionRecord", "CorrectAttendanceEntry", "CreateApiClient", "UpdateApiClient",
    }

    def check_own(self, caller, method, answer, label):
        items = self.items(answer)
        if method.name not in ("ListAppeals", "ListConflicts", "ListAttendanceEntries"):
            self.assertTrue(items, f"{label}: nothing of their own")
        for item in items:
            self.assertTrue(self.is_own(caller, item), f"{label}: not their own: {item}")

    @staticmethod
    def is_own(caller, item):
        text = text_format.MessageToString(item)
        return any(marker in text for marker in caller.markers)

    def only_about_the_cohort(self, method):
        """Lists and creations that name no more than a body or a cohort: what is
        another's shows in what they give, not in whom they are asked for."""
        types = {self.contract.reference(field)[0].rsplit("/", 1)[-1]
                 for field in self.fields(method.input_type)
                 if field.name in ("name", "parent") or self.contract.is_required(field)}
        return not (types - {"", "Body", "Cohort", "Programme"})

    def fields(self, message, depth=0):
        for field in message.fields:
            yield field
            if depth < 1 and is_message(field) and not is_map(field) and \
                    field.message_type.file.package.startswith("parcours.") and \
                    (self.contract.is_required(field) or
                     self.contract.resource_of(field.message_type)):
                yield from self.fields(field.message_type, depth + 1)

    def names_a_body(self, method):
        return any(self.contract.reference(field)[0] for field in self.fields(method.input_type))


if __name__ == "__main__":
    unittest.main(verbosity=2)
