"""The reference of the command line, from the argument parsers."""

from __future__ import annotations

import argparse
import textwrap

from docs.generate.markdown import table
from graphkd.cli import command_parser
from graphkd.commands.distill_help import USAGE
from graphkd.commands.influence import HELP
from graphkd.commands.tune import tune_parser

INTRODUCTION = """\
# Command line

One command with subcommands. A mistake is one line that states what is wrong and what to do, with exit status 2.
`--debug` anywhere shows the traceback instead.
"""

OF_KEYS = {"distill": USAGE, "influence": HELP}
"""Help of the commands that take keys of the configuration instead of arguments."""


def command_line_page() -> str:
    """Returns the page: a section per subcommand."""
    (commands,) = [each for each in command_parser()._actions if isinstance(each, argparse._SubParsersAction)]
    helps = {each.dest: str(each.help or "") for each in commands._choices_actions}
    sections = [_section(name, helps[name], parser) for name, parser in commands.choices.items()]
    return "\n".join([INTRODUCTION, *sections])


def _section(name: str, summary: str, parser: argparse.ArgumentParser) -> str:
    if name in OF_KEYS:
        more = "Its keys: [](configuration.md).\n"
        return f"## graphkd {name}\n\n```text\n{OF_KEYS[name]}\n```\n\n{more}"
    if name == "tune":  # whose arguments are read apart from those of the other commands
        parser = tune_parser()
    usage = parser.format_usage().removeprefix("usage: ").strip()
    arguments = [each for each in parser._actions if not isinstance(each, argparse._HelpAction)]
    rows = [(f"`{_name(each)}`", _default(each), _meaning(each)) for each in arguments]
    lines = textwrap.fill(usage, 88, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False)
    block = f"```text\n{lines}\n```\n"
    arguments_table = table(("argument", "default", "meaning"), rows)
    return f"## graphkd {name}\n\n{_sentence(summary)}\n\n{block}\n{arguments_table}"


def _sentence(summary: str) -> str:
    return f"{summary[:1].upper()}{summary[1:]}."


def _name(action: argparse.Action) -> str:
    """Returns an argument as it is written: flags with the name of their value."""
    if not action.option_strings:
        return str(action.metavar or action.dest)
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return ", ".join(action.option_strings) + value


def _default(action: argparse.Action) -> str:
    shown = action.default not in (None, False, True, [], argparse.SUPPRESS)
    return f"`{action.default}`" if shown else ""


def _meaning(action: argparse.Action) -> str:
    """Returns an argument's help, and its choices if there are any."""
    choices = ", ".join(f"`{each}`" for each in action.choices or ())
    return "; ".join(filter(None, [action.help, choices and f"one of {choices}"]))
