"""The reference of configuration keys, from the function behind ``graphkd distill --help``."""

from __future__ import annotations

from docs.generate.markdown import table
from graphkd.config import groups, names_in
from graphkd.config_reference import Key, KeyGroup, config_reference, group_summary

INTRODUCTION = """\
# Configuration

Every key of `graphkd distill`. A key is set on the command line as `KEY=VALUE`, a part is chosen as `GROUP=NAME`.
`graphkd distill --help` prints the same in a terminal. `graphkd distill --cfg job` prints the values of a command.

A key is valid where the part that has it is chosen. Types and unknown keys are checked before anything runs.
"""


def configuration_page() -> str:
    """Returns the page: keys outside groups, then a section per group."""
    reference = config_reference()
    sections = [INTRODUCTION, "## Keys of the run\n", _keys(reference[0])]
    sections += [_group(group, [each for each in reference if each.group == group]) for group in groups()]
    return "\n".join(sections)


def _group(group: str, sections: list[KeyGroup]) -> str:
    names = names_in(group)
    shown = ", ".join(f"`{name}`" for name in names) if group != "experiment" else _folders(names)
    parts = [f"## {group}\n", group_summary(group).replace("``", "`"), f"\nChoices: {shown}.\n"]
    for section in sections:
        parts += [f"### {section.title}\n" if section.choice else "", _keys(section)]
    return "\n".join(parts)


def _folders(names: list[str]) -> str:
    """Returns the folders of the experiments, with how many each holds."""
    folders = [name.partition("/")[0] for name in names]
    counted = (f"`{folder}/…` ({folders.count(folder)})" for folder in dict.fromkeys(folders))
    return ", ".join(counted) + "; a wrong name lists them all"


def _keys(section: KeyGroup) -> str:
    return table(("key", "type", "default", "meaning"), [_row(key) for key in section.keys])


def _row(key: Key) -> tuple[str, str, str, str]:
    return f"`{key.name}`", f"`{key.type}`", f"`{key.default}`", key.meaning.replace("``", "`")
