"""Conversion of Hydra configs to parts: the only module with Hydra's schemas and instantiation of ``_target_``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from graphkd import (
    balance,
    calibration,
    callbacks,
    cluster,
    datasets,
    encoders,
    influence,
    matching,
    methods,
    students,
    teachers,
    terms,
    training,
    transforms,
)
from graphkd.datasets import Source
from graphkd.errors import GraphKDError
from graphkd.links import decoders, heuristic_teachers, llp
from graphkd.plugins import installed_parts
from graphkd.registry import catalogue, lookup, parameters_of
from graphkd.spec import DistillSpec, name_of
from graphkd.tasks.choice import LINK

GROUPS: dict[str, ModuleType] = {
    "dataset": datasets,
    "teacher": teachers,
    "student": students,
    "encoder": encoders,
    "method": methods,
    "matching": matching,
    "transform": transforms,
    "calibration": calibration,
    "balance": balance,
    "term": terms,
    "influence": influence,
    "training": training,
    "tracker": callbacks,
    "decoder": decoders,
    "cluster": cluster,
}

OF_LINKS: dict[str, ModuleType] = {"teacher": heuristic_teachers, "method": llp}
"""Parts that only runs of links have, of groups that runs of nodes have as well."""

KINDS: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "int | None": Optional[int],  # noqa: UP045 - OmegaConf supports this form only
    "float | None": Optional[float],  # noqa: UP045
}
"""Annotations that a config is checked against; other arguments accept any value, which the part checks."""


@dataclass
class DeployConfig:
    """Keys of ``deploy``.

    Args:
        calibrate: divide the student's logits by one temperature, fitted to validation nodes.
    """

    calibrate: bool = False


@dataclass
class DistillConfig:
    """Keys of ``graphkd distill`` outside its groups.

    Args:
        seeds: a count, or a list of seeds; a run of fewer seeds in the folder goes on with the rest.
        data_dir: folder with raw data; only read.
        output_dir: the run folder, or with ``-m`` its parent; by default under ``runs``.
        cache_dir: folder for downloads and finished stages; by default the user's cache folder.
        device: ``auto``, ``cpu`` or ``cuda``.
        download: ``ask``, ``yes`` or ``never``.
        overwrite: replace another run in the same folder.
        baseline: also train the plain MLP of the same shape, for the table.
        memory_budget: gigabytes that building a table may take; tables are files in the cache then.
        table_dtype: ``float32``, ``bfloat16`` or ``float16``: of the student's inputs in those files.
        save_teacher: keep the trained teacher in the run folder, for ``graphkd.load_run``.
    """

    seeds: Any = 1
    data_dir: str = "data"
    output_dir: str | None = None
    cache_dir: str | None = None
    device: str = "auto"
    download: str = "ask"
    overwrite: bool = False
    baseline: bool = True
    memory_budget: float | None = None
    table_dtype: str = "float32"
    save_teacher: bool = False
    dataset: Any = MISSING
    setting: Any = MISSING
    teacher: Any = MISSING
    student: Any = MISSING
    encoder: Any = MISSING
    method: Any = MISSING
    matching: Any = MISSING
    transform: Any = MISSING
    calibration: Any = MISSING
    balance: Any = MISSING
    term: Any = MISSING
    influence: Any = None
    training: Any = MISSING
    tracker: Any = MISSING
    decoder: Any = MISSING
    cluster: Any = MISSING
    deploy: DeployConfig = field(default_factory=DeployConfig)


@dataclass
class DatasetConfig:
    """Keys of ``dataset``; see ``graphkd.load_dataset``."""

    name: str = MISSING
    split: str | None = None
    features: str = "stored"
    row_normalize: bool = False
    directed: bool = False
    label_rate: float = 1.0
    imbalance: float = 1.0
    long_tail: float = 1.0
    scale: float = 1.0
    path: str | None = None
    task: str | None = None


@dataclass
class CustomDatasetConfig(DatasetConfig):
    """Keys of ``dataset=custom``; see ``graphkd.load_dataset``."""

    columns: Any = "auto"
    numeric: str = "standard"


@dataclass
class SettingConfig:
    """What of the graph training may see.

    Args:
        name: of the setting.
    """

    name: str = "transductive"


def config_dir() -> Path:
    """Returns the folder of the YAML files: inside an installed wheel, or beside the package in a checkout."""
    installed = Path(__file__).parent / "configs"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "configs"


def groups() -> list[str]:
    """Returns the config groups, sorted."""
    return sorted(entry.name for entry in config_dir().iterdir() if entry.is_dir())


def names_in(group: str) -> list[str]:
    """Returns the valid values of ``group=``, sorted; names in subfolders include their folder."""
    root = config_dir() / group
    files = [file.relative_to(root).with_suffix("").as_posix() for file in root.rglob("*.yaml")]
    installed = installed_parts(GROUPS[group].__name__) if group in GROUPS else {}
    return sorted([*files, *installed])


@functools.cache
def register_schemas() -> None:
    """Registers a typed schema of every part in Hydra's store, as ``schema/GROUP/NAME``, once per process.

    The fields are the arguments of the part itself, so that defaults and types are defined once, in the code, and
    unknown keys are rejected.
    """
    store = ConfigStore.instance()
    store.store(group="schema", name="distill", node=DistillConfig)
    store.store(group="schema/setting", name="setting", node=SettingConfig)
    for group, package in GROUPS.items():
        for name, part in parts_of(group).items():
            node = _dataset_schema(part) if isinstance(part, Source) else _schema_of(part)
            store.store(group=f"schema/{group}", name=name, node=node)
        for name, part in installed_parts(package.__name__).items():
            store.store(**_installed_choice(group, name, part))


def _installed_choice(group: str, name: str, part: Any) -> dict[str, Any]:
    """Returns the entry of Hydra's store that stands for the YAML file of a part of graphkd."""
    influence = getattr(part, "influence", "none") if group == "method" else "none"
    if influence == "none":
        return {"group": group, "name": name, "node": _schema_of(part)}
    defaults = [f"/schema/method/{name}@method", {"override /influence": influence}, "_self_"]
    return {"group": group, "name": name, "node": {"defaults": defaults}, "package": "_global_"}


def composed(overrides: Iterable[str]) -> DictConfig:
    """Composes the config of ``graphkd distill`` for overrides; Hydra's global state is restored afterwards.

    Raises:
        HydraException, OmegaConfBaseException: invalid overrides, with Hydra's message.
    """
    register_schemas()
    with initialize_config_dir(str(config_dir().absolute()), version_base="1.3"):
        return compose("distill", list(overrides))


def spec_from(config: DictConfig) -> DistillSpec:
    """Builds the parts of a run of nodes that a composed config names.

    Raises:
        GraphKDError: a value outside its range, incompatible parts, or parts of links.
    """
    _check_no_links(config)
    return DistillSpec(
        teacher=make_part("teacher", config.teacher, partial=True),
        student=make_part("student", config.student, partial=True),
        method=make_part("method", config.method),
        encoder=_optional("encoder", config),
        matching=make_part("matching", config.matching),
        transform=_optional("transform", config),
        calibration=_optional("calibration", config),
        balance=_optional("balance", config),
        term=_optional("term", config),
        influence=None if config.influence is None else make_part("influence", config.influence, partial=True),
        training=make_part("training", config.training),
        setting=config.setting.name,
        calibrate=bool(config.get("deploy") and config.deploy.calibrate),
    )


def _check_no_links(config: DictConfig) -> None:
    """Checks that no part is one of links, whose runs have specs of their own, see ``graphkd.config_links``."""
    if config.dataset.get("task") == LINK:
        raise GraphKDError(f"dataset.task={LINK} is for graphkd distill and what reads its runs: leave it out")
    chosen = {group: config[group].get("_target_") for group in OF_LINKS}
    for group, package in OF_LINKS.items():
        for name, part in catalogue(package).items():
            if chosen[group] == _target_of(part):
                raise GraphKDError(
                    f"{group}={name} is for links: add dataset.task={LINK}, or choose another {group}"
                )
    decoder = config.get("decoder")
    if decoder is not None and make_part("decoder", decoder).name != "auto":
        raise GraphKDError(f"decoder is for links: add dataset.task={LINK}, or leave it out")


def tracker_of(config: DictConfig) -> list[callbacks.Callback]:
    """Returns the tracker that a composed config names, if any."""
    tracker = _optional("tracker", config)
    return [] if tracker.name == "none" else [tracker]


def cluster_of(config: DictConfig) -> cluster.Ray | None:
    """Returns the cluster that a composed config names, or None."""
    part = _optional("cluster", config)
    return part if isinstance(part, cluster.Ray) else None


def _optional(group: str, config: DictConfig) -> Any:
    """The part of a group that runs of earlier versions have no key for."""
    node = config.get(group)
    return make_part(group, node) if node is not None else lookup(GROUPS[group], "none")()


def spec_of(config: dict[str, Any], path: Path) -> DistillSpec:
    """Builds the parts of a run from its ``config.yaml``.

    Args:
        config: as returned by ``graphkd.runs.read_config``.
        path: of the run, for the error message.

    Raises:
        GraphKDError: the config names no parts of graphkd, or is damaged.
    """
    try:
        return spec_from(OmegaConf.create(config))
    except GraphKDError:
        raise
    except Exception as error:  # an edited config can fail in many ways
        raise GraphKDError(
            f"{path / 'config.yaml'} is damaged ({type(error).__name__}): make the run again elsewhere"
        ) from None


def resolved(config: DictConfig, seeds: list[int]) -> dict[str, Any]:
    """Converts a composed config to plain data, interpolations and seeds resolved: ``config.yaml`` of a run."""
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    return {**{str(key): value for key, value in plain.items()}, "seeds": seeds}


def added_keys(config: DictConfig) -> list[str]:
    """Returns the keys added with ``+`` that are not in the schema; parts check their own."""
    keys = [str(key) for key in config if key not in DistillConfig.__dataclass_fields__]
    kinds = (("dataset", CustomDatasetConfig), ("setting", SettingConfig), ("deploy", DeployConfig))
    for group, kind in kinds:
        keys += [f"{group}.{key}" for key in config[group] if key not in kind.__dataclass_fields__]
    return keys


def make_part(group: str, node: Any, partial: bool = False) -> Any:
    """Builds the part that a config node names; only exported parts are allowed, and settings are plain values.

    Args:
        group: of the part.
        node: with ``_target_`` and settings.
        partial: return a factory instead.

    Raises:
        GraphKDError: an unknown part or setting, or a value outside its range.
    """
    plain = OmegaConf.to_container(node, resolve=True)
    settings: dict[str, Any] = {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}
    part = targets_of(group).get(str(settings.pop("_target_", None)))
    if part is None:
        raise GraphKDError(
            f"{group} has an unknown _target_: only parts of graphkd are made from configs, and of packages "
            "that offer them by entry points"
        )
    for key, value in settings.items():
        parameter = parameters_of(part).get(key)
        if parameter is None or (isinstance(value, (dict, list)) and not _takes(parameter, type(value).__name__)):
            raise _unknown_key(f"{group}.{key}")
    return functools.partial(part, **settings) if partial else part(**settings)


def _takes(parameter: inspect.Parameter, kind: str) -> bool:
    """Returns whether an argument's annotation names ``list`` or ``dict``."""
    return kind in str(parameter.annotation)


def _unknown_key(key: str) -> GraphKDError:
    from graphkd.config_reference import unknown_key  # which reads the schemas of this module

    return GraphKDError(unknown_key(key))


def parts_of(group: str) -> dict[str, Any]:
    """Returns the parts of a group by name: those of nodes, and those of links alone."""
    own = catalogue(GROUPS[group])
    return {**own, **catalogue(OF_LINKS[group])} if group in OF_LINKS else own


def targets_of(group: str) -> dict[str, Any]:
    """Returns the parts of a group by what a run's configuration calls them."""
    return {_target_of(part): part for part in parts_of(group).values()}


def _target_of(part: Any) -> str:
    return f"{part.__module__.rpartition('.')[0]}.{part.__name__}"


def _schema_of(part: Any) -> type:
    fields: list[Any] = [("_target_", str, _target_of(part))]
    for name, parameter in parameters_of(part).items():
        kind = KINDS.get(str(parameter.annotation), Any)
        fields.append((name, kind, field(default=parameter.default)))
    return make_dataclass(f"{name_of(part)}_schema", fields)


def _dataset_schema(source: Source) -> DatasetConfig:
    split = None if source.splits[0] == "masks" else source.splits[0]  # a user's files may have none
    kind = CustomDatasetConfig if source.name == "custom" else DatasetConfig
    return kind(name=source.name, split=split, row_normalize=source.row_normalize)
