"""Conversion of Hydra's and OmegaConf's long messages to one line with advice."""

from __future__ import annotations

import re

from hydra.errors import OverrideParseException

from graphkd.config import names_in
from graphkd.config_reference import unknown_key
from graphkd.datasets.ogb.facts import UNSUPPORTED
from graphkd.registry import unknown

_OPTION = re.compile(r"Could not find '([^'/]+)/([^']*)'")
_KEY = re.compile(r"Could not override '([^']+)'|Key '([^']+)' (?:is )?not in")
_SEVERAL = re.compile(r"Ambiguous value for argument '([^']+)'")
_NULL = re.compile(r"field '[^']*' is not Optional.*?full_key: (\S+)", re.S)
_ADDED = re.compile(r"unexpected keyword argument '([^']+)'.*full_key: (\S+)", re.S)
_VALUE = re.compile(
    r"Value '?.*?'?(?: of type '.*?')? (?:could not be|is not).*?(?=\n|$)|Cannot convert .*|Incompatible value .*"
)


def explain(error: BaseException) -> str:
    """Returns a message of one line for an exception of Hydra or OmegaConf, or for its cause."""
    chain = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    for link in chain:
        if isinstance(link, OverrideParseException):
            return _unparsed(link.override)
    text = "\n".join(str(link) for link in chain)
    return _known(text) or _first(error, text)


def _known(text: str) -> str:
    """Returns the message for a text whose kind is known, else an empty one."""
    if option := _OPTION.search(text):
        if option[1] == "dataset" and option[2] in UNSUPPORTED:
            return UNSUPPORTED[option[2]]
        return unknown(option[1], option[2], names_in(option[1]))
    if key := _KEY.search(text):
        return unknown_key(key[1] or key[2])
    if added := _ADDED.search(text):
        return unknown_key(f"{added[2]}.{added[1]}")
    if null := _NULL.search(text):
        return f"{null[1]} is null: give a value, or leave it out"
    if several := _SEVERAL.search(text):
        name = several[1].partition("=")[0]
        return f"{several[1]} has several values: put -m before it to run each; {name}='[…]' is one list"
    return ""


def _first(error: BaseException, text: str) -> str:
    """Returns the message for a value of the wrong type, else the beginning of the exception's own."""
    if value := _VALUE.search(text):
        where = re.search(r"full_key: (\S+)", text)
        return f"{where[1] + ': ' if where else ''}{value[0]}: give a value of the right type"
    first = " ".join(str(error).split()).removeprefix("In 'distill': ")
    return f"{first.split(' See https')[0]}: see graphkd distill --help"


def _unparsed(override: str) -> str:
    key, sign, _ = override.partition("=")
    if not sign:
        return f"{override} sets no value: write KEY=VALUE"
    return f"{override} cannot be parsed: quote the value for the shell and for Hydra, {key}=\"'VALUE'\""
