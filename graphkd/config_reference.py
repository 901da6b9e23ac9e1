"""Every key of ``graphkd distill`` with its type, default and meaning, read from the parts themselves."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from graphkd.api import load_dataset
from graphkd.config import (
    GROUPS,
    CustomDatasetConfig,
    DatasetConfig,
    DeployConfig,
    DistillConfig,
    SettingConfig,
    groups,
    parts_of,
)
from graphkd.docstrings import arguments_of, summary_of
from graphkd.registry import parameters_of


@dataclass(frozen=True)
class Key:
    """A key of the configuration.

    Args:
        name: dotted, such as ``training.lr``.
        type: annotation of the argument that it sets.
        default: as it is written on the command line.
        meaning: from the docstring, on one line.
    """

    name: str
    type: str
    default: str
    meaning: str


@dataclass(frozen=True)
class KeyGroup:
    """Keys that are valid for one choice.

    Args:
        group: the config group; empty for keys outside all groups.
        choice: the value of ``group=`` that has these keys; empty for keys of every choice.
        keys: in the order of the arguments.
    """

    group: str
    choice: str
    keys: tuple[Key, ...]

    @property
    def title(self) -> str:
        """The choice, as it is written on the command line."""
        return f"{self.group}={self.choice}" if self.choice else self.group


def config_reference() -> list[KeyGroup]:
    """Returns every key of ``graphkd distill``: those outside groups first, then group by group.

    Keys that every choice of a group has, with one default and meaning, are stated once.

    >>> reference = {group.title: group for group in config_reference()}
    >>> [key.name for key in reference["student=mlp"].keys][:2]
    ['student.hidden_dim', 'student.num_layers']
    >>> next(key.default for key in reference["training"].keys if key.name == "training.patience")
    '50'
    """
    return [KeyGroup("", "", tuple(_run_keys())), *(each for group in groups() for each in _of_group(group))]


def group_summary(group: str) -> str:
    """Returns what a config group is for: the first line of its package's docstring.

    Args:
        group: such as ``method``.
    """
    if group == "setting":
        return summary_of(SettingConfig)
    return summary_of(GROUPS[group]) if group in GROUPS else "Whole runs: keys of several groups at once."


def known_keys() -> list[str]:
    """Returns every key that ``graphkd distill`` accepts, dotted."""
    keys = [key.name for section in config_reference() for key in section.keys]
    return list(dict.fromkeys([*DistillConfig.__dataclass_fields__, "experiment", *keys]))


def unknown_key(key: str) -> str:
    """Returns the error message for an unknown key: the nearest three, of the same group if there is one."""
    prefix = key.rpartition(".")[0]
    if prefix and key in known_keys():
        return (
            f"'{key}' is no key of the {prefix} that was chosen: choose the {prefix} that has it, or leave it out"
        )
    siblings = [other for other in known_keys() if other.rpartition(".")[0] == prefix]
    near = difflib.get_close_matches(key, siblings or known_keys(), n=3, cutoff=0.0)
    *first, last = [f"'{other}'" for other in near]
    hint = f"{', '.join(first)} or {last}" if first else last
    return f"unknown key '{key}': did you mean {hint}? graphkd distill --help lists every key"


def _run_keys() -> list[Key]:
    """The keys outside all groups; those that choose from a group have no default in the schema."""
    fields = [field for field in _fields(DistillConfig) if field[0] not in (*groups(), "deploy")]
    return [*_keys("", DistillConfig, fields), *_keys("deploy", DeployConfig, _fields(DeployConfig))]


def _of_group(group: str) -> list[KeyGroup]:
    if group == "dataset":
        return _of_dataset()
    if group == "setting":
        return [KeyGroup(group, "", tuple(_keys(group, SettingConfig, _fields(SettingConfig))))]
    if group not in GROUPS:  # whole experiments, which set keys of the other groups
        return []
    keys = {name: _keys(group, part, _settings(part)) for name, part in parts_of(group).items()}
    return _shared_first(group, keys)


def _of_dataset() -> list[KeyGroup]:
    """The keys of a data set are arguments of ``load_dataset``; some are for a user's own data only."""
    shared = _fields(DatasetConfig)
    own = [field for field in _fields(CustomDatasetConfig) if field not in shared]
    return [
        KeyGroup("dataset", "", tuple(_keys("dataset", load_dataset, shared))),
        KeyGroup("dataset", "custom", tuple(_keys("dataset", load_dataset, own))),
    ]


def _shared_first(group: str, keys: dict[str, list[Key]]) -> list[KeyGroup]:
    """Splits the keys of a group's parts into those that all have and the rest of each."""
    shared = [key for key in next(iter(keys.values())) if all(key in other for other in keys.values())]
    rest = {name: tuple(key for key in each if key not in shared) for name, each in sorted(keys.items())}
    common = [KeyGroup(group, "", tuple(shared))] if shared else []
    return [*common, *(KeyGroup(group, name, each) for name, each in rest.items() if each)]


def _fields(schema: type) -> list[tuple[str, Any, Any]]:
    return [(field.name, field.type, field.default) for field in dataclasses.fields(schema)]


def _settings(part: Any) -> Iterable[tuple[str, Any, Any]]:
    return [(name, setting.annotation, setting.default) for name, setting in parameters_of(part).items()]


def _keys(group: str, part: Any, settings: Iterable[tuple[str, Any, Any]]) -> list[Key]:
    meanings = arguments_of(part)
    return [
        Key(f"{group}.{name}" if group else name, _type(kind), _default(default), meanings.get(name, ""))
        for name, kind, default in settings
    ]


def _type(annotation: Any) -> str:
    return "any" if annotation in (Any, "Any", inspect.Parameter.empty) else str(annotation)


def _default(value: Any) -> str:
    """Returns a default as it is written on the command line."""
    written = {None: "null", True: "true", False: "false", MISSING: "required"}
    return written[value] if value is None or isinstance(value, bool) or value == MISSING else str(value)
