"""Calls to Parcours: the bearer token, errors by reason, and calling again."""

import json
import random
import sys
import threading
import time

import grpc
from google.rpc import error_details_pb2, status_pb2

from parcours.enrolment.v1 import (api_client_pb2, api_client_pb2_grpc, application_pb2_grpc,
                                   enrolment_pb2_grpc)

TIMEOUT_S = 10
MOST_ATTEMPTS = 10
# After which of its lifetime a token is renewed.
RENEW_AFTER = 0.8


class Refused(Exception):
    """An error, as the contract describes it: docs/errors.md lists the reasons."""

    def __init__(self, code, message, reason="", fields=(), retry_after_s=None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        # (field, what is wrong with it), all of them at once.
        self.fields = list(fields)
        self.retry_after_s = retry_after_s

    @classmethod
    def of(cls, error):
        """What a grpc.RpcError says in its details."""
        refused = cls(error.code(), error.details() or "")
        for key, value in error.trailing_metadata() or ():
            if key != "grpc-status-details-bin":
                continue
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                bad = error_details_pb2.BadRequest()
                retry = error_details_pb2.RetryInfo()
                if detail.Unpack(info):
                    refused.reason = info.reason
                elif detail.Unpack(bad):
                    refused.fields = [(v.field, v.description) for v in bad.field_violations]
                elif detail.Unpack(retry):
                    refused.retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
        return refused

    def is_passing(self):
        """Whether the same call, with the same request_id, may succeed later."""
        if self.code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self.retry_after_s is not None
        return (self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
                or self.reason == "CONFLICT")

    def describe(self):
        lines = [f"Refused: {self.reason or self.code.name}: {self.message}"]
        lines += [f"  {field}: {description.removeprefix(field + ' ')}"
                  for field, description in self.fields]
        return "\n".join(lines)


def backoff_s(attempt, at_least=None):
    """0.1 s, 0.2 s, 0.4 s … 10 s, and up to half of it more at random, so that those
    who failed together do not come back together."""
    delay = max(min(0.1 * 2 ** min(attempt, 10), 10), at_least or 0)
    return delay * (1 + random.random() / 2)


class Connection:
    """Thread-safe."""

    def __init__(self, address, key_file, ca_file=None):
        with open(key_file, encoding="utf-8") as file:
            key = json.load(file)
        self._credential = api_client_pb2.IssueTokenRequest(client=key["client"],
                                                            secret=key["secret"])
        self._token = ""
        self._renew_at = 0.0
        self._renewing = threading.Lock()
        self._address = address
        self._authorities = None
        if ca_file:
            with open(ca_file, "rb") as file:
                self._authorities = file.read()
        self._channel = self.open_channel()
        self._tokens = api_client_pb2_grpc.TokenServiceStub(self._channel)
        self.applications = application_pb2_grpc.ApplicationServiceStub(self._channel)
        self.enrolments = enrolment_pb2_grpc.EnrolmentServiceStub(self._channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._channel.close()

    def open_channel(self):
        """A connection of its own, which asks when nothing comes whether the other end
        is still there."""
        options = [("grpc.keepalive_time_ms", 20_000), ("grpc.keepalive_timeout_ms", 10_000),
                   ("grpc.use_local_subchannel_pool", 1)]
        if self._authorities:
            return grpc.secure_channel(
                self._address, grpc.ssl_channel_credentials(self._authorities), options)
        return grpc.insecure_channel(self._address, options)

    def call(self, method, request, feed_token=""):
        """The answer; tries again while that may help. A change needs a request_id.
        With `feed_token`, the answer is never from before that position."""
        renewed = False
        for attempt in range(MOST_ATTEMPTS):
            try:
                return method(request, timeout=TIMEOUT_S, metadata=self.metadata(feed_token))
            except grpc.RpcError as error:
                refused = Refused.of(error)
            if refused.code == grpc.StatusCode.UNAUTHENTICATED and not renewed:
                renewed = True
                self.forget_token()
            elif not refused.is_passing():
                raise refused
            else:
                wait = backoff_s(attempt, refused.retry_after_s)
                print(f"  {refused.reason or refused.code.name}; again in {wait:.1f} s",
                      file=sys.stderr)
                time.sleep(wait)
        raise refused

    def metadata(self, feed_token=""):
        """What goes with each call."""
        pairs = [("authorization", f"Bearer {self._bearer_token()}")]
        if feed_token:
            pairs.append(("parcours-feed-token", feed_token))
        return pairs

    def forget_token(self):
        self._renew_at = 0.0

    def _bearer_token(self):
        with self._renewing:
            for attempt in range(MOST_ATTEMPTS):
                if time.monotonic() < self._renew_at:
                    break
                try:
                    answer = self._tokens.IssueToken(self._credential, timeout=TIMEOUT_S)
                    self._token = answer.token
                    lifetime = max(answer.expire_time.ToSeconds() - time.time(), 0)
                    self._renew_at = time.monotonic() + max(RENEW_AFTER * lifetime, 1)
                except grpc.RpcError as error:
                    refused = Refused.of(error)
                    if not refused.is_passing() or attempt + 1 == MOST_ATTEMPTS:
                        raise refused from error
                    time.sleep(backoff_s(attempt, refused.retry_after_s))
            return self._token
