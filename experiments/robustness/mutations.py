"""The mutations: single wrong changes to the core, each of which some test has to notice.

They are in the files of ``lists/``, in blocks that an empty line ends::

    # a name, once in all files
    graphkd/methods/glnn.py
    tests/methods/test_glnn.py::test_it another/test.py     what has to fail; more of them divided by blanks
    - old text, found exactly once in the file
    + new text
    = why it changes nothing; only where it does not

Several lines of old text are next to each other in the file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent / "lists"


@dataclass(frozen=True)
class Mutation:
    """One wrong change.

    Args:
        name: of the mutation.
        file: that it is in, from the root of the repository.
        old: text, which is in the file exactly once.
        new: text in its place.
        tests: arguments of pytest that have to fail.
        equivalent: why no test can see it; empty where one can.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    equivalent: str = ""

    def applied(self, text: str) -> str:
        """The file's text with the mistake in it."""
        return text.replace(self.old, self.new)


def mutations(folder: Path = LISTS) -> list[Mutation]:
    """All of them, in the order of the files."""
    blocks = [block for file in sorted(folder.glob("*.txt")) for block in file.read_text().split("\n\n")]
    return [_parsed(block.strip("\n")) for block in blocks if block.strip()]


def _parsed(block: str) -> Mutation:
    name, file, tests, *rest = block.split("\n")
    if not name.startswith("# ") or not rest:
        raise ValueError(f"no mutation: {block}")
    old, new, why = ("\n".join(line[2:] for line in rest if line[:1] == sign) for sign in "-+=")
    return Mutation(name[2:], file, old, new, tuple(tests.split()), why)


def mistakes(found: list[Mutation], root: Path = ROOT) -> list[str]:
    """What is wrong with the list itself, a line each."""
    names = Counter(each.name for each in found)
    lines = [f"{name}: named {count} times" for name, count in names.items() if count > 1]
    for each in found:
        path = root / each.file
        count = path.read_text().count(each.old) if path.is_file() else -1
        if count != 1 or not each.old:
            lines.append(f"{each.name}: {each.file} holds its old text {count} times")
        if each.old == each.new:
            lines.append(f"{each.name}: changes nothing")
        tests = {test.partition("::")[0] for test in each.tests}
        lines += [f"{each.name}: there is no {test}" for test in tests if not (root / test).is_file()]
    return lines
