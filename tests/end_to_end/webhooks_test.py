"""A cohort is lived while webhooks of a body, of a funder and of another body are
sent from a gateway that is killed in between: what each receiver got is held
against the change feeds, and every signature is computed here, by hand.

usage: webhooks_test.py BINARIES   the folder of a build, as build/asan
"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import grpc

from contract import ROOT, Contract, new_uuid
from simulation import SERVICES, Simulation

BINARIES = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path("build/release")

GATEWAY = ROOT / "clients/gateway"
NODE = ROOT / "node_modules/.bin/node"
BODY = "bodies/opale"
PATIENCE = 120


class Receiver:
    """A partner's server: keeps what comes, and refuses the first event."""

    def __init__(self):
        self.events = []
        self.refused = 0
        self.changed = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.take(dict(self.headers.items()), body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # A gateway that was killed leaves its connections broken.

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.secret = ""

    def take(self, headers, body):
        with self.changed:
            if self.refused == 0:
                self.refused += 1
                return 500
            self.events.append(({name.lower(): value for name, value in headers.items()}, body))
            self.changed.notify_all()
            return 204

    def is_genuine(self, headers, body):
        key = base64.b64decode(self.secret[len("whsec_"):])
        signed = b".".join([headers["webhook-id"].encode(),
                            headers["webhook-timestamp"].encode(), body])
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return (headers["webhook-signature"] == expected and
                abs(time.time() - int(headers["webhook-timestamp"])) < 300)

    def distinct(self):
        """The first coming of each event, in the order of their coming."""
        first = {}
        for headers, body in self.events:
            first.setdefault(headers["webhook-id"], json.loads(body))
        return list(first.values())

    def wait_for(self, count):
        with self.changed:
            return self.changed.wait_for(lambda: len(self.distinct()) >= count, PATIENCE)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Gateway:
    """The gateway's process, over the simulation."""

    def __init__(self, simulation, folder):
        self.simulation, self.folder = simulation, pathlib.Path(folder)
        self.lines = []
        subprocess.run([NODE, "--disable-warning=ExperimentalWarning", "src/contract/build.ts",
                        self.folder / "contract"], cwd=GATEWAY, check=True)

    def start(self):
        state = self.simulation.state
        authority = state / "authority"
        reader = authority / "feed-reader.pem"
        tls = {name: (state / "run" / f"{name}.tls-port").read_text().strip() for name in SERVICES}
        self.process = subprocess.Popen(
            [NODE, "--disable-warning=ExperimentalWarning", "src/main.ts",
             "--listen_address=127.0.0.1:0", f"--port_file={self.folder}/port",
             f"--contract_dir={self.folder}/contract",
             *(f"--{name}_address={address}" for name, address in self.simulation.addresses.items()),
             *(f"--feed_{name}_address=127.0.0.1:{port}" for name, port in tls.items()),
             f"--feed_certificate_file={reader}", f"--feed_key_file={reader}",
             f"--feed_ca_file={authority}/ca.pem",
             f"--webhooks_database={self.folder}/webhooks.db",
             f"--webhooks_key_file={self.folder}/webhooks.key", "--webhooks_allow_loopback"],
            cwd=GATEWAY, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            self.lines.append(line)
            if '"msg":"listening"' in line:
                break
        else:
            raise AssertionError("the gateway did not start: " + "".join(self.lines))
        self.reading = threading.Thread(target=self.lines.extend, args=(self.process.stderr,),
                                        daemon=True)
        self.reading.start()
        self.url = f"http://127.0.0.1:{(self.folder / 'port').read_text().strip()}"

    def end(self, how):
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        self.reading.join()
        self.process.stderr.close()
        return code

    def call(self, verb, path, token, body=None):
        """(status, answer)"""
        request = urllib.request.Request(
            f"{self.url}/v1/{path}", method=verb,
            data=None if body is None else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


class WebhooksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.simulation = Simulation(BINARIES, Contract())
        cls.addClassCleanup(cls.simulation.stop)
        folder = tempfile.TemporaryDirectory(prefix="parcours-webhooks.")
        cls.addClassCleanup(folder.cleanup)
        cls.gateway = Gateway(cls.simulation, folder.name)
        cls.gateway.start()
        cls.addClassCleanup(lambda: cls.gateway.process.poll() is None and
                            cls.gateway.end(signal.SIGKILL))

    def create(self, token, receiver, **fields):
        """A webhook for a receiver; waits until the gateway knows where the feeds are."""
        parent = fields.pop("parent", BODY)
        webhook = {"url": receiver.url, "contact": {"name": "Contact d’essai",
                                                    "email": "essai@exemple.fr"}, **fields}
        path = f"{parent}/webhooks?requestId={new_uuid()}"
        end = time.monotonic() + PATIENCE
        status, answer = self.gateway.call("POST", path, token, webhook)
        while status == 503 and time.monotonic() < end:
            status, answer = self.gateway.call("POST", path, token, webhook)
        self.assertEqual(200, status, answer)
        receiver.secret = answer["secret"]
        self.addCleanup(receiver.stop)
        return answer["webhook"]

    def changes(self, token, *within):
        """The changes of all feeds that the bearer may see, in order of each feed;
        of those the ones that lie within."""
        service, method = self.simulation.methods["ListChanges"]
        found = []
        for name in SERVICES:
            after, more = "", True
            while more:
                request = self.simulation.contract.message(
                    method.input_type.full_name, page_size=1000, after_token=after,
                    filter={"within": within})
                code, answer, _ = self.simulation.contract.call(
                    self.simulation.channels[name], service, method, request, token)
                self.assertEqual(grpc.StatusCode.OK, code)
                found += [(name, c.kind, c.resource, c.version, c.cause, c.removed)
                          for c in answer.changes]
                after, more = answer.next_token, answer.more
        return found

    @staticmethod
    def by_resource(changes):
        sorted_out = collections.defaultdict(list)
        for service, kind, resource, version, cause, removed in changes:
            sorted_out[service, resource].append((kind, version, cause, removed))
        return sorted_out

    def events_of(self, receiver):
        return [(e["data"]["service"], e["data"]["kind"], e["data"]["resource"],
                 e["data"]["version"], e["data"].get("cause", ""),
                 e["type"].endswith(".removed")) for e in receiver.distinct()]

    def test_each_receiver_gets_what_concerns_it_once_and_in_order(self):
        mint = self.simulation.mint
        coordinator = mint("COORDINATOR", body=BODY)
        funder = mint("FUNDER", body=BODY, funder="afdas")
        stranger = mint("COORDINATOR", body="bodies/exemple")
        body, own, other = Receiver(), Receiver(), Receiver()
        created = self.create(coordinator, body)
        self.create(funder, own)
        self.create(stranger, other, parent="bodies/exemple")
        self.assertNotIn("secret", created)

        lived = threading.Thread(target=self.simulation.live, args=(
            ["programmes/culture-ess-2026.txtpb",
             "programmes/culture-ess-2026.fictitious.txtpb"],))
        lived.start()
        for count in (50, 200):
            self.assertTrue(body.wait_for(count))
            self.gateway.end(signal.SIGKILL)
            self.gateway.start()
        lived.join()

        # A funder's webhook gets what the feed shows the funder.
        paid = self.changes(funder)
        for receiver, expected in ((body, self.changes(coordinator)), (own, paid)):
            self.assertGreater(len(expected), 5)
            self.assertTrue(receiver.wait_for(len(expected)),
                            f"{len(receiver.distinct())} of {len(expected)} events")
            self.assertEqual(self.by_resource(expected),
                             self.by_resource(self.events_of(receiver)))
            self.assertEqual(len(expected), len(receiver.distinct()))
            for headers, content in receiver.events:
                self.assertTrue(receiver.is_genuine(headers, content), content)
        self.assertEqual([], other.events)
        self.assertEqual(1, body.refused)
        submitted = [e for e in body.distinct() if e["data"].get("cause") == "SubmitApplication"
                     and e["type"] == "enrolment.application.updated"]
        self.assertGreater(len(submitted), 5)
        # What the funder got is part of what the body has, and no more than its own.
        self.assertLess(len(own.distinct()), len(body.distinct()))

        # Nobody's name or address is in an event, and none in the gateway's log.
        people = self.simulation.list_all("ListPersons", parent=BODY)
        self.assertGreater(len(people), 5)
        sent = b"".join(content for _, content in body.events).decode()
        for text in (sent, "".join(self.gateway.lines)):
            for person in people:
                for value in (person.email, person.phone, person.birth_name,
                              f"{person.given_name} {person.family_name}"):
                    self.assertFalse(value != "" and value in text, value)

        # Two bodies, and who may not see a webhook at all.
        for token, expected in ((coordinator, 200), (funder, 403), (stranger, 403),
                                (mint("LEARNER", body=BODY, person=people[0].name), 403),
                                ("forged", 401), (self.simulation.administrator, 200)):
            status, answer = self.gateway.call("GET", created["name"], token)
            self.assertEqual(expected, status, answer)
        status, answer = self.gateway.call(
            "GET", f"{created['name']}/deliveries?pageSize=2&state=STATE_DELIVERED", coordinator)
        self.assertEqual(200, status)
        self.assertEqual(2, len(answer["webhookDeliveries"]))
        status, answer = self.gateway.call(
            "POST", f"{created['name']}:sendTestEvent", coordinator, {})
        self.assertEqual((200, "STATE_DELIVERED"), (status, answer.get("state")))
        self.assertEqual(0, self.gateway.end(signal.SIGTERM))


if __name__ == "__main__":
    unittest.main(verbosity=2)
