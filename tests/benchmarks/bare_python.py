#!/usr/bin/python3
"""Answers GetProgramme with the bytes of a file, and nothing else."""

import concurrent.futures
import pathlib
import sys

import grpc

METHODS = {
    "/parcours.enrolment.v1.ProgrammeService/GetProgramme": None,
    # grpc.health.v1: SERVING.
    "/grpc.health.v1.Health/Check": b"\x08\x01",
}


class Handler(grpc.GenericRpcHandler):

    def __init__(self, message):
        self._handlers = {
            method: grpc.unary_unary_rpc_method_handler(
                lambda request, context, answer=answer or message: answer)
            for method, answer in METHODS.items()}

    def service(self, details):
        return self._handlers.get(details.method)


def main():
    flags = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
    message = pathlib.Path(flags["message"]).read_bytes()
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers([Handler(message)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    pathlib.Path(flags["port_file"]).write_text(f"{port}\n")
    server.wait_for_termination()


main()
