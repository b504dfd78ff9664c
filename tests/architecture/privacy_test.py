"""Holds docs/privacy.md against the rules: whoever answers for a period reads it
there, so every retention.* rule stands in its table as it is in force."""

import re
import unittest

from source_tree import ROOT

UNITS = {"UNIT_YEARS": ("year", "years"), "UNIT_MONTHS": ("month", "months"),
         "UNIT_DAYS": ("day", "days")}


def rules():
    """{id: (value, article, source, certainty)} of the latest value of each."""
    text = (ROOT / "rules/fr.txtpb").read_text()
    found = {}
    for block in re.split(r"^rules \{", text, flags=re.M)[1:]:
        identifier = re.search(r'^  id: "([^"]+)"', block, re.M)[1]
        if not identifier.startswith("retention."):
            continue
        one, many = UNITS[re.search(r"unit: (\w+)", block)[1]]
        last = block.rsplit("  values {", 1)[1]
        value = int(re.search(r"^    value: (\d+)", last, re.M)[1])
        found[identifier] = (
            f"{value} {one if value == 1 else many}",
            re.search(r'article: "([^"]+)"', last)[1],
            re.search(r'source: "([^"]+)"', last)[1],
            re.search(r"certainty: CERTAINTY_(\w+)", last)[1].lower())
    return found


def table():
    """The same, as the document says it."""
    found = {}
    for line in (ROOT / "docs/privacy.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `retention.") and len(cells) == 8:
            found[cells[0].strip("`")] = (cells[1], *cells[5:])
    return found


class PrivacyTest(unittest.TestCase):
    maxDiff = None

    def test_every_period_is_in_the_document_as_it_is_in_the_rules(self):
        self.assertGreaterEqual(len(rules()), 8)
        self.assertEqual(rules(), table())

    def test_every_sealed_column_is_in_the_document(self):
        text = (ROOT / "docs/privacy.md").read_text()
        sealed = set()
        for path in ROOT.glob("services/*/store/tables.cc"):
            sealed |= set(re.findall(r'\.Sealed(?:Json)?\(\s*"(\w+)"', path.read_text()))
        self.assertGreater(len(sealed), 8)
        missing = [column for column in sorted(sealed)
                   if not re.search(rf"\.{column}`", text)]
        self.assertEqual([], missing)


if __name__ == "__main__":
    unittest.main()
