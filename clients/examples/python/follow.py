"""Keeps a copy of the list in a file, and follows every change."""

import sys
import threading
import time

import grpc

from connection import Refused, backoff_s
from local_copy import LocalCopy, Source
from parcours.platform.v1 import change_feed_pb2 as pb
from parcours.platform.v1 import change_feed_pb2_grpc

# The position is not kept for ever, and not across a restored backup.
POSITION_LOST = ("FEED_TRIMMED", "FEED_INCARNATION_CHANGED")


def add_arguments(parser):
    parser.add_argument("--kind", choices=("application", "enrolment"), default="application",
                        help="what to follow: an application or an enrolment of the cohort")
    parser.add_argument("--copy", default="copy.json", help="the file of the copy")
    parser.add_argument("--heartbeat", type=int, default=15,
                        help="seconds, 1 to 60, after which a silent stream says that it lives")


def run(connection, arguments):
    source = Source(connection, arguments.kind, arguments.cohort)
    copy = LocalCopy(arguments.copy, arguments.kind, arguments.cohort)
    failures = 0
    while True:
        try:
            if not copy.feed_token:
                copy.fill(source)
                print(f"Read the list: {len(copy.resources)} in {copy.path}")
            else:
                print(f"Going on with {len(copy.resources)} in {copy.path}")
            for piece in watch(connection, copy, arguments.heartbeat):
                failures = 0
                deal_with(piece, copy, source)
            print("The stream ended, as it does every ten minutes")
        except Refused as refused:
            expired = refused.code == grpc.StatusCode.UNAUTHENTICATED and failures == 0
            if refused.reason in POSITION_LOST:
                print(f"{refused.reason}: reading the list again")
                copy.feed_token = ""
            elif refused.is_passing() or expired:
                if expired:
                    connection.forget_token()
                wait = backoff_s(failures, refused.retry_after_s)
                failures += 1
                print(f"The stream broke ({refused.reason or refused.code.name}); "
                      f"again in {wait:.1f} s", file=sys.stderr)
                time.sleep(wait)
            else:
                raise


def watch(connection, copy, heartbeat):
    """The pieces of the stream after the token of the copy, until it ends."""
    request = pb.WatchChangesRequest(
        after_token=copy.feed_token,
        filter=pb.ChangeFilter(kinds=[copy.kind], within=[copy.parent]))
    request.heartbeat_interval.seconds = heartbeat
    with connection.open_channel() as channel:
        feed = change_feed_pb2_grpc.ChangeFeedServiceStub(channel)
        stream = feed.WatchChanges(request, metadata=connection.metadata())
        try:
            while True:
                # A connection can break without a word: silence for much longer than
                # heartbeats may be apart ends it.
                too_long = threading.Timer(3 * heartbeat, stream.cancel)
                too_long.daemon = True
                too_long.start()
                try:
                    piece = next(stream, None)
                finally:
                    too_long.cancel()
                if piece is None:
                    return
                yield piece
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.CANCELLED:
                raise Refused(grpc.StatusCode.UNAVAILABLE, "no heartbeat") from error
            raise Refused.of(error) from error


def deal_with(piece, copy, source):
    """Takes a piece over, then keeps its token: after a crash the same piece comes
    again, and does the same again."""
    last = {change.resource: change for change in piece.changes}
    for name, change in last.items():
        copy.refresh(source, name, change.removed, piece.next_token)
    copy.feed_token = piece.next_token
    copy.store()
    for name, change in last.items():
        print(f"{'+' if name in copy.resources else '-'} {name}  {change.cause}")
