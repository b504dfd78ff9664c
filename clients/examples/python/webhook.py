"""Receives webhooks, checks that they are genuine, and keeps a copy by them."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import queue
import re
import sys
import threading
import time
import urllib.parse

from connection import Refused, backoff_s
from follow import POSITION_LOST
from local_copy import LocalCopy, Source

TOLERANCE_S = 300
MOST_BYTES = 64 * 1024


def add_arguments(parser):
    parser.add_argument("--listen", default="127.0.0.1:8091", help="host:port; port 0: a free one")
    parser.add_argument("--secret-file", default="webhook.secret",
                        help="the secret, whsec_…; during a rotation both, one on a line")
    parser.add_argument("--inbox", default="inbox", help="folder of the events that came")
    parser.add_argument("--kind", choices=("application", "enrolment"), default="application")
    parser.add_argument("--copy", default="copy.json", help="the file of the copy")


def run(connection, arguments):
    source = Source(connection, arguments.kind, arguments.cohort)
    copy = LocalCopy(arguments.copy, arguments.kind, arguments.cohort)
    inbox = Inbox(arguments.inbox)
    threading.Thread(target=work, args=(inbox, copy, source), daemon=True).start()

    host, _, port = arguments.listen.rpartition(":")
    Receiver.inbox, Receiver.secret_file = inbox, arguments.secret_file
    server = http.server.ThreadingHTTPServer((host, int(port)), Receiver)
    say(f"Listening on http://{host}:{server.server_address[1]}/")
    server.serve_forever()


def say(text):
    """Prints a line whole, whichever thread says it."""
    sys.stdout.write(text + "\n")


class Receiver(http.server.BaseHTTPRequestHandler):
    """Checks an event, writes it down and answers: the work comes after."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    inbox = None
    secret_file = ""

    def do_POST(self):  # pylint: disable=invalid-name
        length = int(self.headers.get("content-length") or -1)
        if not 0 <= length <= MOST_BYTES:
            self.close_connection = True
            self.answer(413, f"{length} bytes")
            return
        body = self.rfile.read(length)
        # Read each time, so that a rotation needs no restart.
        secrets = pathlib.Path(self.secret_file).read_text(encoding="ascii").split()
        problem = verify(self.headers, body, secrets, time.time())
        if problem:
            self.answer(401, problem)
        elif self.inbox.add(self.headers["webhook-id"], body):
            self.answer(204, json.loads(body)["type"])
        else:
            self.answer(200, "already here")

    def answer(self, status, word):
        say(f"{status} {self.headers.get('webhook-id', '-')} {word}")
        self.send_response(status)
        if status != 204:
            self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def verify(headers, body, secrets, now):
    """What is wrong with an event, after https://www.standardwebhooks.com; nothing
    when somebody who has one of the secrets sent this body under this id, now."""
    event_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not event_id or not re.fullmatch(r"\d{1,12}", timestamp):
        return "no webhook-id or webhook-timestamp"
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return "too old or too new"
    signed = f"{event_id}.{timestamp}.".encode() + body
    expected = [b"v1," + base64.b64encode(hmac.new(
        base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest())
        for secret in secrets]
    given = headers.get("webhook-signature", "").encode().split()
    # Every pair is compared, each in constant time: during a rotation there are two
    # signatures, and there may be two secrets.
    matches = [hmac.compare_digest(one, other) for one in given for other in expected]
    return None if any(matches) else "no valid signature"


class Inbox:
    """Events as files: FOLDER/new until dealt with, FOLDER/done from then on. An event
    that was answered for is not lost when this program ends, nor dealt with twice."""

    def __init__(self, folder):
        self.new, self.done = pathlib.Path(folder, "new"), pathlib.Path(folder, "done")
        for path in (self.new, self.done):
            path.mkdir(parents=True, exist_ok=True)
        self._waiting = queue.SimpleQueue()
        self._adding = threading.Lock()
        for path in sorted(self.new.glob("*.json"), key=lambda found: found.stat().st_mtime):
            self._waiting.put(path.name)

    def add(self, event_id, body):
        """False when the event is there already."""
        # The id becomes the name of a file, whatever is in it.
        name = urllib.parse.quote(event_id, safe="") + ".json"
        with self._adding:
            if (self.new / name).exists() or (self.done / name).exists():
                return False
            beside = self.new / (name + ".part")
            with open(beside, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.new / name)
        self._waiting.put(name)
        return True

    def next(self):
        """Waits for an event; (name, content)."""
        name = self._waiting.get()
        return name, json.loads((self.new / name).read_bytes())

    def finish(self, name):
        os.replace(self.new / name, self.done / name)


def work(inbox, copy, source):
    """Deals with events, one after another, for ever."""
    failures = 0

    def until_done(what, *arguments):
        nonlocal failures
        while True:
            try:
                what(*arguments)
                failures = 0
                return
            except Refused as refused:
                print(refused.describe(), file=sys.stderr)
                time.sleep(backoff_s(failures, refused.retry_after_s))
                failures += 1

    # The webhook was there before: what changes after the list comes as an event.
    if not copy.feed_token:
        until_done(copy.fill, source)
        say(f"Read the list: {len(copy.resources)} in {copy.path}")
    while True:
        name, event = inbox.next()
        until_done(deal_with, event, copy, source)
        inbox.finish(name)


def deal_with(event, copy, source):
    """Takes an event over: it says what has changed, and nothing of its content."""
    data = event["data"]
    if event["type"] == "webhook.test":
        say("A test event: it works")
    elif event["type"] == "feed.reset" and data["service"] == "enrolment":
        copy.fill(source)
        say(f"Read the list again ({data['reason']}): {len(copy.resources)}")
    elif (event["type"] in (f"enrolment.{copy.kind}.updated", f"enrolment.{copy.kind}.removed")
          and data["resource"].startswith(copy.parent + "/")):
        # Events may come late or in another order: what a later one has said stands.
        if data["version"] < copy.versions.get(data["resource"], 0):
            return
        # With the token, what is read is never older than the event.
        removed = event["type"].endswith(".removed")
        try:
            copy.refresh(source, data["resource"], removed, data["feedToken"])
        except Refused as refused:
            if refused.reason not in POSITION_LOST:
                raise
            copy.fill(source)
        copy.versions[data["resource"]] = data["version"]
        copy.store()
        say(f"{'+' if data['resource'] in copy.resources else '-'} {data['resource']}"
              f"  {data.get('cause', '')}")
    # Anything else is of a later version, or not for this program.
