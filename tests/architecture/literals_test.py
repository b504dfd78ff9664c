"""The law's and the programme's numbers are data, never literals in domain/.

A number in rules/*.txtpb or programmes/*.txtpb can be changed without a build;
a literal that equals one of them is what would silently keep the old value.
"""

import pathlib
import re
import shutil
import tempfile
import unittest

import source_tree

ALLOWED = pathlib.Path(__file__).with_name("allowed_literals.txt")

# Too common to mean anything.
MEANINGLESS = {0, 1, 2}

_TEXT_PROTO = re.compile(r'#[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
_FIELD = re.compile(r"\b(\w+)\s*:\s*(-?\d+)\b")


def fields(text):
    """(field, number) of a text proto."""
    return [(name, int(value)) for name, value in
            _FIELD.findall(_TEXT_PROTO.sub('""', text))]


def data_numbers(root):
    """Every number of the rules and of the programmes, with where it stands."""
    found = {}
    for path in sorted((root / "rules").glob("*.txtpb")):
        for name, value in fields(path.read_text(encoding="utf-8")):
            if name == "value":
                found.setdefault(value, f"{path.parent.name}/{path.name}")
    for path in sorted((root / "programmes").glob("*.txtpb")):
        for name, value in fields(path.read_text(encoding="utf-8")):
            same = {value}
            if name.endswith("_cents") and value % 100 == 0:
                same.add(value // 100)
            if name.endswith("_minutes") and value % 60 == 0:
                same.add(value // 60)
            for number in same:
                found.setdefault(number, f"{path.parent.name}/{path.name}: {name}")
    for number in MEANINGLESS:
        found.pop(number, None)
    return found


def value_of(literal):
    """The integer that a C++ literal stands for; None for a broken number."""
    digits = re.sub(r"['uUlLzZ]", "", literal)
    if re.fullmatch(r"0[xX][\da-fA-F]+", digits):
        return int(digits, 16)
    if re.fullmatch(r"0[bB][01]+", digits):
        return int(digits, 2)
    if re.fullmatch(r"0[0-7]+", digits):
        return int(digits, 8)
    return int(digits) if digits.isdecimal() else None


def allowed_literals(text):
    """(file, number) of the exceptions; each has a reason."""
    allowed = set()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        path, number, reason = line.split(maxsplit=2)
        assert reason.strip(), line
        allowed.add((path, int(number)))
    return allowed


def violations(root, allowed):
    """Literals that are data, and exceptions that are needed no more."""
    data, found, unused = data_numbers(root), [], set(allowed)
    for path in source_tree.files(root / "services", ".cc", ".h"):
        if len(path.parts) < 3 or path.parts[1] != "domain" or source_tree.is_test(path):
            continue
        name = f"services/{path.as_posix()}"
        text = (root / "services" / path).read_text(encoding="utf-8")
        for line, literal in source_tree.numbers(text):
            value = value_of(literal)
            unused.discard((name, value))
            if (name, value) in allowed:
                continue
            if value is None:
                found.append(f"{name}:{line}: {literal}: amounts and durations are whole numbers")
            elif value in data:
                found.append(f"{name}:{line}: {literal} is a number of {data[value]}")
    found.extend(f"{path} {number}: allowed, and nowhere in the file"
                 for path, number in sorted(unused))
    return found


class LiteralsTest(unittest.TestCase):

    def plant(self, code, allowed=(), name="planted.cc"):
        """What is found in a tree with our data and one file with `code`."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for data in ("rules", "programmes"):
                shutil.copytree(source_tree.ROOT / data, root / data)
            domain = root / "services" / "a" / "domain"
            domain.mkdir(parents=True)
            (domain / name).write_text(code, encoding="utf-8")
            return violations(root, set(allowed))

    def test_domain_has_none_of_the_data(self):
        allowed = allowed_literals(ALLOWED.read_text(encoding="utf-8"))
        self.assertEqual([], violations(source_tree.ROOT, allowed))

    def test_the_data_was_read(self):
        numbers = data_numbers(source_tree.ROOT)
        # Withdrawal, first payment, CPF lead time; places, prices, pages, hours,
        # quorum, dates.
        for number in (10, 14, 3000, 11, 30, 12, 172500, 1725, 345000, 15, 20, 5400,
                       90, 3, 2026, 16):
            self.assertIn(number, numbers)

    def test_a_planted_literal_is_refused(self):
        for code in ("int days = 14;", "int days = 14u;", "auto d = today + 14LL;",
                     "int days = 0xE;", "int days = 0b1110;", "int days = 016;",
                     "f(14)", "x[14]", "a?14:0", "int64_t price = 172'500;",
                     "int64_t euros = 1725;", "int share = 3000;", "int share = 3'000;",
                     "absl::CivilDay start(2026, 1, 1);", "int hours = 90;",
                     'Say("a \\" quote", 14);', "/* why */ int days = 14;",
                     "char c = '\"'; int days = 14; char d = '\"';"):
            with self.subTest(code=code):
                self.assertEqual(1, len(self.plant(code)), self.plant(code))

    def test_a_fraction_is_refused(self):
        for code in ("double share = 0.3;", "double share = .3;", "double x = 3e-1;",
                     "float x = 1.f;"):
            with self.subTest(code=code):
                self.assertEqual(1, len(self.plant(code)), self.plant(code))

    def test_what_is_no_literal_is_not_refused(self):
        for code in ("int days = 0 + 1 - 2;", "int kDay14 = Days();", "// 14 days",
                     "/* 14\n days */", 'Say("14 days");', 'Say(R"(14 " days)");',
                     'Say("a \\" 14");', "char c = '3';", "int64_t x = y1725;",
                     "int other = 4711;"):
            with self.subTest(code=code):
                self.assertEqual([], self.plant(code))

    def test_a_test_may_name_them(self):
        self.assertEqual([], self.plant("int days = 14;", name="planted_test.cc"))

    def test_an_exception_holds_for_its_file_and_as_long_as_it_is_needed(self):
        allowed = allowed_literals("# why\n\nservices/a/domain/planted.cc 14 another 14\n")
        self.assertEqual([], self.plant("int days = 14;", allowed))
        self.assertEqual(2, len(self.plant("int days = 14;", allowed, name="other.cc")))
        self.assertEqual(1, len(self.plant("int days = 4711;", allowed)))

    def test_an_exception_has_a_reason(self):
        with self.assertRaises(ValueError):
            allowed_literals("services/a/domain/planted.cc 14\n")


if __name__ == "__main__":
    unittest.main()
