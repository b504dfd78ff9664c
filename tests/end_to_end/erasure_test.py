"""Lives a cohort in which everything about each candidate bears a mark of theirs,
erases some of them as the law allows it, and looks for their marks everywhere:
in every answer, in every file that is left, and again after old databases have
been put back. Then rotates the master keys.

usage: erasure_test.py BINARIES   the folder of a build, as build/asan
"""

import base64
import collections
import datetime
import hashlib
import http.server
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
import zlib
from contextlib import closing

import grpc
from google.protobuf import json_format

from contract import Contract, is_message, is_repeated
from planting import Planting, mark_of, phone_of
from simulation import SERVICES, Simulation

BINARIES = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path("build/release")
BODY = "bodies/opale"
OK = grpc.StatusCode.OK
PATIENCE = 60
# Past the last hold on anybody of the cohort of 2026.
LATER = datetime.datetime(2037, 1, 10, 12, tzinfo=datetime.timezone.utc)

# What those who are erased must have had, together.
KINDS = {
    "given_name", "family_name", "email", "phone", "birth_name", "external_id", "account",
    "decision_reason", "witness", "statement", "correction_reason", "end_reason", "subject",
    "adaptation", "late_reason", "reader_comments", "jury_reason", "appeal", "appeal_answer",
}
# Columns in which the name of a holder or of a candidate stays, as it must.
STAY = {"certificate": {"holder_display_name"}, "minutes": {"text"}}
# Columns in which an account stands as who called, or whose something was: the
# audit trail is not rewritten, the others are kept for a time only.
ACCOUNTS = {"audit_entry": {"subject"}, "idempotency": {"caller"},
            "change_feed": {"scopes_before", "scopes_after"}}
# Answers in which they stay.
ANSWERS_THAT_STAY = {"ListCertificates", "GetMinutes", "GetJuryPack"}


def spellings(mark):
    """How a mark of letters and digits may stand in bytes."""
    forms = {mark.encode(), mark.upper().encode(), mark.encode("utf-16-le"),
             mark.encode("utf-16-be"), mark.encode().hex().encode(),
             mark.encode().hex().upper().encode()}
    for shift in range(3):
        # Without the characters that depend on what stands beside it.
        encoded = base64.b64encode(b"\0" * shift + mark.encode())
        forms.add(encoded[(0, 2, 3)[shift]:len(encoded) - 4])
    return forms


def inflated(blob):
    """What deflated streams in `blob` hold, as far as they can be opened."""
    for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", blob):
        try:
            yield zlib.decompressobj().decompress(blob[start.start():start.start() + (1 << 20)],
                                                  1 << 20)
        except zlib.error:
            continue


def holds_mark(blob, marks):
    return sorted(mark for mark in marks if any(form in blob for form in spellings(mark)))


class Crawl:
    """Every list of every service, from the bodies down, and what has one of a
    kind below what was found."""

    def __init__(self, simulation, token=None):
        self.simulation, self.contract = simulation, simulation.contract
        self.token = token or simulation.administrator
        self.answers = []                      # (method, parent, message)
        self.items = collections.Counter()     # how many by method
        names, asked = {BODY}, set()
        while True:
            todo = [(m, n) for m in self.methods() for n in self.parents(m[2], names)
                    if (m[0], n) not in asked]
            if not todo:
                break
            for (name, service, _, method, channel), parent in todo:
                asked.add((name, parent))
                names |= self.ask(name, service, method, channel, parent)

    def methods(self):
        """(key, service, pattern, method, channel) of what can be crawled."""
        for service, method in self.contract.methods():
            path = self.contract.option(method, "google.api.http").get
            found = re.fullmatch(r"/v1/\{(parent|name)=([^}]+)\}(?:/\w+)?", path)
            lists = method.name.startswith("List")
            if not lists and not (method.name.startswith("Get") and found and
                                  not found[2].endswith("*")):
                continue
            if lists and not found and method.name not in ("ListBodies", "ListAuditEntries"):
                continue
            package = service.full_name.split(".")[1]
            for channel in SERVICES if package == "platform" else (package,):
                if package == "gateway":
                    continue
                yield (f"{channel}.{method.name}", service, found and found[2], method, channel)

    @staticmethod
    def parents(pattern, names):
        if pattern is None:
            return [""]
        if pattern.endswith("*"):
            known = re.compile(pattern.replace("*", "[^/]+") + "$")
            return [name for name in names if known.match(name)]
        prefix, last = pattern.rsplit("/", 1)
        known = re.compile(prefix.replace("*", "[^/]+") + "$")
        return [f"{name}/{last}" for name in names if known.match(name)]

    def ask(self, key, service, method, channel, parent):
        names, token = set(), ""
        while True:
            request = self.contract.message(method.input_type.full_name)
            fields = method.input_type.fields_by_name
            if parent:
                setattr(request, "parent" if "parent" in fields else "name", parent)
            if "page_token" in fields:
                request.page_size, request.page_token = 500, token
            code, answer, error = self.contract.call(
                self.simulation.channels[channel], service, method, request, self.token)
            if code != OK:
                assert code not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN,
                                    grpc.StatusCode.UNAVAILABLE,
                                    grpc.StatusCode.UNAUTHENTICATED), (key, parent, error)
                return names
            self.answers.append((method.name, parent, answer))
            for field in answer.DESCRIPTOR.fields:
                if is_repeated(field) and is_message(field):
                    self.items[key] += len(getattr(answer, field.name))
                    names |= {item.name for item in getattr(answer, field.name)
                              if "name" in field.message_type.fields_by_name}
            token = getattr(answer, "next_page_token", "")
            if not token:
                return names

    def of(self, method):
        """The items of one kind of list."""
        return [item for name, _, answer in self.answers if name == method
                for field in answer.DESCRIPTOR.fields if is_repeated(field)
                for item in getattr(answer, field.name)]

    def bearing(self, marks, but=()):
        """(method, parent) of the answers in which a mark stands."""
        return sorted({(name, parent) for name, parent, answer in self.answers
                       if name not in but and holds_mark(answer.SerializeToString(), marks)})

    def record(self):
        """How much of what there is, and what it amounts to."""
        figures = {key: count for key, count in self.items.items()
                   if "Audit" not in key and "Erasure" not in key and "Upload" not in key and
                   "LegalHolds" not in key}
        figures["cents"] = sum(a.price_cents for a in self.of("ListAgreements"))
        figures["minutes"] = sorted(
            (s.enrolment, s.due_minutes, s.attended_minutes, s.justified_minutes, s.absent_minutes)
            for s in self.of("ListAttendanceSummaries"))
        figures["outcomes"] = sorted((r.name, r.outcome) for r in self.of("ListResults"))
        figures["states"] = sorted((e.name, e.state) for e in self.of("ListEnrolments"))
        figures["certificates"] = sorted((c.name, c.number, c.holder_display_name, c.code)
                                         for c in self.of("ListCertificates"))
        return figures


class Receiver:
    """A partner's server, which only counts."""

    def __init__(self):
        self.count = 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                receiver.count += 1
                self.send_response(204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class ErasureTest(unittest.TestCase):
    """One installation, from one test to the next."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="parcours-erasure.")
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.work = pathlib.Path(cls.temporary.name)
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.stop)
        cls.contract = Contract()
        cls.simulation = Simulation(BINARIES, cls.contract, "gateway")
        cls.addClassCleanup(cls.simulation.stop)
        cls.follow()
        cls.planting = Planting(cls.simulation)
        try:
            cls.simulation.command(
                "demo", *(f"--{name}_address={address}"
                          for name, address in cls.planting.addresses.items()),
                "--seed=7", "--programme=programmes/culture-ess-2026.txtpb,"
                "programmes/culture-ess-2026.fictitious.txtpb",
                f"--report={cls.work}/report.json")
        finally:
            cls.planting.stop()
        cls.appeal()
        cls.choose()

    @classmethod
    def follow(cls):
        """A partner is told of everything."""
        cls.coordinator = cls.simulation.mint("COORDINATOR", body=BODY)
        webhook = {"url": cls.receiver.url,
                   "contact": {"name": "Contact d’essai", "email": "essai@exemple.fr"}}
        end = time.monotonic() + PATIENCE
        while True:
            try:
                cls.http("POST", f"{BODY}/webhooks", webhook)
                return
            except urllib.error.HTTPError as error:
                if error.code != 503 or time.monotonic() > end:
                    raise AssertionError(error.read()) from error

    @classmethod
    def http(cls, verb, path, body=None):
        request = urllib.request.Request(
            f"http://{cls.simulation.addresses['gateway']}/v1/{path}", method=verb,
            data=None if body is None else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {cls.coordinator}",
                     "content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    @classmethod
    def ask(cls, method, **fields):
        return cls.simulation.ask(method, **fields)

    @classmethod
    def on(cls, channel, name, /, **fields):
        """A call of the platform's to one of the services."""
        service, method = cls.simulation.methods[name]
        request = cls.contract.message(method.input_type.full_name, **fields)
        code, answer, error = cls.contract.call(cls.simulation.channels[channel], service, method,
                                                request, cls.simulation.administrator)
        assert code == OK, (channel, name, cls.contract.reasons(error))
        return answer

    @classmethod
    def appeal(cls):
        """Two who were refused their certificate appeal; the second is not answered."""
        cohort = cls.simulation.list_all("ListCohorts", parent=BODY)[0].name
        cls.appellants = []
        for result in cls.simulation.list_all("ListResults", parent=cohort):
            number = cls.planting.number_of(result.enrolment)
            if not result.decision or len(cls.appellants) == 2:
                continue
            appeal = cls.ask("LodgeAppeal", parent=cohort, appeal={
                "decision": result.decision, "ground": 1,
                "statement": cls.planting.text(number, "appeal")})
            cls.appellants.append((number, appeal))
        number, appeal = cls.appellants[0]
        cls.ask("AnswerAppeal", name=appeal.name, etag=appeal.etag, answered_by="Coordination",
                answer=cls.planting.text(number, "appeal_answer"))
        cls.read(next(r for r in cls.simulation.list_all("ListResults", parent=cohort)
                      if r.decision == appeal.decision), number)

    @classmethod
    def read(cls, result, number):
        """Somebody reads a note once more."""
        reader = next(p for p in cls.simulation.list_all("ListPersons", parent=BODY)
                      if p.name not in cls.planting.numbers)
        note = result.enrolment.replace("/enrolments/", "/validationNotes/")
        assigned = cls.ask("AssignReader", parent=note, reader={
            "person": reader.name, "person_display_name": "Lectrice d’essai"})
        cls.ask("SubmitReaderReport", name=assigned.name,
                comments=cls.planting.text(number, "reader_comments"))

    @classmethod
    def choose(cls):
        """As few as bear every kind of mark, and some whose end was another."""
        planting, missing = cls.planting, set(KINDS)
        persons = {number: person for person, number in planting.numbers.items()}
        chosen = [cls.appellants[0][0], planting.OWN]
        for number in chosen:
            missing -= planting.planted[number].keys()
        while missing:
            best = max(persons, key=lambda n: len(missing & planting.planted[n].keys()))
            if not missing & planting.planted[best].keys():
                raise AssertionError(f"nobody has {missing}")
            chosen.append(best)
            missing -= planting.planted[best].keys()
        cls.refused = next(a for a in cls.simulation.list_all(
            "ListApplications", parent=cls.simulation.list_all("ListCohorts", parent=BODY)[0].name)
            if a.review_state == 4 and planting.numbers[a.person] not in chosen)
        cls.early = planting.numbers[cls.refused.person]
        # Somebody who signed alone what is usually an organisation's to sign.
        applications = {a.application for a in cls.simulation.list_all(
            "ListAgreements", parent=BODY) if not a.organisation and a.kind == 1 and a.signatory}
        chosen += [n for person, n in planting.numbers.items() if n not in chosen and any(
            planting.persons.get(name) == person for name in applications)][:1]
        cls.chosen = chosen
        # Somebody who signed for a price.
        applications = {a.application for a in cls.simulation.list_all(
            "ListAgreements", parent=BODY) if a.state == 3 and a.price_cents}
        cls.accounted = next(person for name, person in planting.persons.items()
                             if name in applications)
        cls.person = {number: persons[number] for number in [*chosen, cls.early]}

    def person_command(self, *arguments, expect=0):
        addresses = [f"--{name}_address={self.simulation.addresses[name]}" for name in SERVICES]
        done = subprocess.run(
            [self.simulation.binaries / "clients/cli/parcours", *arguments, *addresses,
             f"--token_file={self.simulation.state}/authority/token"],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(expect, done.returncode, done.stdout)
        return done.stdout

    def erase(self, number):
        shown = self.person_command("person", "erase", self.person[number], "--yes")
        self.assertIn("Effacement terminé dans tous les services", shown)
        for service in SERVICES:
            self.assertIn(f"  {service} : fait", shown)

    def check_gone(self, numbers, label):
        """No answer bears a mark of theirs; the account is who did something."""
        crawl = Crawl(self.simulation)
        marks = [mark_of(n) for n in numbers] + [phone_of(n)[1:] for n in numbers]
        self.assertEqual([], crawl.bearing(marks, ANSWERS_THAT_STAY | {"ListAuditEntries"}), label)
        accounts = {mark_of(self.planting.OWN)}
        self.assertEqual([], crawl.bearing(set(marks) - accounts,
                                           ANSWERS_THAT_STAY), label)
        return crawl

    def check_files(self, numbers, label):
        """No file bears a mark of theirs, but for what stays."""
        marks = [mark_of(n) for n in numbers] + [phone_of(n)[1:] for n in numbers]
        looked, left = 0, {}
        for path in sorted(self.simulation.state.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            blob = path.read_bytes()
            looked += len(blob)
            found = holds_mark(blob, marks)
            for more in inflated(blob):
                found += holds_mark(more, marks)
            if path.parent.name == "data" and path.suffix == ".db" and path.stem in SERVICES:
                found = self.beyond_what_stays(path, blob, set(found))
            if found:
                left[str(path.relative_to(self.simulation.state))] = found
        self.assertEqual({}, left, label)
        self.assertGreater(looked, 1 << 20)

    def beyond_what_stays(self, path, blob, found):
        """Of the marks in a database, those that stand elsewhere than they may."""
        account = f"compte-{mark_of(self.planting.OWN)}".encode()
        allowed, beyond = collections.Counter(), set()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            database.text_factory = bytes
            tables = [row[0].decode() for row in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                cursor = database.execute(f'SELECT * FROM "{table}"')
                columns = [column[0] for column in cursor.description]
                for row in cursor:
                    for column, value in zip(columns, row):
                        if not isinstance(value, bytes):
                            continue
                        if column in ACCOUNTS.get(table, ()):
                            value = value.replace(account, b"")
                        for mark in found:
                            count = value.count(mark.encode())
                            if column in STAY.get(table, ()):
                                allowed[mark] += count
                            elif count:
                                beyond.add(f"{mark} in {table}.{column}")
        # What was freed holds none: no more of them than are read. Of the account,
        # which is in the keys of indexes as well, nothing can be said.
        blob = blob.replace(account, b"")
        for mark in found:
            count = blob.count(mark.encode())
            if not beyond and count > allowed[mark]:
                beyond.add(f"{mark} in freed pages: {count}, read {allowed[mark]}")
        return sorted(beyond)

    def halt(self):
        self.simulation.halt()
        for file in self.simulation.state.glob("token-*"):
            file.unlink()

    def verify_everything(self):
        addresses = [f"--{name}_address={self.simulation.addresses[name]}" for name in SERVICES]
        shown = self.simulation.command("audit", "verify", *addresses)
        self.assertEqual(3, shown.count("chaîne intacte"), shown)
        cohort = self.simulation.list_all("ListCohorts", parent=BODY)[0].name
        half_days = self.simulation.list_all("ListHalfDays", parent=cohort)
        self.assertGreater(len(half_days), 10)
        for half_day in half_days:
            verdict = self.ask("VerifyAttendanceSheet", name=half_day.name + "/sheet")
            self.assertTrue(verdict.valid, f"{half_day.name}: {verdict}")
        self.assertTrue(self.ask("VerifyMinutes", parent=BODY).intact)
        certificates = self.simulation.list_all("ListCertificates", parent=BODY)
        self.assertTrue(certificates)
        for certificate in certificates:
            answer = self.ask("VerifyCertificate", number=certificate.number,
                              code=certificate.code)
            self.assertIn(certificate.holder_display_name, str(json_format.MessageToDict(answer)))

    def advance(self, when):
        for name in SERVICES:
            self.on(name, "AdvanceTime", business_time={"seconds": int(when.timestamp())})
        self.settle()

    def settle(self):
        """Until scheduling has what enrolment changed, twice."""
        for _ in range(2):
            self.ask("SynchroniseRoster")

    def test_01_the_marks_are_in_the_record_and_sealed_where_they_are_needs(self):
        """Without this, the others prove nothing."""
        crawl = Crawl(self.simulation)
        for number in self.chosen:
            self.assertTrue(crawl.bearing([mark_of(number)]), number)
        print(f"\nchosen: {self.chosen}, refused: {self.early}", file=sys.stderr)

    def test_02_who_must_be_kept_is_not_erased(self):
        person = self.person[self.chosen[0]]
        holds = {service: self.on(service, "ListLegalHolds", name=person).holds
                 for service in SERVICES}
        kinds = {hold.kind for found in holds.values() for hold in found}
        self.assertIn("under_way", kinds, "the time to appeal is not over")
        service, method = self.simulation.methods["ErasePerson"]
        request = self.contract.message(method.input_type.full_name, person=person, ground=1)
        code, _, error = self.simulation.send(service, method, request,
                                              self.simulation.administrator)
        self.assertEqual(grpc.StatusCode.FAILED_PRECONDITION, code)
        self.assertEqual(["PERSON_UNDER_WAY"], self.contract.reasons(error))
        waiting, appeal = self.appellants[1]
        waiting = next(p for p, n in self.planting.numbers.items() if n == waiting)
        code, _, error = self.simulation.send(
            service, method, self.contract.message(method.input_type.full_name, person=waiting,
                                                   ground=1), self.simulation.administrator)
        self.assertEqual(["PERSON_UNDER_WAY"], self.contract.reasons(error))
        self.assertIn(appeal.name, error.details())
        self.assertTrue(self.ask("GetPerson", name=person).family_name)

    def test_03_a_hold_is_told_with_its_day_and_article(self):
        now = self.on("enrolment", "GetTime").business_time.ToDatetime()
        self.advance(now.replace(tzinfo=datetime.timezone.utc) + datetime.timedelta(days=200))
        # Nobody waits for an answer for ever.
        _, appeal = self.appellants[1]
        self.ask("AnswerAppeal", name=appeal.name, answered_by="Coordination", answer="Non.")
        person = self.accounted
        service, method = self.simulation.methods["ErasePerson"]
        request = self.contract.message(method.input_type.full_name, person=person, ground=1)
        code, _, error = self.simulation.send(service, method, request,
                                              self.simulation.administrator)
        self.assertEqual(grpc.StatusCode.FAILED_PRECONDITION, code)
        self.assertEqual(["LEGAL_HOLD"], self.contract.reasons(error))
        shown = self.person_command("person", "erase", person, "--yes", expect=1)
        self.assertIn("[LEGAL_HOLD]", shown)
        self.assertIn("C. com. L123-22", shown)
        self.assertIn("fr/retention.completion_record@", shown)
        self.assertIn("mardi 30 décembre 2036 inclus", shown)
        self.assertIn("Rien n’a été effacé", shown)
        listed = self.person_command("person", "holds", person)
        self.assertIn("30 décembre 2036", listed)

    def test_04_who_was_refused_may_go_at_once(self):
        self.assertIn("peut être effacée",
                      self.person_command("person", "holds", self.person[self.early]))
        shown = self.person_command("person", "erase", self.person[self.early], "--check")
        self.assertIn("--check", shown)
        self.assertTrue(self.ask("GetPerson", name=self.person[self.early]).family_name)
        self.erase(self.early)
        erased = self.ask("GetPerson", name=self.person[self.early])
        self.assertTrue(erased.HasField("erase_time"))
        self.assertEqual("", erased.given_name + erased.family_name + erased.email)
        self.check_gone([self.early], "refused")
        # Whoever was erased is not written to any more, and not erased twice.
        service, method = self.simulation.methods["UpdatePerson"]
        code, _, error = self.simulation.send(service, method, self.contract.message(
            method.input_type.full_name, update_mask={"paths": ["given_name"]},
            person={"name": erased.name, "given_name": "Encore"}), self.simulation.administrator)
        self.assertEqual(["PERSON_ERASED"], self.contract.reasons(error), code)
        self.assertIn("a été effacée", self.person_command("person", "erase", erased.name))

    def test_05_an_export_holds_everything(self):
        self.advance(LATER)
        for number in self.chosen:
            folder = self.work / f"export-{number}"
            self.person_command("person", "export", self.person[number], f"--to={folder}")
            self.assertEqual(0o700, folder.stat().st_mode & 0o777)
            text = "".join((folder / f"{name}.json").read_text() for name in SERVICES)
            for kind, planted in self.planting.planted[number].items():
                for value in planted:
                    if kind != "account":
                        with self.subTest(number=number, kind=kind):
                            self.assertIn(value, text)
            documents = {}
            for path in folder.glob("*/*"):
                documents[hashlib.sha256(path.read_bytes()).hexdigest()] = path
            self.assertLessEqual(self.planting.digests(number), documents.keys(), number)
            self.assertIn(self.person[number], (folder / "LISEZ-MOI.txt").read_text())
        folder = self.work / f"export-{self.chosen[0]}"
        self.assertIn("Qui a lu ou modifié quoi", (folder / "LISEZ-MOI.txt").read_text())

    def test_06_nothing_of_who_was_erased_is_in_an_answer(self):
        before = Crawl(self.simulation).record()
        self.halt()
        self.backup = self.work / "backup"
        type(self).backup = self.backup
        shutil.copytree(self.simulation.state / "data", self.backup,
                        ignore=lambda _, names: [n for n in names if not n.endswith(".db")])
        self.simulation.start()
        for number in self.chosen:
            with self.subTest(number=number):
                self.assertIn("peut être effacée",
                              self.person_command("person", "holds", self.person[number]))
                self.erase(number)
        crawl = self.check_gone([*self.chosen, self.early], "erased")
        self.assertEqual(before, crawl.record())
        for number in self.chosen:
            folder = self.work / f"after-{number}"
            self.person_command("person", "export", self.person[number], f"--to={folder}")
            text = "".join((folder / f"{name}.json").read_text() for name in SERVICES)
            left = [line for line in text.splitlines() if mark_of(number) in line]
            self.assertTrue(all("holderDisplayName" in line or "subject" in line for line in left),
                            left)
            self.assertEqual([], list(folder.glob("*/*")))
        self.verify_everything()

    def test_07_nothing_is_left_in_redis(self):
        state = self.simulation.state
        sockets = state / "run/sockets"
        socket = pathlib.Path(sockets.read_text().strip() if sockets.exists()
                              else state / "run") / "redis.sock"
        dump = self.work / "redis.rdb"
        subprocess.run(["redis-cli", "-s", socket, "config", "set", "rdbcompression", "no"],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["redis-cli", "-s", socket, "--rdb", dump], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        blob = dump.read_bytes()
        dump.unlink()
        self.assertIn(b"REDIS", blob)
        self.assertEqual([], holds_mark(blob, [mark_of(n) for n in self.chosen]))

    def test_08_nothing_is_left_in_a_file(self):
        self.assertGreater(self.receiver.count, 100, "a partner was told")
        self.halt()
        self.check_files([*self.chosen, self.early], "after the erasure")
        # The same search does find whom nobody erased.
        others = [n for n in self.planting.numbers.values()
                  if n not in (*self.chosen, self.early)]
        data = (self.simulation.state / "data/enrolment.db").read_bytes()
        self.assertEqual(sorted(map(mark_of, others)), holds_mark(data, map(mark_of, others)))

    def test_09_an_old_copy_brings_nobody_back(self):
        """Databases of before, with the keys and the lists of erasures of today."""
        data = self.simulation.state / "data"
        for copy in self.backup.glob("*.db"):
            if copy.stem not in SERVICES:
                continue
            for file in data.glob(copy.name + "*"):
                file.unlink()
            shutil.copy(copy, data)
            with closing(sqlite3.connect(data / copy.name)) as database:
                database.execute("UPDATE database_marker SET incarnation = hex(randomblob(16))")
                database.commit()
        self.assertTrue(holds_mark((data / "enrolment.db").read_bytes(),
                                   [mark_of(self.chosen[0])]), "the copy is one of before")
        self.simulation.start()
        # Nothing is served before it is so.
        self.check_gone([*self.chosen, self.early], "served after the restore")
        for number in self.chosen:
            erased = self.ask("GetPerson", name=self.person[number])
            self.assertTrue(erased.HasField("erase_time"), number)
            self.erased_everywhere(erased.name)
        self.verify_everything()
        self.halt()
        self.check_files([*self.chosen, self.early], "after the restore")
        self.simulation.start()

    def erased_everywhere(self, person):
        shown = self.person_command("person", "erase", person)
        self.assertIn("Effacement terminé dans tous les services", shown)

    def read_of_others(self):
        """What is sealed or in a file of those who were not erased."""
        crawl = Crawl(self.simulation)
        read = {}
        for method in ("ListPersons", "ListApplications", "ListAttendanceEntries",
                       "ListValidationNotes", "ListNoteReaders", "ListDecisions", "ListAppeals"):
            read[method] = sorted(item.SerializeToString(deterministic=True)
                                  for item in crawl.of(method))
        versions = crawl.of("ListNoteVersions")
        read["files"] = [self.ask("ReadNoteVersion", name=v.name, limit=65536).data
                         for v in versions
                         if self.planting.number_of(v.name) not in self.chosen]
        self.assertTrue(any(b"%PDF" in data[:8] for data in read["files"]))
        return read

    def test_10_master_keys_are_rotated(self):
        before = self.read_of_others()
        data = self.simulation.state / "data"
        self.halt()
        for name in SERVICES:
            file = data / f"{name}.key.master"
            self.simulation.command("keys", "rotate", str(file))
            self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.simulation.start()
        self.assertEqual(before, self.read_of_others())
        for name in SERVICES:
            self.wait_until_wrapped(name, (data / f"{name}.key.master").read_text().split()[0])
        self.halt()
        for name in SERVICES:
            file = data / f"{name}.key.master"
            lines = file.read_text().splitlines()
            self.assertEqual(2, len(lines))
            file.write_text(lines[0] + "\n")
        self.simulation.start()
        self.assertEqual(before, self.read_of_others())
        for number in self.chosen:
            self.assertTrue(self.ask("GetPerson", name=self.person[number]).HasField("erase_time"))

    def wait_until_wrapped(self, name, key):
        """Until the log says that everything is wrapped under the new key."""
        log = self.simulation.state / f"log/{name}.log"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if any("nothing is left under older master keys" in line and key in line
                   for line in log.read_text().splitlines()):
                return
            self.on(name, "GetTime")
        self.fail(f"{name} does not say that former keys may go")


if __name__ == "__main__":
    unittest.main(verbosity=2)
