"""``graphkd influence``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from graphkd.atomic_io import as_path, check_writable, whole_folder
from graphkd.commands.influence_files import FILES, write_files
from graphkd.commands.influence_table import format_tables
from graphkd.commands.messages import explain
from graphkd.commands.overrides import check_overrides, quoted, short_name
from graphkd.config import added_keys, composed, resolved, spec_from
from graphkd.config_data import cache_of, load_graph, name_of_data
from graphkd.config_reference import unknown_key
from graphkd.datasets import SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.errors import GraphKDError
from graphkd.influence.inputs import reads_teacher
from graphkd.methods import MLP
from graphkd.plots import check_plot
from graphkd.runs import InfluenceProfile, check_memory
from graphkd.runs.influence import check_influence
from graphkd.spec import DistillSpec, name_of
from graphkd.training.seeds import parse_seeds
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.teacher import TeacherResult, train_teacher

FLAGS = ("--no-teacher", "-h", "--help")

HELP = """\
usage: graphkd influence DATASET [--no-teacher] [KEY=VALUE] …

What does an influence measure? Its distribution, how much it changes the weights of the loss, and its rank
correlation with features, graph, labels and a teacher, into a folder of tables and pictures.

DATASET is a name as in graphkd list datasets. Keys are those of graphkd distill (graphkd distill --help lists
them), so that the keys of a run show its influence; method=infgrand by default, the first seed of several.
output_dir is runs/influence-DATASET-INFLUENCE by default; a report that is there is replaced.
--no-teacher trains none and leaves its rows out."""


def influence(args: list[str]) -> None:
    """Analyses an influence on a data set, prints a table and writes the report's folder.

    Args:
        args: the data set, keys as of ``graphkd distill``, ``--no-teacher``.

    Raises:
        GraphKDError: an invalid argument, unavailable data, no influence, or no matplotlib; nothing has been
            written then.
    """
    if "-h" in args or "--help" in args:
        print(HELP)
        return
    config = _composed(_overrides(args))
    for key in added_keys(config):
        raise GraphKDError(unknown_key(key))
    check_plot()
    spec, seed = spec_from(config), parse_seeds(config.seeds)[0]
    check_influence(spec)
    if "--no-teacher" in args and spec.influence is not None and reads_teacher(spec.influence):
        raise GraphKDError(f"influence={name_of(spec.influence)} reads the teacher: leave out --no-teacher")
    folder = _folder(config, spec)
    cache = cache_of(config)
    view = apply_setting(load_graph(config, seed), spec.setting, seed)
    teacher_result = None if "--no-teacher" in args else _taught(view, spec, seed, cache)
    profile = InfluenceProfile.of(view, spec, teacher_result, seed, cache)
    title = _heading(name_of_data(config), view.observed.split, spec, seed, teacher_result)
    with whole_folder(folder) as draft:
        write_files(draft, profile, resolved(config, [seed]), title)
    print("\n".join([title, "", *format_tables(profile), ""]))
    print(f"influence folder: {folder}")


def _overrides(args: Sequence[str]) -> list[str]:
    """Builds the overrides for Hydra; the method is InfGraND, which weights nodes, unless the user sets one."""
    for flag in args:
        if flag.startswith("-") and flag not in FLAGS:
            raise GraphKDError(f"unknown flag {flag}: there are {', '.join(FLAGS)}; keys are set with KEY=VALUE")
    names = [arg for arg in args if not arg.startswith(("-", "~")) and "=" not in arg]
    keys = [arg for arg in args if arg not in (*names, *FLAGS)]
    groups = {key.partition("=")[0].lstrip("+") for key in keys}
    if len(names) != 1 or "dataset" in groups:
        listed = " and ".join([*names, *(key for key in keys if key.startswith("dataset="))]) or "none"
        raise GraphKDError(f"give one data set, not {listed}: graphkd influence DATASET [KEY=VALUE …]")
    method = [] if {"method", "experiment"} & groups else ["method=infgrand"]
    overrides = [f"dataset={names[0]}", *method, *keys]
    check_overrides(overrides)
    return [quoted(override) for override in overrides]


def _composed(overrides: list[str]) -> DictConfig:
    try:
        return composed(overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise GraphKDError(explain(error)) from error


def _folder(config: DictConfig, spec: DistillSpec) -> Path:
    """Returns the report's folder, which will be replaced: it must be missing, empty or contain a report."""
    folder = Path("runs") / short_name(f"influence-{name_of_data(config)}-{spec.names['influence']}")
    if config.output_dir is not None:
        folder = as_path(config.output_dir, "output_dir")
    check_writable(folder, "output_dir")
    if folder.exists() and folder.samefile(Path.cwd()):
        raise GraphKDError(f"output_dir={folder} is the current folder, which would be replaced: choose another")
    if folder.exists() and {entry.name for entry in folder.iterdir()} - set(FILES):
        raise GraphKDError(f"{folder} exists and holds other files than a report's: choose another output_dir")
    return folder


def _taught(view: SettingView, spec: DistillSpec, seed: int, cache: StageCache) -> TeacherResult:
    check_memory(view, spec.with_method(MLP()), cache.tables)  # the method's student is not trained
    spec.check(view.observed)
    return train_teacher(view, spec, seed, [], cache)


def _heading(name: str, split: str, spec: DistillSpec, seed: int, teacher_result: TeacherResult | None) -> str:
    teacher = "no teacher" if teacher_result is None else f"{name_of(spec.teacher)} teacher"
    names = spec.names
    variant = "" if names["variant"] == "none" else f" {names['variant']}"
    parts = (f"influence {names['influence']}", f"method {names['method']}{variant}", teacher, f"seed {seed}")
    return " · ".join((name, f"{split} split", spec.setting, *parts))
