"""A simulation of the three services for a test, and calls to it by token."""

import os
import pathlib
import re
import subprocess
import tempfile

import grpc

from contract import ROOT, is_repeated, new_uuid

SERVICES = ("enrolment", "scheduling", "evaluation")


class Simulation:
    """The services, started when made and ended by stop; `also` the gateway."""

    def __init__(self, binaries, contract, *also):
        self.contract = contract
        self.binaries = pathlib.Path(binaries).resolve()
        self.folder = tempfile.TemporaryDirectory(prefix="parcours-walk.")
        self.state = pathlib.Path(self.folder.name, "system")
        self.also = also
        self.methods = {}
        for service, method in contract.methods():
            self.methods.setdefault(method.name, (service, method))
        self.start()

    def start(self):
        """On what is in its folder, on other ports than before."""
        self.process = subprocess.Popen(
            [ROOT / "tests/end_to_end/simulation.sh", self.state, *self.also], cwd=ROOT,
            env=os.environ | {"PARCOURS_BINARIES": str(self.binaries)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.stop()
            raise AssertionError("the simulation did not start")
        ports = {name: (self.state / "run" / (name + ".port")).read_text().strip()
                 for name in (*SERVICES, *self.also)}
        self.addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        self.channels = {name: grpc.insecure_channel(self.addresses[name]) for name in SERVICES}
        self.administrator = (self.state / "authority/token").read_text().strip()

    def halt(self):
        """Ends the services and leaves the folder, for another start."""
        for channel in getattr(self, "channels", {}).values():
            channel.close()
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def stop(self):
        self.halt()
        self.folder.cleanup()

    def restart_enrolment(self):
        """Stops it and starts it again, where it was."""
        self.process.stdin.write("restart\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "restarted\n":
            raise AssertionError("enrolment did not start again")

    def command(self, *arguments):
        done = subprocess.run(
            [self.binaries / "clients/cli/parcours", *arguments], cwd=ROOT, text=True,
            env=os.environ | {"PARCOURS_TOKEN_FILE": str(self.state / "authority/token")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise AssertionError(f"parcours {arguments[0]}: {done.stdout[-4000:]}")
        return done.stdout

    def live(self, programme):
        """Lives the cohort of the files of one programme."""
        self.command("demo", *(f"--{name}_address={address}"
                               for name, address in self.addresses.items()),
                     "--seed=7", f"--programme={','.join(map(str, programme))}",
                     f"--report={self.state}/report.json")

    def live_later(self, programme, years):
        """The same with every date that many years later."""
        later = self.state / pathlib.Path(programme).name
        later.write_text(re.sub(r"\byear: (\d+)", lambda year: f"year: {int(year[1]) + years}",
                                (ROOT / programme).read_text()))
        self.live([later])

    def mint(self, role, **claims):
        """A token for one role, signed by the local authority."""
        flags = [f"--{claim}={value}" for claim, value in claims.items() if value]
        out = self.state / f"token-{new_uuid()}"
        self.command("token", f"--as={role.lower()}", f"--subject=walk-{role.lower()}", *flags,
                     f"--signing_key_file={self.state}/authority/signing-key.json",
                     f"--out={out}")
        return out.read_text().strip()

    def send(self, service, method, request, token):
        """(code, answer, error) of a call to whoever serves the method."""
        package = service.full_name.split(".")[1]
        channel = self.channels[package if package in SERVICES else "enrolment"]
        return self.contract.call(channel, service, method, request, token)

    def ask(self, name, /, **fields):
        """The answer to an administrator; fails when there is none."""
        service, method = self.methods[name]
        request = self.contract.message(method.input_type.full_name, **fields)
        code, answer, error = self.send(service, method, request, self.administrator)
        if code != grpc.StatusCode.OK:
            raise AssertionError(f"{name} {fields}: {code} {self.contract.reasons(error)}")
        return answer

    make = ask

    def list_all(self, name, **fields):
        items, token = [], ""
        while True:
            answer = self.ask(name, page_token=token, **fields)
            for field in answer.DESCRIPTOR.fields:
                if is_repeated(field):
                    items += getattr(answer, field.name)
                    break
            token = answer.next_page_token
            if not token:
                return items

    def heads(self):
        """How far each service's change feed has come."""
        service, method = self.methods["ListChanges"]
        heads = {}
        for name in SERVICES:
            token, more = "", True
            while more:
                request = self.contract.message(method.input_type.full_name, page_size=1000,
                                                after_token=token)
                code, answer, _ = self.contract.call(self.channels[name], service, method,
                                                     request, self.administrator)
                assert code == grpc.StatusCode.OK, code
                token, more = answer.next_token, answer.more
            heads[name] = token
        return heads
