"""Submits an application for a made-up person, once, and reads it back."""

import json
import os
import sys
import uuid

from google.protobuf import json_format

from connection import Refused
from local_copy import write_whole
from parcours.enrolment.v1 import application_pb2 as pb
from parcours.type.v1.piece_pb2 import PieceKind


def add_arguments(parser):
    parser.add_argument("--store", default="application.json",
                        help="where the request is kept before it is sent")
    parser.add_argument("--given-name", default="Camille")
    parser.add_argument("--family-name", default="Imaginaire")
    parser.add_argument("--email", help="a made-up one by default")
    parser.add_argument("--years-after-bac", type=int, default=4)


def run(connection, arguments):
    request = stored_or_new_request(arguments)
    candidate = request.application.candidate
    print(f"Request {request.request_id}: {candidate.given_name} {candidate.family_name} "
          f"<{candidate.email}> to {request.parent}")
    try:
        received = connection.call(connection.applications.SubmitApplication, request)
    except Refused:
        print(f"The request stays in {arguments.store}: send it again as it is, or delete it.",
              file=sys.stderr)
        raise
    print(f"Received as {received.name}")

    application = connection.call(connection.applications.GetApplication,
                                  pb.GetApplicationRequest(name=received.name))
    missing = [short(PieceKind, kind) for kind in application.missing_pieces]
    print(f"  review  {short(pb.ReviewState, application.review_state)}" +
          (f", missing: {', '.join(missing)}" if missing else ""))
    print(f"  place   {short(pb.PlaceState, application.place_state)}, " +
          (f"rank {application.rank}" if application.rank else "no rank yet"))
    story = connection.call(connection.applications.ExplainPlace,
                            pb.ExplainPlaceRequest(name=received.name))
    for event in story.events:
        print(f"  {event.event_time.ToJsonString()}  {event.text_en}")
    return 0


def stored_or_new_request(arguments):
    """The request that was stored, or a new one, stored before it is first sent. With
    its request_id it is received once, however often it is sent and whoever crashes."""
    if os.path.exists(arguments.store):
        with open(arguments.store, encoding="utf-8") as file:
            return json_format.ParseDict(json.load(file), pb.SubmitApplicationRequest())
    request_id = str(uuid.uuid4())
    request = pb.SubmitApplicationRequest(
        parent=arguments.cohort, request_id=request_id,
        application=pb.Application(
            candidate=pb.Candidate(
                given_name=arguments.given_name, family_name=arguments.family_name,
                email=arguments.email or f"camille.imaginaire.{request_id[:8]}@example.org",
                years_after_bac=arguments.years_after_bac),
            payer=pb.Payer(kind="PAYER_KIND_INDIVIDUAL"), channel=pb.CHANNEL_ONLINE))
    write_whole(arguments.store, json_format.MessageToDict(request))
    return request


def short(enum, value):
    """"waitlisted" for PLACE_STATE_WAITLISTED; a value of a later version as a number."""
    if value not in enum.values():
        return str(value)
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    return enum.Name(value).removeprefix(prefix).lower().replace("_", " ")
