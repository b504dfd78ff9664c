"""What must not stand in the tree: one engine's SQL, one machine's paths."""

import pathlib
import re
import tempfile
import unittest

import source_tree

# A migration runs on SQLite and on PostgreSQL as it is; where they differ it has
# a word in braces (see common/storage/session.h).
DIALECT_WORDS = {"insertion_order", "key_text"}
ONE_ENGINE = re.compile(
    r"\b(AUTOINCREMENT|ROWID|STRICT|PRAGMA|VACUUM|BLOB|DATETIME|STRFTIME|JULIANDAY|GLOB|"
    r"(?:SMALL|BIG)?SERIAL|IDENTITY|JSONB?|UUID|TIMESTAMPTZ?|INTERVAL|BOOLEAN|NOW|ILIKE|"
    r"EXTENSION|FUNCTION|LANGUAGE|CONCURRENTLY|TABLESPACE|COLLATE|USING|SCHEMA|GRANT|"
    r"INTEGER\s+PRIMARY\s+KEY)\b|::|\$\$",
    re.IGNORECASE)
_SQL_ASIDE = re.compile(r"--[^\n]*|'(?:''|[^'])*'")


def migration_violations(name, text):
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    for number, line in enumerate(_SQL_ASIDE.sub(blank, text).splitlines(), 1):
        for word in re.findall(r"\{(\w*)\}", line):
            if word not in DIALECT_WORDS:
                yield f"{name}:{number}: {{{word}}} is no word of the dialect"
        for match in ONE_ENGINE.finditer(re.sub(r"\{\w*\}", "", line)):
            yield f"{name}:{number}: {match.group()} is one engine's"


# Folders that only some machine has; where packages come from is each machine's
# own setting.
MACHINE = (
    re.compile(r"(?<![\w.$}~-])/(?:work|root|home/\w+|Users/\w+|mnt/\w+)/"),
    re.compile(r"https?://[^\s\"'<>]*(?:registry|artifact|nexus|mirror|pypi|npmjs)[^\s\"'<>]*"),
    # A workspace of npm is a folder of this tree.
    re.compile(r'"resolved"\s*:\s*"(?!clients/)'),
)


def machine_violations(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in MACHINE:
            match = pattern.search(line)
            if match:
                yield f"{name}:{number}: {match.group()} belongs to a machine"


def text_files(root):
    for path in source_tree.files(root):
        try:
            yield path.as_posix(), (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


class MigrationsTest(unittest.TestCase):

    def test_every_migration_is_of_both_engines(self):
        read = [path for path in source_tree.files(source_tree.ROOT, ".sql")]
        self.assertTrue(read)
        found = [line for path in read for line in migration_violations(
            path, (source_tree.ROOT / path).read_text(encoding="utf-8"))]
        self.assertEqual([], found)

    def test_a_planted_word_is_refused(self):
        for sql in ("id INTEGER PRIMARY KEY", "id BIGSERIAL", "x jsonb", "t TIMESTAMPTZ",
                    "content BLOB", "DEFAULT now()", "x::text", "id {serial}",
                    "CREATE INDEX i ON t USING gin (x)", "PRAGMA foreign_keys"):
            with self.subTest(sql=sql):
                self.assertEqual(1, len(list(migration_violations("x.sql", sql))))

    def test_comments_and_texts_are_not_looked_into(self):
        for sql in ("-- no BLOB here", "x TEXT DEFAULT 'JSON''s'", "x {key_text} NOT NULL",
                    "content BYTEA", "create_time BIGINT"):
            with self.subTest(sql=sql):
                self.assertEqual([], list(migration_violations("x.sql", sql)))


class MachineTest(unittest.TestCase):

    def test_no_file_names_a_machine(self):
        found = [line for name, text in text_files(source_tree.ROOT)
                 for line in machine_violations(name, text)]
        self.assertEqual([], found)

    def test_a_planted_path_is_refused(self):
        planted = ("/".join(("", "work", "main")), "/".join(("", "home", "une", "src")),
                   "see /" + "root" + "/x", "http" + "s://registry" + ".example.org/x",
                   '"resolved"' + ': "x"')
        for text in planted:
            with self.subTest(text=text), tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder)
                (root / "notes.md").write_text(text)
                self.assertEqual(1, len([line for name, read in text_files(root)
                                         for line in machine_violations(name, read)]))

    def test_paths_of_the_tree_are_not_refused(self):
        for text in ("$ROOT/work/x", "at/work/x", "tests/root/x", "https://google.aip.dev/122"):
            with self.subTest(text=text):
                self.assertEqual([], list(machine_violations("x", text)))


if __name__ == "__main__":
    unittest.main()
