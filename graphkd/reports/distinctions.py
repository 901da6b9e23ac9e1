"""Settings and paths that distinguish runs whose parts have the same names."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from graphkd.reports.finished import FinishedRun
from graphkd.runs import CHECKSUMS, PLACES

LONGEST = 60
"""Maximum number of characters of settings in a column; longer ones are replaced by the folder's name."""


def distinctions(runs: Sequence[FinishedRun]) -> list[str]:
    """Returns a label for each run; empty if no other run has parts of the same names.

    Args:
        runs: of one group.

    Returns:
        The settings in which runs of the same names differ, such as ``max_epochs=20``, or where those are the same
        or too long the part of their paths that differs.
    """
    texts = [""] * len(runs)
    for names in {tuple(run.names.values()): None for run in runs}:
        alike = [at for at, run in enumerate(runs) if tuple(run.names.values()) == names]
        if len(alike) > 1:
            for at, text in zip(alike, _apart([runs[at] for at in alike]), strict=True):
                texts[at] = text
    return texts


def differences(runs: Sequence[FinishedRun]) -> list[dict[str, str]]:
    """Returns for each run the settings that differ between the runs that have them.

    Args:
        runs: of one group.

    Returns:
        Key → value. A part's settings are compared between runs with the same part, since other parts differ in
        name; all others, such as seeds and ``training.max_epochs``, between all runs.
    """
    flat = [_flat(run.config) for run in runs]
    short = _short(flat)
    result: list[dict[str, str]] = [{} for _ in runs]
    for key in sorted(short):
        names = [_part(run, key.partition(".")[0]) for run in runs]
        for name in dict.fromkeys(names):
            alike = [at for at, other in enumerate(names) if other == name]
            if len({repr(flat[at].get(key)) for at in alike}) > 1:
                for at in alike:
                    result[at][short[key]] = _value(flat[at].get(key))
    return result


def _part(run: FinishedRun, group: str) -> str:
    """Returns the name of the run's part; that of a method's published influence too, which has no heading."""
    return str(run.metrics["influence"]) if group == "influence" else run.names.get(group, "")


def _short(flat: list[dict[str, Any]]) -> dict[str, str]:
    """Maps each key to its last component, where that is unique."""
    leaves = Counter(key.rpartition(".")[2] for key in set().union(*flat))
    return {
        key: key.rpartition(".")[2] if leaves[key.rpartition(".")[2]] == 1 else key for key in set().union(*flat)
    }


def _apart(runs: list[FinishedRun]) -> list[str]:
    flat = [_flat(run.config) for run in runs]
    keys = sorted(key for key in set().union(*flat) if len({repr(each.get(key)) for each in flat}) > 1)
    short = _short(flat)
    texts = [", ".join(f"{short[key]}={_value(each.get(key))}" for key in keys) for each in flat]
    if len(set(texts)) == len(texts) and max(map(len, texts)) <= LONGEST:
        return texts
    return _tails([str(run.path.absolute()) for run in runs])


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        elif key not in (CHECKSUMS if prefix else (*PLACES, "baseline")):
            flat[f"{prefix}{key}"] = value
    return flat


def _value(value: Any) -> str:
    """Formats a value; consecutive integers as ``0..4``."""
    whole = isinstance(value, list) and len(value) > 2 and all(isinstance(each, int) for each in value)
    if whole and value == list(range(value[0], value[0] + len(value))):
        return f"{value[0]}..{value[-1]}"
    return "none" if value is None else str(value)


def _tails(paths: list[str]) -> list[str]:
    """Returns the last components of paths, as few as make them distinct."""
    parts = [path.split(os.sep) for path in paths]
    depth = next(depth for depth in range(1, 1 + max(map(len, parts))) if _unlike(parts, depth))
    return [os.sep.join(each[-depth:]) for each in parts]


def _unlike(parts: list[list[str]], depth: int) -> bool:
    return len({tuple(each[-depth:]) for each in parts}) == len(parts)
