"""A copy of what the API showed, in one JSON file."""

import json
import os

import grpc
from google.protobuf import json_format

from connection import Refused
from parcours.enrolment.v1 import application_pb2, enrolment_pb2


class Source:
    """Where the resources of a kind are listed and read."""

    def __init__(self, connection, kind, parent):
        self.connection, self.kind, self.parent = connection, kind, parent
        if kind == "application":
            stub = connection.applications
            self._list, self._get = stub.ListApplications, stub.GetApplication
            self._list_request = application_pb2.ListApplicationsRequest
            self._get_request = application_pb2.GetApplicationRequest
        else:
            stub = connection.enrolments
            self._list, self._get = stub.ListEnrolments, stub.GetEnrolment
            self._list_request = enrolment_pb2.ListEnrolmentsRequest
            self._get_request = enrolment_pb2.GetEnrolmentRequest

    def pages(self):
        """(resources, feed token) of each page of the list."""
        page_token = feed_token = ""
        while True:
            # No page from before the first one, whichever replica gives it.
            page = self.connection.call(self._list, self._list_request(
                parent=self.parent, page_size=500, page_token=page_token), feed_token)
            feed_token = feed_token or page.feed_token
            yield getattr(page, self.kind + "s"), page.feed_token
            page_token = page.next_page_token
            if not page_token:
                return

    def read(self, name, feed_token):
        """The resource, not from before `feed_token`; None when it is not for us."""
        try:
            return self.connection.call(self._get, self._get_request(name=name), feed_token)
        except Refused as refused:
            # What is not there and what we may not see are one answer.
            if refused.code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED):
                return None
            raise


class LocalCopy:
    """What was read of one kind within one parent, and up to which position of the
    change feed. On disk it is always whole: the old one or the new one."""

    def __init__(self, path, kind, parent):
        self.path, self.kind, self.parent = path, kind, parent
        self.feed_token = ""
        self.resources = {}
        # The latest that webhooks have said of each resource.
        self.versions = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                kept = json.load(file)
            if (kept["kind"], kept["parent"]) != (kind, parent):
                raise OSError(f"{path} is a copy of each {kept['kind']} of {kept['parent']}")
            self.feed_token, self.resources = kept["feedToken"], kept["resources"]
            self.versions = kept["versions"]

    def fill(self, source):
        """Reads the list completely. What happens meanwhile is in the feed after the
        token of the first page."""
        resources, feed_token = {}, ""
        for page, token in source.pages():
            feed_token = feed_token or token
            resources |= {one.name: json_format.MessageToDict(one) for one in page}
        self.resources, self.feed_token = resources, feed_token
        self.store()

    def refresh(self, source, name, removed, feed_token):
        """Takes over what became of one resource."""
        resource = None if removed else source.read(name, feed_token)
        if resource is None:
            self.resources.pop(name, None)
        else:
            self.resources[name] = json_format.MessageToDict(resource)

    def store(self):
        write_whole(self.path, {"kind": self.kind, "parent": self.parent,
                                "feedToken": self.feed_token, "versions": self.versions,
                                "resources": self.resources})


def write_whole(path, content):
    """Replaces the file at one moment, and only once the new one is on the disk."""
    beside = f"{path}.new"
    with open(beside, "w", encoding="utf-8",
              opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
