"""The gallery: a page for every part that can be chosen, from its docstring, its YAML and its settings."""

from __future__ import annotations

import inspect
import re
from types import ModuleType
from typing import Any

from docs.formulas import is_formula
from docs.generate.facts import command_of, facts_of
from docs.generate.rst import code, plain, table, title, toctree
from docs.generate.scores import measured, published
from graphkd.config import GROUPS, config_dir, parts_of
from graphkd.config_reference import config_reference, group_summary
from graphkd.docstrings import summary_of
from graphkd.registry import catalogue, source_of

INTRODUCTION = """\
One page for every part that ``graphkd distill`` can choose. Parts of different groups combine freely, and a
combination that would have no effect is refused with one line.

Every page is made when this site is built: from the part's docstring, its configuration and committed results.
"""

WITHOUT_PAGES = ("dataset", "training")
"""Groups whose choices are rows of one table, or settings alone."""


def gallery_pages() -> dict[str, str]:
    """Returns the pages of all parts, an index per group, and one of all groups."""
    shown = {group: package for group, package in GROUPS.items() if group not in WITHOUT_PAGES}
    pages = {"gallery/index.rst": _front(shown), "gallery/dataset.rst": _datasets()}
    for group in shown:
        parts = parts_of(group)
        pages[f"gallery/{group}/index.rst"] = _group(group, parts)
        pages |= {f"gallery/{group}/{name}.rst": part_page(group, name, part) for name, part in parts.items()}
    return pages


def _front(shown: dict[str, ModuleType]) -> str:
    pages = {**{group: f"{group}/index" for group in shown}, "dataset": "dataset"}
    rows = [
        (f":doc:`{group} <{page}>`", str(len(parts_of(group))), plain(group_summary(group)))
        for group, page in pages.items()
    ]
    header = ("group", "parts", "what it is for")
    return "\n".join([title("Gallery"), INTRODUCTION, table(header, rows), toctree(pages.values(), hidden=True)])


def _group(group: str, parts: dict[str, Any]) -> str:
    rows = [
        (f":doc:`{name} <{name}>`", lead(each), plain(source_of(each))) for name, each in sorted(parts.items())
    ]
    header = ("name", "in one sentence", "source")
    start = [title(group), plain(group_summary(group)), ""]
    return "\n".join([*start, table(header, rows), toctree(sorted(parts), hidden=True)])


def _datasets() -> str:
    sources = sorted(catalogue(GROUPS["dataset"]).items())
    rows = [(f"``{name}``", ", ".join(f"``{split}``" for split in each.splits)) for name, each in sources]
    header = ("name", "splits, the first by default")
    return "\n".join([title("dataset"), plain(group_summary("dataset")), "", table(header, rows)])


def lead(part: Any) -> str:
    """Returns a part's first sentence, without its formula where one follows a colon."""
    module = inspect.getmodule(part)
    text = summary_of(module) if summary_of(part).startswith("``") and module else summary_of(part)
    return re.split(r"(?<=\.)\s", text)[0]


_SECTIONS = re.compile(r"^(?:Source|Args|Returns|Raises|Attributes):|^>>>", re.MULTILINE)


def description_of(part: Any) -> str:
    """Returns a docstring without the sections that the page shows in tables."""
    return _SECTIONS.split(inspect.getdoc(part) or "", maxsplit=1)[0].strip()


def headline(part: Any) -> str:
    """Returns the first formula of a docstring that is more than a symbol, or an empty string."""
    found = re.findall(r"``(.+?)``", description_of(part), re.DOTALL)
    return next((" ".join(text.split()) for text in found if len(text) > 20 and is_formula(text)), "")


def part_page(group: str, name: str, part: Any) -> str:
    """Returns the page of a part: formula, description, facts, how to run it, settings and scores.

    Args:
        group: its config group.
        name: as in ``group=name``.
        part: class or function.
    """
    formula, text = headline(part), description_of(part)
    first, _, rest = text.partition("\n\n")
    if formula and " ".join(first.split()).strip("`.") == formula:  # nothing but the formula, which is shown above
        text = rest
    command = code("shell", f"graphkd distill {' '.join(command_of(group, name))}")
    start = [title(name), _formula(formula), text, "", _facts(group, part), title("Run it", "-"), command]
    scores = _scores(name) if group == "method" else []
    return "\n".join([*start, *_settings(group, name), *_yaml(group, name), *scores])


def _facts(group: str, part: Any) -> str:
    """The table at the top, whose last row leads to the reference."""
    rows = [(key, plain(value)) for key, value in facts_of(part)]
    rows += [("Source", plain(source_of(part)))] if source_of(part) else []
    package = "graphkd.links" if part.__module__.startswith("graphkd.links") else GROUPS[group].__name__
    rows.append(("In Python", f":py:obj:`{package}.{part.__name__}`"))
    return title("At a glance", "-") + "\n" + table((), rows, "22 78")


def _formula(text: str) -> str:
    return f".. container:: formula-block\n\n   ``{text}``\n" if text else ""


def _settings(group: str, name: str) -> list[str]:
    """The keys of a part, its own before those that it shares with its group."""
    sections = [each for each in config_reference() if each.group == group and each.choice in (name, "")]
    keys = [key for each in sorted(sections, key=lambda each: each.choice == "") for key in each.keys]
    if not keys:
        return [title("Settings", "-"), "It has none.\n"]
    rows = [(f"``{key.name}``", f"``{key.type}``", f"``{key.default}``", plain(key.meaning)) for key in keys]
    return [title("Settings", "-"), table(("key", "type", "default", "meaning"), rows)]


def _yaml(group: str, name: str) -> list[str]:
    file = config_dir() / group / f"{name}.yaml"
    return [title("Configuration", "-"), code("yaml", file.read_text())] if file.is_file() else []


def _scores(name: str) -> list[str]:
    """Measured scores before published ones; a method without any has no section."""
    shown = []
    if rows := measured(name):
        header = ("cell", "seeds", "test accuracy, %", "over GLNN, points")
        shown += [title("Measured", "-"), MEASURED, table(header, [(f"``{row[0]}``", *row[1:]) for row in rows])]
    if rows := published(name):
        shown += [title("Published", "-"), table(("data set", "setting", "test accuracy, %", "source"), rows)]
    return shown


MEASURED = """\
Mean and population standard deviation over seeds, each of which is a split and an initialisation. The difference
is paired: over the seeds that GLNN has as well. Cells that end in ``_rows`` divide features by their row's sum.

The protocol, other cells and what the numbers do not show: :doc:`../../results/methods`.
"""
