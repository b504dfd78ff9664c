"""The contract as the services' own options describe it, for tests that walk all
of it: descriptors, generic calls over gRPC, and requests made up from them."""

import pathlib
import subprocess
import tempfile
import uuid

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Contract:
    """Every method of the services, and the messages to call them with."""

    def __init__(self):
        protos = sorted(ROOT.glob("proto/parcours/*/v1/*.proto"))
        google = ROOT / "node_modules/google-proto-files"
        with tempfile.NamedTemporaryFile() as file:
            subprocess.run(["protoc", "-I/usr/include", f"-I{google}", f"-I{ROOT / 'proto'}",
                            "--include_imports", f"--descriptor_set_out={file.name}",
                            *map(str, protos), "google/rpc/status.proto",
                            "google/rpc/error_details.proto"], check=True)
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        self.pool = descriptor_pool.DescriptorPool()
        for proto in files.file:
            self.pool.Add(proto)
        self.factory = message_factory.MessageFactory(self.pool)
        # The options are read with the pool's own messages: a class of each
        # makes its extensions known.
        self._options = self._class("google.protobuf.MethodOptions")
        self._field_options = self._class("google.protobuf.FieldOptions")
        for name in ("parcours.type.v1.access", "google.api.http"):
            self._options.RegisterExtension(self.pool.FindExtensionByName(name))
        for name in ("parcours.type.v1.rules", "parcours.type.v1.readers",
                     "google.api.field_behavior", "google.api.resource_reference"):
            self._field_options.RegisterExtension(self.pool.FindExtensionByName(name))
        self._message_options = self._class("google.protobuf.MessageOptions")
        self._message_options.RegisterExtension(
            self.pool.FindExtensionByName("google.api.resource"))

    def _class(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))

    def message(self, name, /, **fields):
        return self._class(name)(**fields)

    def methods(self):
        """(service, method descriptor), in order of their names."""
        for package in ("enrolment", "scheduling", "evaluation", "platform"):
            for path in sorted(ROOT.glob(f"proto/parcours/{package}/v1/*.proto")):
                file = self.pool.FindFileByName(f"parcours/{package}/v1/{path.name}")
                for service in file.services_by_name.values():
                    for method in service.methods:
                        yield service, method

    def option(self, method, name):
        options = self._options.FromString(method.GetOptions().SerializeToString())
        return options.Extensions[self.pool.FindExtensionByName(name)]

    def field_option(self, field, name):
        options = self._field_options.FromString(field.GetOptions().SerializeToString())
        return options.Extensions[self.pool.FindExtensionByName(name)]

    def grants(self, method):
        """Scope by role, as "COORDINATOR": "BODY"."""
        roles = self.pool.FindEnumTypeByName("parcours.type.v1.Role").values_by_number
        scopes = self.pool.FindEnumTypeByName("parcours.type.v1.Scope").values_by_number
        return {roles[role].name[len("ROLE_"):]: scopes[grant.scope].name[len("SCOPE_"):]
                for grant in self.option(method, "parcours.type.v1.access").grants
                for role in grant.roles}

    def only_reads(self, method):
        return bool(self.option(method, "google.api.http").get)

    def is_required(self, field):
        return 2 in self.field_option(field, "google.api.field_behavior")

    def reference(self, field):
        """The type of resource that a field names, and whether its children."""
        found = self.field_option(field, "google.api.resource_reference")
        return found.type or found.child_type, bool(found.child_type)

    def resource_of(self, message):
        """"Cohort" for the message that is parcours/Cohort, else nothing."""
        options = self._message_options.FromString(message.GetOptions().SerializeToString())
        found = options.Extensions[self.pool.FindExtensionByName("google.api.resource")]
        return found.type.rsplit("/", 1)[-1]

    def sample(self, field):
        """A value that the rules of a string or bytes field accept."""
        if field.type == FieldDescriptor.TYPE_BYTES:
            return b"x"
        kinds = self.pool.FindEnumTypeByName("parcours.type.v1.FieldRules.PatternKind")
        kind = self.field_option(field, "parcours.type.v1.rules").pattern_kind
        return SAMPLES.get(kinds.values_by_number[kind].name[len("PATTERN_KIND_"):],
                           f"walk-{uuid.uuid4().hex[:12]}")

    def call(self, channel, service, method, request, token=None, timeout=10):
        """Sends any call; (status code, response, error). Of a stream of answers
        the first is taken, and the stream left."""
        path = f"/{service.full_name}/{method.name}"
        response = self.factory.GetPrototype(method.output_type)
        metadata = [("authorization", f"Bearer {token}")] if token else []
        streams = descriptor_pb2.MethodDescriptorProto()
        method.CopyToProto(streams)
        stub = {(False, False): channel.unary_unary, (True, False): channel.stream_unary,
                (False, True): channel.unary_stream}[
                    streams.client_streaming, streams.server_streaming](
            path, request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=response.FromString)
        try:
            answer = stub(iter([request]) if streams.client_streaming else request,
                          metadata=metadata, timeout=timeout)
            if streams.server_streaming:
                stream, answer = answer, next(answer)
                stream.cancel()
            return grpc.StatusCode.OK, answer, None
        except grpc.RpcError as error:
            return error.code(), None, error

    def reasons(self, error):
        """What is wrong: reasons of the error and of its fields."""
        status = self._class("google.rpc.Status")
        for key, value in error.trailing_metadata() or ():
            if key != "grpc-status-details-bin":
                continue
            found = []
            for detail in status.FromString(value).details:
                name = detail.type_url.rsplit("/", 1)[1]
                unpacked = self._class(name).FromString(detail.value)
                if name == "google.rpc.ErrorInfo":
                    found.append(unpacked.reason)
                elif name == "google.rpc.BadRequest":
                    found += [f"{violation.field}: {violation.description}"
                              for violation in unpacked.field_violations]
            return found
        return []


SAMPLES = {
    "EMAIL": "marche@exemple.fr", "PHONE": "+33142345678", "COUNTRY": "FR", "DIGITS": "4711",
    "HTTPS_URL": "https://exemple.fr/", "SHA256": "0" * 64, "UUID": str(uuid.uuid4()),
    "SIRET": "35600000000048", "SIREN": "356000000", "POSTAL_CODE": "75011",
    "COMMUNE_CODE": "75111", "ACTIVITY_NUMBER": "11750000075",
}


def new_uuid():
    return str(uuid.uuid4())


def is_message(field):
    return field.type == FieldDescriptor.TYPE_MESSAGE


def is_map(field):
    return is_message(field) and field.message_type.GetOptions().map_entry


def is_repeated(field):
    return field.label == FieldDescriptor.LABEL_REPEATED
