"""Lives a cohort with people whose names, addresses, reasons and files are easy
to recognise, makes calls that fail, and looks for all of it in what is no record:
logs, metrics, errors, Redis, files beside the databases, temporary files; and in
the databases, for columns that are not meant to hold it and for what was freed.

usage: planted_values_test.py BINARIES   the folder of a build, as build/asan
"""

import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from contextlib import closing

import grpc

from contract import Contract, new_uuid
from simulation import SERVICES, Simulation

BINARIES = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path("build/release")
BODY = "bodies/opale"

# By what it is. The first is of everybody in the demonstration.
PLANTED = {
    "family name": "Fictive",
    "e-mail": "candidate.fictive",
    "given name": "Prénomplanté",
    "birth name": "Naissanceplantée",
    "own e-mail": "plantee.reconnaissable@exemple.test",
    "phone": "+33199009907",
    "identifier": "IDENTIFIANT-PLANTE-42",
    "reason of an absence": "Départ avant la fin, signalé par",
    "reason of an end": "Reprise d’emploi incompatible",
    "content of a file": "CONTENU-PLANTE-RECONNAISSABLE",
}
# Of these, what stands sealed in the databases, and nowhere clear.
SEALED = {"e-mail", "birth name", "own e-mail", "phone", "reason of an absence",
          "reason of an end"}
# Of people who were recorded so, and then were not any more.
FORMER = {
    "former name": "Prénomrectifié-Ancien",
    "former birth name": "Naissancerectifiée-Ancienne",
    "former e-mail": "ancienne.adresse@exemple.test",
    "former phone": "+33199007709",
}
# In calls that are refused.
REFUSED = {
    "malformed e-mail": "refusee reconnaissable@@exemple",
    "token": "jeton.plante.reconnaissable",
    "credential": "Mot-De-Passe-Plante",
    "trace": "trace-plantee",
    "name": "bodies/opale/persons/personne-plantee-reconnaissable",
    "not UTF-8": b"\xffOctets-Plantes",
}

EVERYTHING = PLANTED | FORMER | REFUSED

# Where the record keeps it. A column that is added here is personal data: say so
# in the register of the service, and think of its erasure.
MEANT = {
    "enrolment": {
        "person": {"given_name", "family_name", "external_ids"},
        "external_id": {"value"},
        "application": {"family_name", "decision"},
        "agreement": {"signatory"},
        "enrolment": {"person_display_name"},
        "organisation": {"display_name", "signatory"},
        "cohort": {"go_decider"},
    },
    "scheduling": {
        "roster_entry": {"display_name"},
        "trainer": {"display_name"},
        "half_day": {"trainers"},
        "calendar_version": {"half_days", "recipients"},
        "completion_record": {"learner_display_name", "organisation_display_name",
                              "printed_text"},
    },
    "evaluation": {
        "roster_entry": {"display_name"},
        "validation_note": {"person_display_name", "subject", "subject_decider"},
        "note_version": {"late_accepted_by"},
        "minutes": {"text"},
        "result": {"person_display_name"},
        "certificate": {"holder_display_name"},
    },
}


def spellings(value):
    """A value as it may stand in bytes: as text, escaped in JSON, URL and log."""
    if isinstance(value, bytes):
        return {value}
    escaped = value.encode("unicode_escape")
    octal = "".join(chr(b) if 32 < b < 127 else f"\\{b:03o}" for b in value.encode())
    return {value.encode(), escaped, octal.encode(),
            value.encode("ascii", "backslashreplace"), urllib.request.quote(value).encode()}


def found_in(blob, values):
    return sorted(what for what, value in values.items()
                  if any(spelling in blob for spelling in spellings(value)))


def listening_ports(pid):
    """TCP ports on which a process listens, by /proc."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(link))
        except OSError:
            continue
        if match:
            inodes.add(match.group(1))
    ports = []
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            ports.append(int(fields[1].rsplit(":", 1)[1], 16))
    return ports


def metrics_of(pid):
    for port in listening_ports(pid):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return answer.read()
        except OSError:
            continue
        except Exception:  # the port of gRPC answers no HTTP/1
            continue
    raise AssertionError("no metrics")


class PlantedValuesTest(unittest.TestCase):
    """One life, looked at from all sides."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="parcours-planted.")
        os.environ["TMPDIR"] = cls.temporary.name
        os.environ["PARCOURS_LOG_LEVEL"] = "debug"
        cls.simulation = Simulation(BINARIES, Contract())
        try:
            cls.live()
            cls.fail_in_many_ways()
            cls.look()
        finally:
            cls.kept = pathlib.Path(cls.simulation.folder.name + ".kept")
            cls.stop_services()
        os.environ.pop("TMPDIR")
        os.environ.pop("PARCOURS_LOG_LEVEL")

    @classmethod
    def stop_services(cls):
        """Ends the services and keeps the folder for a last look."""
        simulation = cls.simulation
        simulation.process.stdin.close()
        simulation.process.wait(timeout=60)
        shutil.copytree(simulation.state, cls.kept, symlinks=True,
                        ignore=lambda _, names: [n for n in names if n.endswith(".sock")])
        cls.logs_of_databases = [path.name for path in cls.kept.glob("data/*-wal")
                                 if path.stat().st_size > 0]
        simulation.process.stdout.close()
        for channel in simulation.channels.values():
            channel.close()
        simulation.folder.cleanup()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.kept, ignore_errors=True)
        cls.temporary.cleanup()

    @classmethod
    def send(cls, method, token, fields):
        service, descriptor = cls.simulation.methods[method]
        request = cls.simulation.contract.factory.GetPrototype(descriptor.input_type)(**fields)
        return cls.simulation.send(service, descriptor, request, token)

    @classmethod
    def ask(cls, method, **fields):
        code, answer, error = cls.send(method, cls.simulation.administrator, fields)
        assert code == grpc.StatusCode.OK, (method, error)
        return answer

    @classmethod
    def live(cls):
        simulation = cls.simulation
        simulation.live(["programmes/culture-ess-2026.txtpb",
                         "programmes/culture-ess-2026.fictitious.txtpb"])
        cls.ask("CreatePerson", parent=BODY, person={
            "given_name": PLANTED["given name"], "family_name": "Nomfictif-Fictive",
            "birth_name": PLANTED["birth name"], "email": PLANTED["own e-mail"],
            "phone": PLANTED["phone"],
            "external_ids": [{"system": "essai", "value": PLANTED["identifier"]}]},
            request_id=new_uuid())
        cls.upload(PLANTED["content of a file"])
        cls.rectify()
        # Read often enough to be in every cache.
        for _ in range(3):
            for name in ("ListPersons", "ListOrganisations"):
                simulation.list_all(name, parent=BODY)
            cohort = simulation.list_all("ListCohorts", parent=BODY)[0].name
            for name in ("ListEnrolments", "ListApplications", "ListValidationNotes",
                         "ListResults"):
                simulation.list_all(name, parent=cohort)
            for programme in simulation.list_all("ListProgrammes", parent=BODY):
                cls.ask("GetProgramme", name=programme.name)

    @classmethod
    def rectify(cls):
        """People whose every detail is written anew."""
        for i in range(40):
            name = cls.ask("CreatePerson", parent=BODY, request_id=new_uuid(), person={
                "given_name": FORMER["former name"] + "x" * (i * 7 % 90), "family_name": f"Une{i}",
                "birth_name": FORMER["former birth name"], "email": FORMER["former e-mail"],
                "phone": FORMER["former phone"]}).name
            cls.ask("UpdatePerson", update_mask={"paths": ["*"]}, person={
                "name": name, "given_name": "Personne", "family_name": f"Une{i}",
                "birth_name": "x" * (i * 11 % 120), "email": f"une.{i}@exemple.test"})

    @classmethod
    def upload(cls, text):
        """An upload with `text` in it, whole and readable."""
        pdf = (f"%PDF-1.4\n%{text}\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
               "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
               "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n"
               "trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n").encode()
        upload = cls.ask("CreateUpload", parent=BODY, upload={
            "byte_size": len(pdf), "content_type": "application/pdf"})
        done = cls.ask("WriteUpload", name=upload.name, data=pdf)
        assert done.received_bytes == len(pdf), done

    @classmethod
    def fail_in_many_ways(cls):
        """Calls that are refused; their errors are kept."""
        simulation, cls.errors = cls.simulation, []

        def refuse(method, token=simulation.administrator, **fields):
            code, _, error = cls.send(method, token, fields)
            assert code != grpc.StatusCode.OK, method
            cls.errors.append((method, error))

        person = {"given_name": PLANTED["given name"], "family_name": "Fictive",
                  "email": REFUSED["malformed e-mail"], "phone": PLANTED["phone"] + "x"}
        refuse("CreatePerson", parent=BODY, person=person)
        person["email"], person["phone"] = PLANTED["own e-mail"], PLANTED["phone"]
        refuse("CreatePerson", parent=BODY, person=person | {
            "external_ids": [{"system": "essai", "value": PLANTED["identifier"]}]})
        refuse("CreatePerson", parent=BODY, person=person | {"given_name": "x" * 501 + "Fictive"})
        refuse("GetPerson", token=REFUSED["token"], name=REFUSED["name"])
        refuse("GetPerson", token=REFUSED["credential"], name=REFUSED["name"])
        refuse("GetPerson", name=REFUSED["name"] + "/" + PLANTED["identifier"])
        refuse("ListPersons", parent=BODY, page_token=PLANTED["identifier"])
        learner = simulation.mint("LEARNER", body=BODY)
        refuse("ListOrganisations", token=learner, parent=BODY)
        # What is no message at all, and metadata that is no trace.
        channel = simulation.channels["enrolment"]
        raw = channel.unary_unary("/parcours.enrolment.v1.PeopleService/CreatePerson")
        for bytes_ in (b"\x0a\x20" + REFUSED["not UTF-8"].ljust(32, b"x"),
                       REFUSED["not UTF-8"]):
            try:
                raw(bytes_, metadata=[("traceparent", REFUSED["trace"]),
                                      ("authorization", f"Basic {REFUSED['credential']}")])
            except grpc.RpcError as error:
                cls.errors.append(("bytes", error))

    @classmethod
    def look(cls):
        """Everything that only lives while the services do."""
        cls.answers = cls.read_what_is_sealed()
        state = cls.simulation.state
        # Read again after a change, a programme is in Redis, for half a minute.
        programme = cls.ask("ListProgrammes", parent=BODY).programmes[0]
        cls.ask("UpdateProgramme", update_mask={"paths": ["display_name"]}, programme={
            "name": programme.name, "display_name": programme.display_name + " (revu)"})
        cls.ask("GetProgramme", name=programme.name)
        socket = next(pathlib.Path((state / "run/sockets").read_text().strip()
                                   if (state / "run/sockets").exists()
                                   else state / "run").glob("redis.sock"))
        dump = pathlib.Path(cls.temporary.name, "redis.rdb")
        subprocess.run(["redis-cli", "-s", socket, "config", "set", "rdbcompression", "no"],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["redis-cli", "-s", socket, "--rdb", dump], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.redis = dump.read_bytes()
        dump.unlink()
        cls.redis_keys = subprocess.run(["redis-cli", "-s", socket, "--scan"], check=True,
                                        stdout=subprocess.PIPE).stdout
        cls.metrics = {name: metrics_of((state / f"run/{name}.pid").read_text().split()[0])
                       for name in SERVICES}

    @classmethod
    def read_what_is_sealed(cls):
        """What the services answer of it."""
        list_all = cls.simulation.list_all
        items = list_all("ListPersons", parent=BODY)
        for cohort in list_all("ListCohorts", parent=BODY):
            items += list_all("ListApplications", parent=cohort.name)
            items += list_all("ListEnrolments", parent=cohort.name)
            for half_day in list_all("ListHalfDays", parent=cohort.name):
                items += list_all("ListAttendanceEntries", parent=half_day.name)
        return b"".join(item.SerializeToString() for item in items)

    def test_the_planted_values_are_in_the_record(self):
        """Without this, the others prove nothing."""
        everything = b"".join((self.kept / f"data/{name}.db").read_bytes() for name in SERVICES)
        known = {what: value for what, value in PLANTED.items()
                 if what != "content of a file"}
        self.assertEqual(sorted(known), found_in(self.answers, known))
        self.assertEqual(sorted(known.keys() - SEALED), found_in(everything, known))

    def test_logs_hold_none(self):
        for name in SERVICES:
            log = (self.kept / f"log/{name}.log").read_bytes()
            self.assertGreater(log.count(b"\n"), 20, name)
            self.assertEqual([], found_in(log, EVERYTHING), name)

    def test_metrics_hold_none(self):
        for name, text in self.metrics.items():
            self.assertIn(b"parcours_rpc_duration_seconds", text, name)
            self.assertEqual([], found_in(text, EVERYTHING), name)

    def test_errors_hold_none(self):
        self.assertGreaterEqual(len(self.errors), 10)
        for method, error in self.errors:
            said = (error.details() or "").encode() + b"".join(
                value if isinstance(value, bytes) else value.encode()
                for _, value in error.trailing_metadata() or ())
            # A name that was asked for is told back to who asked.
            self.assertEqual([], found_in(said, {what: value for what, value in
                                                 (EVERYTHING).items()
                                                 if what not in ("name", "identifier")}), method)

    def test_redis_holds_none(self):
        self.assertIn(b"REDIS", self.redis)
        self.assertGreater(self.redis_keys.count(b"\n"), 0, "something is cached")
        self.assertEqual([], found_in(self.redis + self.redis_keys, EVERYTHING))

    def test_files_beside_the_databases_hold_none(self):
        looked = 0
        for path in self.kept.rglob("*"):
            if not path.is_file() or (path.parent.name == "data" and ".db" in path.name):
                continue
            # What the test itself gave to the command.
            if path.name == "report.json" or path.suffix == ".txtpb":
                continue
            looked += 1
            blob = path.read_bytes()
            self.assertEqual([], found_in(blob, EVERYTHING), path)
            self.assertNotIn(b"%PDF-", blob, path)
        self.assertGreater(looked, 10)
        self.assertTrue(any((self.kept / "uploads").rglob("*")))

    def test_temporary_files_hold_none(self):
        for path in pathlib.Path(self.temporary.name).rglob("*"):
            if path.is_file():
                self.assertEqual([], found_in(path.read_bytes(), EVERYTHING), path)

    def test_only_columns_that_are_meant_to_hold_it(self):
        for name in SERVICES:
            found = {}
            with closing(sqlite3.connect(self.kept / f"data/{name}.db")) as database:
                database.text_factory = bytes
                tables = [row[0].decode() for row in database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'")]
                for table in tables:
                    cursor = database.execute(f'SELECT * FROM "{table}"')
                    columns = [column[0] for column in cursor.description]
                    for row in cursor:
                        for column, value in zip(columns, row):
                            if isinstance(value, bytes) and found_in(value, EVERYTHING):
                                found.setdefault(table, set()).add(column)
            unexpected = {table: columns - MEANT[name].get(table, set())
                          for table, columns in found.items()}
            self.assertEqual({}, {t: c for t, c in unexpected.items() if c}, name)
            # A table in which nothing is found is no longer looked after.
            self.assertEqual(MEANT[name], found, name)

    def test_no_log_of_a_database_is_left(self):
        self.assertEqual([], self.logs_of_databases)

    def test_what_was_written_over_is_gone(self):
        for name in SERVICES:
            self.assertEqual([], found_in((self.kept / f"data/{name}.db").read_bytes(), FORMER))


if __name__ == "__main__":
    unittest.main()
