"""Calls as clients make them who must know what became of each: a change is
sent again under its request id until somebody says how it ended.
"""

import hashlib
import random
import sys
import time
import uuid

import grpc

from history import OK, REFUSED
from system import CHANNEL_OPTIONS, ROOT, SERVICES

sys.path.insert(0, str(ROOT / "tests/end_to_end"))
# pylint: disable-next=wrong-import-position
from contract import Contract, is_repeated  # noqa: E402

# After these nobody knows whether the change was made. The codes that the
# checker never forgives are asked about again as well, and told.
_NOT_KNOWN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
              grpc.StatusCode.ABORTED, grpc.StatusCode.RESOURCE_EXHAUSTED,
              grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}
# Longest wait for one answer.
_DEADLINE = 3.0
_CHUNK = 65536


class GaveUp(Exception):
    """Nobody answered for too long; the run is over for this client."""


class Contracts:
    """The contract, read once, with its methods by name."""

    def __init__(self):
        self.contract = Contract()
        self.methods = {}
        for service, method in self.contract.methods():
            package = service.full_name.split(".")[1]
            self.methods.setdefault((package, method.name), (service, method))

    def find(self, service, method):
        return self.methods.get((service, method)) or self.methods["platform", method]


def version_of(etag):
    return int(etag[2:-1]) if etag else 0


def said_of(answer):
    """What the checker has to know of an answer."""
    fields = answer.DESCRIPTOR.fields_by_name
    said = {}
    if "name" in fields:
        said["name"] = answer.name
    if "etag" in fields:
        said["version"] = version_of(answer.etag)
    if "rank" in fields:
        said["rank"] = answer.rank
    return said


class Client:
    """One client, used by one thread. Of two replicas it asks one, and the other
    when that does not answer. `limit` is when it gives up, on the monotonic
    clock."""

    def __init__(self, name, contracts, system, history, seed):
        self.name, self.contracts, self.history = name, contracts, history
        self.random = random.Random(f"{seed} {name}")
        self.limit = float("inf")
        self._metadata = [("authorization", f"Bearer {system.token()}")]
        self._channels = {}
        self._stubs = {}
        self._preferred = self.random.randrange(2)
        for service in SERVICES:
            self._channels[service] = [
                grpc.insecure_channel(system.addresses(i)[service], CHANNEL_OPTIONS)
                for i in range(len(system.replicas[service]))]

    def close(self):
        for channels in self._channels.values():
            for channel in channels:
                channel.close()

    def new_id(self):
        """A UUID of this client's own chance: the same in each replay."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def _ways(self, service):
        """The channels in the order in which they are tried, for ever."""
        channels = self._channels[service]
        index = self._preferred
        while True:
            yield channels[index % len(channels)]
            index += 1

    def _stub(self, channel, service, method):
        key = (channel, service, method)
        if key not in self._stubs:
            of, described = self.contracts.find(service, method)
            response = self.contracts.contract.factory.GetPrototype(described.output_type)
            make = channel.stream_unary if method == "WriteUpload" else channel.unary_unary
            self._stubs[key] = make(f"/{of.full_name}/{described.name}",
                                    request_serializer=lambda m: m.SerializeToString(),
                                    response_deserializer=response.FromString)
        return self._stubs[key]

    def request(self, service, method, fields):
        _, described = self.contracts.find(service, method)
        return self.contracts.contract.message(described.input_type.full_name, **fields)

    def _pause(self, attempts):
        if time.monotonic() > self.limit:
            raise GaveUp(self.name)
        time.sleep(min(0.4, 0.03 * attempts) * self.random.uniform(0.5, 1.5))

    def change(self, service, method, asked=None, **fields):
        """Sends a change until its outcome is known, and records it. The answer,
        or nothing for a refusal."""
        request_id = self.new_id()
        request = self.request(service, method, fields | {"request_id": request_id})
        operation = self.history.begin(self.name, service, method, request_id,
                                       {"name": fields.get("name")} | (asked or {}))
        for channel in self._ways(service):
            operation["attempts"] += 1
            try:
                answer = self._stub(channel, service, method)(
                    request, metadata=self._metadata, timeout=_DEADLINE)
            except grpc.RpcError as error:
                reasons = self.contracts.contract.reasons(error)
                if error.code() not in _NOT_KNOWN:
                    self.history.end(operation, REFUSED, error.code().name, reasons)
                    return None
                doubt = reasons[0] if reasons else error.code().name
                operation["doubts"].append(doubt)
                if error.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN):
                    operation["doubts"].append(error.code().name)
                    operation["reasons"] = [error.details()]
                self._pause(operation["attempts"])
                continue
            self.history.end(operation, OK, said=said_of(answer))
            return answer

    def read(self, service, method, metadata=(), **fields):
        """The answer to a read, however long that takes. Nothing when it is
        refused, which is recorded: nobody reads here what may be."""
        request = self.request(service, method, fields)
        for attempts, channel in enumerate(self._ways(service), 1):
            try:
                return self._stub(channel, service, method)(
                    request, metadata=[*self._metadata, *metadata], timeout=_DEADLINE)
            except grpc.RpcError as error:
                if error.code() not in _NOT_KNOWN:
                    self.history.observe("refusal", service, time.monotonic(), {
                        "method": method, "code": error.code().name,
                        "reasons": self.contracts.contract.reasons(error)})
                    return None
                self._pause(attempts)

    def read_all(self, service, method, **fields):
        """All items of a list."""
        items, token = [], ""
        while True:
            answer = self.read(service, method, page_size=500, page_token=token, **fields)
            if answer is None:
                return items
            for field in answer.DESCRIPTOR.fields:
                if is_repeated(field):
                    items += getattr(answer, field.name)
                    break
            token = answer.next_page_token
            if not token:
                return items

    def upload(self, service, parent, data):
        """The name of an upload of those bytes, complete; nothing when refused."""
        made = self.change(service, "CreateUpload", parent=parent, asked={"changes": False},
                           upload={"byte_size": len(data), "content_type": "application/pdf",
                                   "sha256": hashlib.sha256(data).hexdigest()})
        if made is None:
            return None
        operation = self.history.begin(self.name, service, "WriteUpload", "",
                                       {"name": made.name, "changes": False})
        for channel in self._ways(service):
            operation["attempts"] += 1
            offset = 0
            if operation["attempts"] > 1:
                # A call that broke may have left a part there.
                known = self.read(service, "GetUpload", name=made.name)
                offset = known.received_bytes if known is not None else 0
            chunks = [self.request(service, "WriteUpload",
                                   {"name": made.name, "write_offset": start,
                                    "data": data[start:start + _CHUNK]})
                      for start in range(offset, len(data), _CHUNK)] or \
                [self.request(service, "WriteUpload", {"name": made.name,
                                                       "write_offset": offset})]
            try:
                answer = self._stub(channel, service, "WriteUpload")(
                    iter(chunks), metadata=self._metadata, timeout=2 * _DEADLINE)
            except grpc.RpcError as error:
                reasons = self.contracts.contract.reasons(error)
                operation["doubts"].append(reasons[0] if reasons else error.code().name)
                # What another attempt has changed meanwhile is read, and tried again.
                if error.code() not in _NOT_KNOWN and ("UPLOAD_EXPIRED" in reasons or
                                                       operation["attempts"] > 20):
                    self.history.end(operation, REFUSED, error.code().name, reasons)
                    return None
                self._pause(operation["attempts"])
                continue
            self.history.end(operation, OK, said={"name": answer.name})
            return answer.name
