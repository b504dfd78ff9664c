#!/usr/bin/python3
"""Answers GetProgramme with the message of a file, and nothing else."""

import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pb2, message_factory

CONTRACT = "parcours/enrolment/v1/programme_service.proto"


def programme_type():
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(
            ["protoc", "-Iproto", "-Inode_modules/google-proto-files",
             "--include_imports", "-o", file.name, CONTRACT], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    return message_factory.GetMessages(
        files.file)["parcours.enrolment.v1.Programme"]


class Handler(grpc.GenericRpcHandler):

    def __init__(self, programme):
        self._handlers = {
            "/parcours.enrolment.v1.ProgrammeService/GetProgramme":
                grpc.unary_unary_rpc_method_handler(
                    lambda request, context: programme,
                    response_serializer=type(programme).SerializeToString),
            # grpc.health.v1: SERVING.
            "/grpc.health.v1.Health/Check":
                grpc.unary_unary_rpc_method_handler(
                    lambda request, context: b"\x08\x01"),
        }

    def service(self, details):
        return self._handlers.get(details.method)


def main():
    flags = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
    programme = programme_type().FromString(
        pathlib.Path(flags["message"]).read_bytes())
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers([Handler(programme)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    pathlib.Path(flags["port_file"]).write_text(f"{port}\n")
    server.wait_for_termination()


main()
