"""Runs what clients/examples shows to partners, as their READMEs say it is run, while
answers are lost, connections break, enrolment restarts and programs are killed.

usage: examples_test.py BINARIES   the folder of a build, as build/asan
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from contract import ROOT, Contract, new_uuid
from simulation import Simulation

BINARIES = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path("build/release")

BODY = "bodies/opale"
COHORT = BODY + "/cohorts/culture-ess-2026"
PROGRAMME = ("programmes/culture-ess-2026.txtpb", "programmes/culture-ess-2026.fictitious.txtpb")
NODE = ROOT / "node_modules/.bin/node"
LANGUAGES = ("python", "java", "typescript")
OPENED = "2025-09-08T09:00:00Z"
# How long a program may take for one step before the test gives up.
PATIENCE_S = 30


class Api:
    """Calls of the test itself, through the gateway."""

    def __init__(self, gateway, token):
        self.gateway, self.token = gateway, token

    def call(self, verb, path, body=None, **query):
        request = urllib.request.Request(
            f"{self.gateway}/{path}?{urllib.parse.urlencode(query)}".rstrip("?"), method=verb,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{verb} {path}: {error.read().decode()}") from error

    def get(self, path, **query):
        return self.call("GET", "v1/" + path, **query)

    def post(self, path, **body):
        return self.call("POST", "v1/" + path, body)

    def list(self, collection):
        """By name."""
        found = self.get(f"{COHORT}/{collection}", pageSize=500)
        assert not found.get("nextPageToken"), "more than the test expects"
        return {one["name"]: one for one in found.get(collection, [])}


class Program:
    """One that runs, and what it has said so far."""

    def __init__(self, command, environment, folder):
        self.lines, self._said, self._ended = [], threading.Condition(), False
        self.process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line.rstrip())
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()

    def wait_for(self, text, after=0, times=1):
        """The number of the line that has `text` for the time of that number, among those
        from line `after` on."""
        def found():
            return [i for i, line in enumerate(self.lines) if i >= after and text in line]

        with self._said:
            self._said.wait_for(lambda: len(found()) >= times or self._ended, PATIENCE_S)
            if len(found()) < times:
                raise AssertionError(f"waited for {text!r}, but:\n{self.text()}")
            return found()[times - 1]

    def text(self):
        return "\n".join(self.lines)

    def end(self):
        """Its exit code, once it has ended by itself."""
        code = self.process.wait(timeout=PATIENCE_S)
        self.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.kill()
        self._reader.join()
        self.process.stdout.close()


class Line:
    """A line between programs and whoever listens at `target`, for the test to cut.
    `losing` loses the first answer for which it is true, and what comes with it."""

    def __init__(self, target, losing=None, lost=None):
        host, _, port = target.rpartition(":")
        self._target, self._losing, self._lost = (host, int(port)), losing, lost
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open, self._silent = set(), set()
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Breaks every connection; new ones are taken."""
        for end in list(self._open):
            self._close(end)

    def silence(self):
        """Passes nothing on any more over the connections that there are."""
        self._silent |= self._open

    def close(self):
        self._socket.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            self._open |= {near, far}
            for source, sink, answers in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pass_on, args=(source, sink, answers),
                                 daemon=True).start()

    def _pass_on(self, source, sink, answers):
        try:
            while data := source.recv(65536):
                if source in self._silent:
                    continue
                if answers and self._losing and self._losing():
                    self._losing = None
                    if self._lost:
                        self._lost()
                    break
                sink.sendall(data)
        except OSError:
            pass
        self._close(source)
        self._close(sink)

    def _close(self, end):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._open.discard(end)
        end.close()


def pdf(text):
    return (f"%PDF-1.4\n%{text}\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
            "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
            "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n"
            "trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n").encode()


class ExamplesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        with ThreadPoolExecutor() as pool:
            folder = pool.submit(cls.prepare_examples)
            cls.simulation = Simulation(BINARIES, Contract(), "gateway")
            cls.addClassCleanup(cls.simulation.stop)
            cls.addresses = cls.simulation.addresses
            cls.api = Api("http://" + cls.addresses["gateway"], cls.simulation.administrator)
            cls.open_cohort()
            folder.result()

    @classmethod
    def prepare_examples(cls):
        """Copies the examples away from here, as a partner would, and builds them."""
        cls.folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="parcours-examples.")))
        examples = cls.folder / "examples"
        shutil.copytree(ROOT / "clients/examples", examples,
                        ignore=shutil.ignore_patterns("generated"))
        (cls.folder / "node_modules").symlink_to(ROOT / "node_modules")
        environment = os.environ | {
            "PROTO": str(ROOT / "proto"), "MODULES": str(ROOT / "node_modules"),
            "GOOGLE": str(ROOT / "node_modules/google-proto-files"),
            "PATH": f"{NODE.parent}:{os.environ['PATH']}"}
        for command in ("python/generate.sh", "typescript/generate.sh", "java/build.sh"):
            subprocess.run([examples / command], env=environment, check=True)
        # What Node.js runs it does not check.
        subprocess.run([NODE, ROOT / "node_modules/.bin/tsc", "--project",
                        examples / "typescript/tsconfig.json"], check=True)

    @classmethod
    def open_cohort(cls):
        cls.simulation.command("programme", "apply", *PROGRAMME, "--open", *(
            f"--{name}_address={cls.addresses[name]}"
            for name in ("enrolment", "scheduling", "evaluation")))
        for service in ("enrolment", "scheduling", "evaluation"):
            cls.api.call("POST", service + "/v1/time:advance", {"businessTime": OPENED})
        cls.keys = {name: cls.api_client(name, role, **more) for name, role, more in (
            ("desk", "ROLE_ADMISSIONS", {}), ("registry", "ROLE_COORDINATOR", {}),
            ("afdas", "ROLE_FUNDER", {"funderId": "afdas"}))}

    @classmethod
    def api_client(cls, name, role, **more):
        """The file of the key of a new client."""
        cls.api.call("POST", f"v1/{BODY}/apiClients?apiClientId={name}", {
            "displayName": "Partenaire d’essai", "purpose": "Essayer les exemples.",
            "contact": {"name": "Intégratrice Imaginaire", "email": "essai@example.org"},
            "roles": [role], "callsPerMinute": 60000, "expireTime": "2099-01-01T00:00:00Z"} | more)
        client = f"{BODY}/apiClients/{name}"
        key = cls.simulation.state / f"{name}.json"
        key.write_text(json.dumps({"client": client,
                                   "secret": cls.api.post(client + ":addSecret")["secret"]}))
        return key

    # Running the examples.

    def start(self, language, key, command, *arguments, through=None):
        """Starts a command of an example, and kills it when the test ends."""
        folder = self.folder / "examples" / language
        program = {"python": ["/usr/bin/python3", "-B", folder / "partner.py"],
                   "typescript": [NODE, "--disable-warning=ExperimentalWarning",
                                  folder / "partner.ts"],
                   "java": [folder / "partner"]}[language]
        # Python calls enrolment itself, the others the gateway.
        address = through or self.addresses["enrolment" if language == "python" else "gateway"]
        started = Program([*program, command, *arguments], os.environ | {
            "PARCOURS_ADDRESS": address, "PARCOURS_GATEWAY": "http://" + address,
            "PARCOURS_KEY": str(self.keys[key]), "PARCOURS_COHORT": COHORT}, self.place(language))
        self.addCleanup(started.close)
        return started

    def place(self, language):
        """A folder for what a test makes with an example."""
        folder = self.folder / self.id().rsplit(".", 1)[1] / language
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def line(self, language, **losing):
        line = Line(self.addresses["enrolment" if language == "python" else "gateway"], **losing)
        self.addCleanup(line.close)
        return line

    # What the programs are about.

    def submit(self, email, pieces=(), **payer):
        return self.api.post(
            f"{COHORT}/applications:submit", requestId=new_uuid(), pieces=list(pieces),
            application={
                "candidate": {"givenName": "Dominique", "familyName": "Imaginaire",
                              "email": email, "yearsAfterBac": 5},
                "payer": payer or {"kind": "PAYER_KIND_INDIVIDUAL"}})["name"]

    def received(self, email):
        return [name for name, one in self.api.list("applications").items()
                if one["candidate"]["email"] == email]

    def assert_copies(self, collection, copies):
        want = self.api.list(collection)
        for copy in copies:
            self.assertEqual(want, json.loads(copy.read_text())["resources"], copy)

    # apply

    def each(self, check):
        """The check for every language, at the same time."""
        with ThreadPoolExecutor() as pool:
            for language, done in [(one, pool.submit(check, one)) for one in LANGUAGES]:
                with self.subTest(language=language):
                    done.result()

    def test_apply_is_received_once(self):
        self.each(self.check_lost_answer)

    def check_lost_answer(self, language):
        email = f"lost.{language}@example.org"
        line = self.line(language, losing=lambda: bool(self.received(email)))
        program = self.start(language, "desk", "apply", f"--email={email}", through=line.address)
        self.assertEqual(0, program.end(), program.text())
        [name] = self.received(email)
        self.assertIn(f"Received as {name}", program.text())
        self.assertIn("again in", program.text())
        self.assertIn("awaiting pieces, missing: cv, letter", program.text())
        self.assertIn("no rank yet", program.text())

    def test_apply_goes_on_after_its_own_end(self):
        self.each(self.check_killed)

    def check_killed(self, language):
        email = f"killed.{language}@example.org"
        line = self.line(language, losing=lambda: bool(self.received(email)),
                         lost=lambda: killed.kill())
        killed = self.start(language, "desk", "apply", f"--email={email}", through=line.address)
        self.assertNotEqual(0, killed.end())
        self.assertNotIn("Received", killed.text())
        [name] = self.received(email)
        again = self.start(language, "desk", "apply", f"--email={email}")
        self.assertEqual(0, again.end(), again.text())
        self.assertIn(f"Received as {name}", again.text())
        # Another request for the same person is another matter.
        other = self.start(language, "desk", "apply", f"--email={email}", "--store=other.json")
        self.assertEqual(1, other.end())
        self.assertIn("Refused: ALREADY_APPLIED:", other.text())
        self.assertEqual([name], self.received(email))

    def test_apply_shows_every_bad_field(self):
        self.each(self.check_bad_fields)

    def check_bad_fields(self, language):
        program = self.start(language, "desk", "apply", "--email=nobody", "--given-name=",
                             "--family-name=")
        self.assertEqual(1, program.end(), program.text())
        for line in ("Refused: INVALID_FIELDS: Several fields are invalid.",
                     "  application.candidate.email: is not an e-mail address.",
                     "  application.candidate.given_name: is required.",
                     "  application.candidate.family_name: is required."):
            self.assertIn(line, program.lines)

    def test_a_key_that_may_not_is_refused(self):
        for language in LANGUAGES:
            with self.subTest(language=language):
                program = self.start(language, "afdas", "apply")
                self.assertEqual(1, program.end())
                self.assertIn("Refused: PERMISSION_DENIED:", program.text())

    # follow

    # Last: it trims the feed under the gateway too, whose receivers then start anew.
    def test_z_follow(self):
        lines = {language: self.line(language) for language in LANGUAGES}
        copies = {language: self.place(language) / "copy.json" for language in LANGUAGES}

        def start():
            return {language: self.start(language, "registry", "follow",
                                         through=lines[language].address)
                    for language in LANGUAGES}

        def submitted(email):
            """Until everybody has it; the copies are then as the list is."""
            name = self.submit(email)
            for program in programs.values():
                program.wait_for(f"+ {name}  SubmitApplication")
            self.assert_copies("applications", copies.values())

        self.submit("before@example.org")
        programs = start()
        for program in programs.values():
            program.wait_for("Read the list: ")
        submitted("watched@example.org")

        for line in lines.values():
            line.cut()
        submitted("after.cut@example.org")
        self.simulation.restart_enrolment()
        submitted("after.restart@example.org")
        for program in programs.values():
            program.wait_for("The stream broke")

        for program in programs.values():
            program.kill()
        missed = self.submit("missed@example.org")
        programs = start()
        for program in programs.values():
            program.wait_for("Going on with ")
            program.wait_for(f"+ {missed}  ")
        submitted("after.kill@example.org")

        # A position that is kept no more, then one of another record, as after a backup
        # was restored.
        other = self.api.call("GET", "scheduling/v1/changes")["nextToken"]
        for reason, token in (("FEED_TRIMMED", None), ("FEED_INCARNATION_CHANGED", other)):
            before = {language: json.loads(copy.read_text()) for language, copy in copies.items()}
            submitted(f"before.{reason.lower()}@example.org")
            for language, program in programs.items():
                program.kill()
                copies[language].write_text(json.dumps(before[language] | {
                    "feedToken": token or before[language]["feedToken"], "resources": {}}))
            if not token:
                self.trim_feed()
            programs = start()
            for program in programs.values():
                at = program.wait_for(f"{reason}: reading the list again")
                program.wait_for("Read the list: ", at)
            submitted(f"after.{reason.lower()}@example.org")

    def trim_feed(self):
        """As after years, which in a simulation change nothing of it."""
        with closing(sqlite3.connect(self.simulation.state / "data/enrolment.db",
                                     timeout=PATIENCE_S)) as database, database:
            database.execute("UPDATE feed_state SET floor = (SELECT MAX(position) "
                             "FROM change_feed)")
            database.execute("DELETE FROM change_feed")
        self.simulation.restart_enrolment()

    def test_a_silent_connection_is_left(self):
        self.each(self.check_silence)

    def check_silence(self, language):
        line, copy = self.line(language), self.place(language) / "copy.json"
        program = self.start(language, "registry", "follow", "--heartbeat=1",
                             through=line.address)
        program.wait_for("Read the list: ")
        self.check_heartbeats_move(copy, language)
        line.silence()
        program.wait_for("The stream broke")
        program.wait_for("Going on with ")
        self.check_heartbeats_move(copy, language + "-again")

    def check_heartbeats_move(self, copy, organisation):
        """The token of a copy goes on over what is not for it."""
        first = json.loads(copy.read_text())["feedToken"]
        self.api.call("POST", f"v1/{BODY}/organisations?organisationId={organisation}",
                      {"displayName": "Compagnie Imaginaire"})
        give_up = time.monotonic() + PATIENCE_S
        while json.loads(copy.read_text())["feedToken"] == first:
            self.assertLess(time.monotonic(), give_up)
            time.sleep(0.02)

    def test_a_copy_loses_what_it_may_no_longer_have(self):
        enrolment, application = self.enrol("afdas")
        copies = [self.place(language) / "copy.json" for language in LANGUAGES]
        programs = [self.start(language, "afdas", "follow", "--kind=enrolment")
                    for language in LANGUAGES]
        for program, copy in zip(programs, copies):
            program.wait_for("Read the list: 1 ")
            self.assertEqual([enrolment], list(json.loads(copy.read_text())["resources"]))
        self.api.post(application + ":changePayer", requestId=new_uuid(),
                      payer=self.payer("opco-ep"))
        for program, copy in zip(programs, copies):
            program.wait_for(f"- {enrolment}  ChangePayer")
            self.assertEqual({}, json.loads(copy.read_text())["resources"])

    def payer(self, funder):
        return {"kind": "PAYER_KIND_OPCO", "organisation": self.employer, "funderId": funder}

    def enrol(self, funder):
        """(enrolment, application) of somebody whom an OPCO pays for."""
        self.__class__.employer = self.api.call(
            "POST", f"v1/{BODY}/organisations?organisationId=theatre",
            {"displayName": "Théâtre Imaginaire"})["name"]
        pieces = []
        for kind in ("CV", "LETTER"):
            content = pdf(kind)
            upload = self.simulation.ask("CreateUpload", parent=BODY, upload={
                "byte_size": len(content), "content_type": "application/pdf"}).name
            self.simulation.ask("WriteUpload", name=upload, data=content)
            pieces.append({"kind": "PIECE_KIND_" + kind, "upload": upload})
        application = self.submit(f"paid.by.{funder}@example.org", pieces, **self.payer(funder))
        self.api.post(application + ":admit", decider="Responsable Imaginaire", reason="Remplit "
                      "les conditions.", requestId=new_uuid())
        agreement = self.api.call("POST", f"v1/{BODY}/agreements", {"application": application})
        self.api.post(agreement["name"] + ":sign", signatory="Directrice Imaginaire")
        enrolment = self.api.post(application + ":confirm",
                                  commitment="COMMITMENT_KIND_SIGNED_AGREEMENT")
        return enrolment["name"], application

    # webhook

    def test_webhook(self):
        self.each(self.check_webhook)

    def check_webhook(self, language):
        place = self.place(language)
        receiver = self.start(language, "registry", "webhook", "--listen=127.0.0.1:0",
                              "--secret-file=secret")
        line = receiver.lines[receiver.wait_for("Listening on ")]
        url = line.removeprefix("Listening on ")
        receiver.wait_for("Read the list: ")
        made = self.api.call("POST", f"v1/{BODY}/webhooks", {
            "url": url, "services": ["SERVICE_ENROLMENT"], "kinds": ["application"],
            "contact": {"name": "Intégratrice Imaginaire", "email": "essai@example.org"}})
        webhook, first = made["webhook"]["name"], made["secret"]
        (place / "secret").write_text(first + "\n")

        tested = self.api.post(webhook + ":sendTestEvent")
        self.assertEqual("STATE_DELIVERED", tested["state"], tested)
        receiver.wait_for(" webhook.test")
        receiver.wait_for("A test event: it works")
        name = self.submit(f"webhook.{language}@example.org")
        receiver.wait_for(f"+ {name}  SubmitApplication")
        self.assertEqual(self.api.get(name),
                         json.loads((place / "copy.json").read_text())["resources"][name])

        # The receiver has the former secret until it is given the new one.
        second = self.api.post(webhook + ":rotateSecret")["secret"]
        name = self.submit(f"rotated.{language}@example.org")
        receiver.wait_for(f"+ {name}  SubmitApplication")
        (place / "secret").write_text(second + "\n")
        name = self.submit(f"replaced.{language}@example.org")
        receiver.wait_for(f"+ {name}  SubmitApplication")
        self.check_forgeries(receiver, url, place, first, second)
        # What comes after something later of the same resource changes nothing.
        late = json.dumps({"type": "enrolment.application.removed", "timestamp": OPENED, "data": {
            "service": "enrolment", "kind": "application", "resource": name, "version": 0,
            "feedToken": ""}}).encode()
        now = int(time.time())
        self.assertEqual(204, post(url, late, "late", now, sign(second, "late", now, late)))
        self.api.post(webhook + ":sendTestEvent")
        receiver.wait_for("A test event: it works", times=5)
        self.assertEqual(self.api.get(name),
                         json.loads((place / "copy.json").read_text())["resources"][name])
        self.api.call("DELETE", "v1/" + webhook)

    def check_forgeries(self, receiver, url, place, former, secret):
        body = json.dumps({"type": "webhook.test", "timestamp": "2025-09-08T09:00:00Z",
                           "data": {"webhook": "bodies/opale/webhooks/essai"}}).encode()
        now = int(time.time())
        other = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        good = sign(secret, "essai-1", now, body)
        for status, event_id, timestamp, signature in (
                (401, "essai-1", now, sign(other, "essai-1", now, body)),
                (401, "essai-1", now, sign(former, "essai-1", now, body)),
                (401, "essai-2", now, good),
                (401, "essai-1", now + 1, good),
                (401, "essai-1", now, good.replace("v1,", "v1a,")),
                (401, "essai-1", now, ""),
                (401, "essai-1", now - 600, sign(secret, "essai-1", now - 600, body)),
                (401, "essai-1", now + 600, sign(secret, "essai-1", now + 600, body)),
                (204, "essai-1", now, good),
                (200, "essai-1", now, good),
                (204, "essai-3/../..", now, f"{sign(other, 'essai-3/../..', now, body)} "
                                            f"{sign(secret, 'essai-3/../..', now, body)}")):
            self.assertEqual(status, post(url, body, event_id, timestamp, signature),
                             (event_id, timestamp - now, signature))
        self.assertEqual(401, post(url, body + b" ", "essai-1", now, good))
        # A receiver that has both secrets takes what either has signed.
        (place / "secret").write_text(f"{secret}\n{former}\n")
        self.assertEqual(204, post(url, body, "essai-4", now, sign(former, "essai-4", now, body)))
        # One for each that was new and genuine, and the one that the gateway sent.
        receiver.wait_for("A test event: it works", times=4)
        self.assertEqual(4, receiver.text().count("A test event: it works"))


def sign(secret, event_id, timestamp, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def post(url, body, event_id, timestamp, signature):
    request = urllib.request.Request(url, body, {
        "Content-Type": "application/json", "webhook-id": event_id,
        "webhook-timestamp": str(timestamp), "webhook-signature": signature})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


if __name__ == "__main__":
    unittest.main()
