"""rpc -> domain <- store, composed in main.cc alone; see docs/architecture.md.

Reads what every source includes. Tests compose what they need and are looked
at for what they take from other services only.
"""

import pathlib
import re
import tempfile
import unittest

import source_tree

# Pattern of included names that the business rules do without, and why.
NOT_IN_DOMAIN = (
    (r"^(grpc|grpcpp|grpc\+\+)/", "transport"),
    (r"\.pb\.h$|^google/", "messages of the contract"),
    (r"^(sqlite3|libpq-fe|libpq/.*|hiredis/.*)(\.h)?$", "a database or Redis"),
    (r"^common/(cache|rpc|storage|telemetry|testing)/", "the shell"),
)

# Who alone may include a library that blocks, reconnects or throws.
ONE_HOME = (
    (r"^sqlite3\.h$", "common/storage/"),
    (r"^libpq-fe\.h$", "common/storage/"),
    (r"^hiredis/", "common/cache/"),
    (r"^qpdf/", "common/documents/"),
    (r"^(cjose|curl)/", "common/identity/"),
    (r"^openssl/", "common/rpc/"),
)

# What of a service others may use: its schema, to migrate it, and what fills an
# empty database with made-up data.
PUBLIC_OF_SERVICES = re.compile(
    r"^services/\w+/(store/migrations|generation/generation)\.h$")


def service_of(name):
    """("enrolment", "domain") of "services/enrolment/domain/place.h"."""
    parts = name.split("/")
    return (parts[1], parts[2]) if parts[0] == "services" and len(parts) > 2 else None


def violations_of(path, included):
    """Why the source at `path` may not include one of the names `included`."""
    name, own = path.as_posix(), service_of(path.as_posix())
    test = source_tree.is_test(path)
    is_main = path.stem == "main"
    for target in included:
        other = service_of(target)
        if own and other and own[0] != other[0]:
            yield f"{name}: {target} is another service's"
        if other and not own and not (
                name.startswith(("clients/", "tests/")) and PUBLIC_OF_SERVICES.match(target)):
            yield f"{name}: {target} is a service's own"
        if name.startswith("common/") and re.match(
                r"^(clients/|parcours/(enrolment|scheduling|evaluation)/)", target):
            yield f"{name}: {target} has words of the domain"
        if test:
            continue
        for pattern, home in ONE_HOME:
            if re.search(pattern, target) and not name.startswith(home):
                yield f"{name}: {target} is used in {home} only"
        if target.startswith("common/testing/") and not name.startswith("common/testing/"):
            yield f"{name}: {target} is for tests"
        if own is None:
            continue
        if own[1] == "domain":
            for pattern, what in NOT_IN_DOMAIN:
                if re.search(pattern, target):
                    yield f"{name}: {target} brings {what} into the business rules"
            if other and other[0] == own[0] and other[1] != "domain":
                yield f"{name}: {target} is above the business rules"
        if own[1] == "store" and (re.search(r"^grpc", target) or other == (own[0], "rpc")):
            yield f"{name}: {target} brings transport into the record"
        if other and own[1] == "rpc" and other == (own[0], "store"):
            yield f"{name}: {target} ties the transport to the record"
    layers = {other[1] for target in included
              if (other := service_of(target)) and own and other[0] == own[0]}
    if own and not test and not is_main and {"rpc", "store"} <= layers | {own[1]}:
        yield f"{name}: composes rpc and store, which only main.cc does"


def violations(root):
    found = []
    for path in source_tree.files(root, ".cc", ".h"):
        text = (root / path).read_text(encoding="utf-8")
        found.extend(violations_of(path, source_tree.includes(text)))
    return found


class LayersTest(unittest.TestCase):

    def test_the_tree_keeps_its_layers(self):
        self.assertEqual([], violations(source_tree.ROOT))

    def test_the_tree_was_read(self):
        read = source_tree.files(source_tree.ROOT / "services", ".cc", ".h")
        self.assertGreater(len([path for path in read if "domain" in path.parts]), 10)

    def test_a_planted_include_is_refused(self):
        planted = (
            ("services/a/domain/x.cc", "grpcpp/grpcpp.h"),
            ("services/a/domain/x.h", "google/protobuf/message.h"),
            ("services/a/domain/x.h", "parcours/enrolment/v1/people.pb.h"),
            ("services/a/domain/x.cc", "sqlite3.h"),
            ("services/a/domain/x.cc", "libpq-fe.h"),
            ("services/a/domain/x.cc", "hiredis/hiredis.h"),
            ("services/a/domain/x.cc", "common/storage/session.h"),
            ("services/a/domain/x.cc", "common/rpc/shell.h"),
            ("services/a/domain/x.cc", "common/cache/shared_cache.h"),
            ("services/a/domain/x.cc", "common/testing/temp_dir.h"),
            ("services/a/domain/x.cc", "services/a/store/sql_store.h"),
            ("services/a/domain/x.cc", "services/a/rpc/convert.h"),
            ("services/a/domain/x.cc", "services/b/domain/names.h"),
            ("services/a/domain/x_test.cc", "services/b/domain/names.h"),
            ("services/a/rpc/x.cc", "services/a/store/sql_store.h"),
            ("services/a/store/x.cc", "services/a/rpc/convert.h"),
            ("services/a/store/x.cc", "grpcpp/grpcpp.h"),
            ("services/a/store/x.cc", "sqlite3.h"),
            ("services/a/main.cc", "services/b/store/migrations.h"),
            ("common/types/x.h", "services/a/domain/names.h"),
            ("common/rpc/x.h", "parcours/scheduling/v1/venue.pb.h"),
            ("common/rpc/x.h", "libpq-fe.h"),
            ("clients/cli/x.cc", "services/a/domain/names.h"),
            ("clients/cli/x.cc", "services/a/generation/names.h"),
            ("services/b/rpc/x.cc", "services/a/generation/generation.h"),
        )
        for path, target in planted:
            with self.subTest(path=path, target=target):
                self.assertTrue(list(violations_of(pathlib.PurePath(path), [target])))

    def test_only_main_composes(self):
        both = ["services/a/rpc/service.h", "services/a/store/sql_store.h"]
        self.assertTrue(list(violations_of(pathlib.PurePath("services/a/config.cc"), both)))
        for allowed in ("services/a/main.cc", "services/a/rpc/service_test.cc",
                        "services/a/rpc/service_benchmark.cc"):
            self.assertEqual([], list(violations_of(pathlib.PurePath(allowed), both)))

    def test_what_the_layers_allow(self):
        allowed = (
            ("services/a/domain/x.cc", "services/a/domain/names.h"),
            ("services/a/domain/x.cc", "common/status/error.h"),
            ("services/a/domain/x.cc", "absl/time/time.h"),
            ("services/a/domain/x.cc", "string_view"),
            ("services/a/rpc/x.cc", "grpcpp/grpcpp.h"),
            ("services/a/rpc/x.cc", "services/a/domain/names.h"),
            ("services/a/store/x.cc", "services/a/domain/names.h"),
            ("services/a/store/x.cc", "common/storage/session.h"),
            ("common/storage/sqlite_session.cc", "sqlite3.h"),
            ("common/rpc/x.h", "parcours/type/v1/field.pb.h"),
            ("clients/cli/x.cc", "services/a/store/migrations.h"),
            ("clients/cli/x.cc", "services/a/generation/generation.h"),
        )
        for path, target in allowed:
            with self.subTest(path=path, target=target):
                self.assertEqual([], list(violations_of(pathlib.PurePath(path), [target])))

    def test_a_planted_file_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            domain = pathlib.Path(folder) / "services" / "a" / "domain"
            domain.mkdir(parents=True)
            (domain / "x.cc").write_text('#include <string>\n  # include "sqlite3.h"\n')
            self.assertEqual(2, len(violations(pathlib.Path(folder))))


if __name__ == "__main__":
    unittest.main()
