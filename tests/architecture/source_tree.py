"""The files of the tree as the architecture tests read them."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# What a build, a run or a package manager puts into the tree.
GENERATED = {".git", "build", "node_modules", "var"}

# In this order: what stands in a comment or in a text is not code, and the
# apostrophe of 10'000 begins no character.
_TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^()\s\\]{0,16})\(.*?\)(?P=delimiter)")
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
  | (?P<number>(?<![\w.])(?:0[xX][\da-fA-F']+|0[bB][01']+|
      (?:\d[\d']*\.?[\d']*|\.\d[\d']*)(?:[eE][+-]?\d+)?)[uUlLzZfF]*)
  | (?P<character>(?:u8|[uUL])?'(?:\\.[^']*|[^'\\\n])')
  | (?P<word>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL)

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]',
                      re.MULTILINE)


def files(root, *suffixes):
    """Paths below `root`, relative to it, of files with one of the suffixes."""
    found = []
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if GENERATED.isdisjoint(relative.parts) and path.is_file():
            if not suffixes or path.suffix in suffixes:
                found.append(relative)
    return found


def includes(text):
    """The names that a C++ source includes."""
    return [match.group(2) for match in _INCLUDE.finditer(text)]


def numbers(text):
    """(line, literal) of the numbers in the code of a C++ source."""
    return [(text.count("\n", 0, match.start()) + 1, match.group("number"))
            for match in _TOKEN.finditer(text) if match.group("number")]


def is_test(path):
    """Whether a source is compiled into tests and measurements only."""
    return (path.stem.endswith(("_test", "_benchmark")) or
            not {"testdata", "testing", "tests"}.isdisjoint(path.parts))
