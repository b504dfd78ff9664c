"""Stands between the demonstration and the services of a simulation, and writes
into everything that it sends about a candidate a mark of that candidate alone:
afterwards whatever is left of somebody can be found by one short word."""

import concurrent.futures
import hashlib
import re
import threading
import zlib

import grpc

from contract import new_uuid
from simulation import SERVICES

WORKERS = 96
# Of AttendanceEntry.Means.
MEANS_PERSONAL_LINK, MEANS_ASSISTED, MEANS_COORDINATOR_ENTRY = 1, 4, 5


def mark_of(number):
    """What stands in every text that is planted about a candidate."""
    return f"qz7plt{number:02d}z"


def phone_of(number):
    return f"+33199{number:02d}{number:02d}{number:02d}"


def marked_pdf(number, kind):
    """A file with the mark in it, as it is and compressed."""
    mark = mark_of(number).encode()
    hidden = zlib.compress(b"% " + kind.encode() + b" " + mark)
    return (b"%PDF-1.4\n%" + mark + b" " + kind.encode() +
            b"\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
            b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
            b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\n"
            b"endobj\n4 0 obj\n<< /Length " + str(len(hidden)).encode() +
            b" /Filter /FlateDecode >>\nstream\n" + hidden + b"\nendstream\nendobj\n"
            b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n")


class Planting:
    """One server before each service; `number_of` a person, and what was planted
    about them, by kind."""

    # The candidate whom the test itself sends in, with an account of their own.
    OWN = 99

    def __init__(self, simulation):
        self.simulation, self.contract = simulation, simulation.contract
        self.lock = threading.Lock()
        self.numbers = {}      # of a person
        self.persons = {}      # of an enrolment's id, or an application
        self.planted = {}      # number: {kind: {text}}
        self.files = {}        # upload: bytes
        self.uploads = {}      # number: {upload}
        self.by_path = {f"/{service.full_name}/{method.name}": method
                        for service, method in self.contract.methods()}
        self.own_sent = False
        self.servers, self.addresses = [], {}
        for name in SERVICES:
            server = grpc.server(concurrent.futures.ThreadPoolExecutor(WORKERS))
            server.add_generic_rpc_handlers((_Before(self, name),))
            self.addresses[name] = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
            server.start()
            self.servers.append(server)

    def stop(self):
        for server in self.servers:
            server.stop(None).wait()

    def text(self, number, kind):
        """The same each time: a call that is repeated stays the same call."""
        text = f"{kind}-{mark_of(number)}"
        self.note(number, kind, text)
        return text

    def note(self, number, kind, text):
        with self.lock:
            self.planted.setdefault(number, {}).setdefault(kind, set()).add(text)

    def number_of(self, enrolment_or_note):
        """The candidate's, of a name that ends with an enrolment's id."""
        key = re.search(r"/(?:enrolments|validationNotes)/([^/]+)", enrolment_or_note)[1]
        with self.lock:
            person = self.persons.get(key)
        if person is None:
            cohort = enrolment_or_note.split("/enrolments/")[0].split("/validationNotes/")[0]
            person = self.simulation.ask("GetEnrolment", name=f"{cohort}/enrolments/{key}").person
            with self.lock:
                self.persons[key] = person
        return self.numbers.get(person)

    def forward(self, service, path, request, context):
        method = self.by_path.get(path)
        before = getattr(self, f"before_{method.name}", None) if method else None
        after = getattr(self, f"after_{method.name}", None) if method else None
        number = None
        if before is not None:
            message = self.contract.factory.GetPrototype(method.input_type).FromString(request)
            number = before(message)
            request = message.SerializeToString()
        metadata = [(key, value) for key, value in context.invocation_metadata()
                    if not key.startswith(("user-agent", "grpc-", ":"))]
        call = self.simulation.channels[service].unary_unary(path)
        try:
            answer = call(request, metadata=metadata, timeout=context.time_remaining())
        except grpc.RpcError as error:
            context.set_trailing_metadata(error.trailing_metadata() or ())
            context.set_code(error.code())
            context.set_details(error.details())
            return b""
        if after is None:
            return answer
        asked = self.contract.factory.GetPrototype(method.input_type).FromString(request)
        instead = after(number, asked, self.contract.factory.GetPrototype(
            method.output_type).FromString(answer))
        return answer if instead is None else instead.SerializeToString()

    # What is planted where.

    def before_SubmitApplication(self, request):
        with self.lock:
            send_own, self.own_sent = not self.own_sent, True
        if send_own:
            self.send_own(request)
        candidate = request.application.candidate
        number = int(candidate.family_name.split()[-1])
        self.name(candidate, number)
        with self.lock:
            self.uploads.setdefault(number, set()).update(p.upload for p in request.pieces)
        return number

    def name(self, candidate, number):
        mark = mark_of(number)
        candidate.given_name, candidate.family_name = f"Prénom-{mark}", f"Nom-{mark}"
        candidate.email, candidate.phone = f"{mark}@exemple.test", phone_of(number)
        for kind in ("given_name", "family_name", "email", "phone"):
            self.note(number, kind, getattr(candidate, kind))

    def after_SubmitApplication(self, number, _, application):
        with self.lock:
            self.numbers[application.person] = number
            self.persons[application.name] = application.person
        self.simulation.ask("UpdatePerson", update_mask={"paths": ["birth_name", "external_ids"]},
                            person={"name": application.person,
                                    "birth_name": self.text(number, "birth_name"),
                                    "external_ids": [{"system": "essai", "value": self.text(
                                        number, "external_id")}]})

    def send_own(self, model):
        """A candidate who applies with an account: the files are theirs, too."""
        number, simulation = self.OWN, self.simulation
        account = f"compte-{mark_of(number)}"
        self.note(number, "account", account)
        out = simulation.state / f"token-{new_uuid()}"
        body = model.parent.rsplit("/cohorts/", 1)[0]
        simulation.command("token", "--as=learner", f"--subject={account}", f"--body={body}",
                           f"--signing_key_file={simulation.state}/authority/signing-key.json",
                           f"--out={out}")
        token = out.read_text().strip()
        out.unlink()
        pieces = [{"kind": piece.kind, "upload": self.send_file(
            number, token, marked_pdf(number, str(piece.kind)))} for piece in model.pieces]
        request = type(model)(parent=model.parent, pieces=pieces, request_id=new_uuid())
        request.application.CopyFrom(model.application)
        request.application.payer.Clear()
        request.application.payer.kind = 1
        self.name(request.application.candidate, number)
        self.after_SubmitApplication(number, request,
                                     self.send("SubmitApplication", request, token))

    def send_file(self, number, token, pdf):
        create = self.contract.message("parcours.platform.v1.CreateUploadRequest",
                                       parent="bodies/opale", upload={
                                           "byte_size": len(pdf),
                                           "content_type": "application/pdf"})
        upload = self.send("CreateUpload", create, token)
        write = self.contract.message("parcours.platform.v1.WriteUploadRequest",
                                      name=upload.name, data=pdf)
        self.send("WriteUpload", write, token)
        with self.lock:
            self.files[upload.name] = pdf
            self.uploads.setdefault(number, set()).add(upload.name)
        return upload.name

    def send(self, name, request, token):
        code, answer, error = self.simulation.send(*self.simulation.methods[name], request, token)
        assert code == grpc.StatusCode.OK, (name, self.contract.reasons(error))
        return answer

    def after_WriteUpload(self, _, request, __):
        with self.lock:
            self.files[request.name] = self.files.get(request.name, b"") + request.data

    def _before_review(self, request):
        number = self.numbers[self.persons[request.name]]
        request.reason = self.text(number, "decision_reason")

    before_AdmitApplication = before_RefuseApplication = _before_review

    def after_AttachPiece(self, _, request, application):
        with self.lock:
            number = self.numbers[application.person]
            self.uploads.setdefault(number, set()).add(request.piece.upload)

    def before_CreateAttendanceEntry(self, request):
        entry = request.attendance_entry
        number = self.numbers.get(entry.signer)
        if number is None:
            return
        if entry.means == MEANS_PERSONAL_LINK:
            entry.means, entry.witness = MEANS_ASSISTED, self.text(number, "witness")
        elif entry.means == MEANS_COORDINATOR_ENTRY:
            entry.statement = self.text(number, "statement")

    def before_CorrectAttendanceEntry(self, request):
        entry = self.simulation.ask("GetAttendanceEntry", name=request.name)
        if entry.signer in self.numbers:
            request.reason = self.text(self.numbers[entry.signer], "correction_reason")

    def before_EndEnrolment(self, request):
        request.reason = self.text(self.number_of(request.name), "end_reason")

    def before_CreateValidationNote(self, request):
        note = request.validation_note
        note.subject = self.text(self.number_of(note.enrolment), "subject")

    def after_CreateValidationNote(self, _, __, note):
        """A need of theirs is taken into account; everybody may have one here."""
        number = self.number_of(note.enrolment)
        return self.simulation.ask("AdaptNote", name=note.name, etag=note.etag, adaptation={
            "min_pages": 1, "max_pages": 500, "agreed_by": self.text(number, "adaptation")})

    def before_ProposeSubject(self, request):
        request.subject = self.text(self.number_of(request.name), "subject")

    def before_AskSubjectChanges(self, request):
        # Not noted: the next subject takes its place.
        request.reason = f"subject_remarks-{mark_of(self.number_of(request.name))}"

    def before_SubmitNoteVersion(self, request):
        number = self.number_of(request.name)
        if request.late_reason:
            request.late_reason = self.text(number, "late_reason")
        return number

    def after_SubmitNoteVersion(self, number, request, _):
        with self.lock:
            self.uploads.setdefault(number, set()).add(request.upload)

    def before_SubmitReaderReport(self, request):
        request.comments = self.text(self.number_of(request.name), "reader_comments")

    def before_RecordDecision(self, request):
        decision = request.decision
        decision.reason = self.text(self.number_of(decision.enrolment), "jury_reason")

    def digests(self, number):
        """SHA-256 of each file of a candidate."""
        return {hashlib.sha256(self.files[upload]).hexdigest()
                for upload in self.uploads.get(number, ())}


class _Before(grpc.GenericRpcHandler):
    def __init__(self, planting, service):
        self.planting, self.name = planting, service

    def service(self, details):
        path = details.method

        def forward(request, context):
            return self.planting.forward(self.name, path, request, context)

        return grpc.unary_unary_rpc_method_handler(forward)
