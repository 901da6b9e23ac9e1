"""``graphkd.tune``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkd import methods as all_methods
from graphkd.atomic_io import as_path, check_writable
from graphkd.checks import is_real, is_whole
from graphkd.cluster.session import check_cluster
from graphkd.datasets import Graph
from graphkd.datasets.setting import SETTINGS, apply_setting
from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.registry import lookup
from graphkd.spec import DistillSpec, settings_of
from graphkd.training.seeds import parse_seed
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.task_compatibility import check_task
from graphkd.tuning.blinded import blinded
from graphkd.tuning.budget import Budget
from graphkd.tuning.candidate import Candidate
from graphkd.tuning.files import write_files
from graphkd.tuning.final import write_final
from graphkd.tuning.limits import OTHER_STUDENTS, Cost, Shape, costs, within
from graphkd.tuning.problem import Problem
from graphkd.tuning.records import FILE, Records
from graphkd.tuning.sampler import check_optuna
from graphkd.tuning.search import SEARCH_SEEDS, Search
from graphkd.tuning.space import (
    ENCODERS,
    METHODS,
    OTHER_TASKS,
    OWN_ENCODER,
    READS,
    SHAPES,
    TRANSFORMS,
    Space,
)
from graphkd.tuning.tuned import PLAIN, WINNER, Tuned
from graphkd.tuning.workers import workers_of

if TYPE_CHECKING:
    from torch_geometric.data import Data

SEARCHED = {
    "method": "--methods (methods=)",
    "encoder": "--reads (reads=)",
    "seeds": "--seeds (seeds=)",
    "output_dir": "--output-dir (output_dir=)",
}
"""Keys and groups that cannot be given, since they differ between candidates → what can be given instead."""

PLACES = ("data_dir", "cache_dir", "device", "download")
"""Keys that change no result."""


@own_environment()
def tune(
    data: Data | str,
    *,
    minutes: float = 10.0,
    trials: int | None = None,
    reads: str = "x",
    methods: Sequence[str] | None = None,
    max_us: float | None = None,
    max_kb: float | None = None,
    workers: int = 1,
    seeds: int = 5,
    seed: int = 0,
    output_dir: str | os.PathLike[str] = "runs/tune",
    overrides: Iterable[str] = (),
    tell: Callable[[str], None] = lambda line: None,
) -> Tuned:
    """Searches the best student of a graph by validation scores, and trains it on new seeds.

    The search sees no label of a test node: they are replaced before it begins. Plain MLPs are searched as all
    other students are, and one of them is chosen unless another student is better by more than the standard error.
    The same call goes on where it was stopped.

    Args:
        data: PyG ``Data`` as for ``graphkd.distill``, or the name of a data set.
        minutes: for search and last runs together; a student that is still in training when the search ends is
            given up, and the last runs are finished in any case.
        trials: students that are tried at most; by default as many as the time allows.
        reads: what the student may read when it answers: ``x``, ``positions`` as well, or ``neighbours``.
        methods: names, beside the plain MLP; by default those whose students train in seconds, where a node has
            labels or numbers ``glnn``, ``infgrand`` and ``teacher_bounded``.
        max_us: most microseconds of a prediction for one row (median, runtime ``numpy``).
        max_kb: most kilobytes of the student's weights.
        workers: processes that train candidates.
        seeds: number of new seeds for the last runs.
        seed: of the search.
        output_dir: folder of the search.
        overrides: of ``graphkd distill``, such as ``["dataset.split=cpf", "teacher=sage"]``: they stay as given;
            with ``cluster=ray`` candidates are tasks of a cluster, and ``workers`` is not read.
        tell: called with a line about progress.

    Returns:
        ``winner``, ``plain_mlp``, ``trials``, ``command``.

    Raises:
        GraphKDError: invalid data or settings, a limit that no student keeps, or Optuna is missing.

    >>> import tempfile, graphkd
    >>> few = {"trials": 1, "methods": [], "seeds": 1, "overrides": ["training.max_epochs=5"]}
    >>> data = graphkd.load_dataset("digits")
    >>> found = graphkd.tune(data, output_dir=tempfile.mkdtemp() + "/tune", **few)
    >>> found.overrides[:2], sorted(found.winner.metrics["mean"])
    (['method=mlp', 'encoder=raw'], ['mlp_test', 'student_test'])
    """
    from graphkd.commands.cluster_jobs import split_cluster

    check_optuna()
    seed, folder = parse_seed(seed), as_path(output_dir, "output_dir")
    check_writable(folder, "output_dir")
    _check_numbers(
        {"minutes": minutes, "max_us": max_us, "max_kb": max_kb},
        {"trials": trials, "workers": workers, "seeds": seeds},
    )
    own, cluster = split_cluster(list(overrides))
    if cluster is not None:
        check_cluster(cluster)
    problem = _problem(data, own)
    spec, true = problem.spec(), problem.graph(0)  # what is given is checked before anything is trained
    graph = blinded(true)
    space = _space(problem.fixed, spec, true, reads, methods)
    new = range(SEARCH_SEEDS, SEARCH_SEEDS + seeds)
    _check_setting(problem, spec.setting, new)
    measured = _costs(problem, space, graph, limited=bool(max_us or max_kb))
    shapes = within(measured, max_kb, max_us) if not (folder / FILE).exists() else []
    settings = {
        "data": graph.fingerprint(),
        "overrides": sorted(each for each in problem.overrides if each.partition("=")[0] not in PLACES),
        "reads": reads,
        "methods": list(space.methods),
        "max_us": max_us,
        "max_kb": max_kb,
        "seed": seed,
    }
    records = Records(folder, settings)
    if "shapes" not in records.facts:  # a search that goes on does not measure again: times differ a little
        records.add_fact("shapes", [list(shape) for shape in shapes])
    space = replace(space, shapes=tuple((layers, width) for layers, width in records.facts["shapes"]))
    budget = Budget(minutes, trials, records.elapsed)
    with workers_of(problem, folder / "cache", workers, cluster) as pool:
        search = Search(space, pool, records, budget, graph.val.numel(), seeds, seed, tell)
        winner = search.run()
    return _finish(problem, search, winner, list(new), folder, measured)


def _finish(
    problem: Problem,
    search: Search,
    winner: Candidate,
    seeds: list[int],
    folder: Path,
    measured: dict[Shape, Cost],
) -> Tuned:
    """Trains what was chosen on new seeds, and writes the files of the search."""
    chosen, plain = {WINNER: winner}, search.records.facts["plain"]
    if plain is not None:
        chosen[PLAIN] = search.candidates[plain]
    metrics, cache = {}, StageCache(folder / "cache")
    for name, candidate in chosen.items():
        settings = " ".join(candidate.overrides)
        search.tell(f"{search.budget.elapsed:.0f} s: {name} on {len(seeds)} new seeds: {settings}")
        metrics[name] = write_final(problem, candidate, seeds, folder / name, cache)
    write_files(folder, problem, search, winner, metrics, seeds, measured)
    shutil.rmtree(folder / "cache", ignore_errors=True)
    return Tuned(folder)


def _problem(data: Data | str, overrides: list[str]) -> Problem:
    for key in (override.partition("=")[0].lstrip("+~") for override in overrides):
        if (group := key.partition(".")[0]) in SEARCHED:
            raise GraphKDError(f"{key} cannot be given to a search: use {SEARCHED[group]}")
    if not isinstance(data, str) and not hasattr(data, "edge_index"):
        raise GraphKDError(f"data is {type(data).__name__}: give a PyG Data, or the name of a data set")
    if isinstance(data, str):
        return Problem((f"dataset={data}", *overrides))
    if any(override.startswith("dataset") for override in overrides):
        raise GraphKDError("dataset= is for data sets by name, and data were given: leave it out")
    return Problem(tuple(overrides), data)


def _space(
    fixed: Mapping[str, str], spec: DistillSpec, graph: Graph, reads: str, names: Sequence[str] | None
) -> Space:
    """Returns the space, with all shapes."""
    if reads not in READS:
        raise GraphKDError(f"reads is {reads!r}: choose one of {', '.join(READS)}")
    if graph.num_features == 0 and reads == "x":
        raise GraphKDError("the graph has no features: choose reads=positions")
    if isinstance(names, str):
        raise GraphKDError(f"methods is {names!r}: give a list of names")
    task = graph.task
    check_task(spec, task)
    own = tuple(OWN_ENCODER) if reads == "neighbours" and graph.num_features and task.one_class else ()
    default = (*METHODS, *own) if task.one_class else OTHER_TASKS
    chosen = default if names is None else tuple(names)
    for name in chosen:
        tasks = lookup(all_methods, name).tasks
        if task.name not in tasks:
            raise GraphKDError(
                f"methods has {name}, which is for tasks {', '.join(tasks)}, and the labels are those of "
                f"{task.name}: leave it out"
            )
        if name == "mlp":
            raise GraphKDError("methods has mlp: leave it out, plain MLPs are always tried")
        if name in OWN_ENCODER and name not in own:
            raise GraphKDError(f"methods has {name}, whose student reads neighbours: choose reads=neighbours")
    metric = spec.training.metric or graph.metric
    return Space(
        fixed=fixed,
        encoders=_encoders(graph, reads),
        methods=chosen,
        untaught=tuple(name for name in chosen if not lookup(all_methods, name).has_teacher),
        shapes=tuple(_shapes(fixed, spec)),
        weighs_classes=task.one_class and metric in ("macro_f1", "balanced_accuracy"),
        transforms=TRANSFORMS if task.one_class else ("none",),
        metric=metric,
    )


def _encoders(graph: Graph, reads: str) -> tuple[str, ...]:
    """Returns the encoders that a student may have; one of them reads classes."""
    if not graph.num_features:
        return ("positions_alone",)
    return tuple(name for name in READS[reads] if name != "labels" or graph.task.one_class)


def _costs(problem: Problem, space: Space, graph: Graph, limited: bool) -> dict[Shape, Cost]:
    """Returns what each shape costs with the widest input that a student may have."""
    for name in space.methods if limited else ():
        if name in OTHER_STUDENTS:
            raise GraphKDError(
                f"methods has {name}, whose students cannot be measured beforehand: leave it out, or the limits"
            )
    specs = [problem.spec(ENCODERS[encoder]) for encoder in space.encoders]
    widest = max(spec.inputs.width(graph.num_features, graph.num_classes) for spec in specs)
    return costs(space.shapes, widest, graph.num_classes, graph.task.name)


def _check_setting(problem: Problem, setting: str, seeds: Iterable[int]) -> None:
    """Checks, before the search, that the setting has test nodes to hide and to score on every new seed."""
    if SETTINGS[setting].hides:
        for seed in seeds:
            apply_setting(problem.graph(seed), setting, seed)


def _shapes(fixed: Mapping[str, str], spec: DistillSpec) -> list[Shape]:
    """Returns the shapes to search, with a depth or a width that was given."""
    student = settings_of(spec.student)
    given = {key: int(student[key]) for key in ("num_layers", "hidden_dim") if f"student.{key}" in fixed}
    pairs = [{"num_layers": layers, "hidden_dim": width, **given} for layers, width in SHAPES]
    return list(dict.fromkeys((pair["num_layers"], pair["hidden_dim"]) for pair in pairs))


def _check_numbers(reals: dict[str, Any], wholes: dict[str, Any]) -> None:
    for name, value in reals.items():
        if value is not None and not (is_real(value) and 0 < value < 1e9):
            raise GraphKDError(f"{name} is {value}: it must be a number above 0")
    for name, value in wholes.items():
        if value is None and name == "trials":
            continue
        if not (is_whole(value) and 1 <= value < 1e6):
            raise GraphKDError(f"{name} is {value}: it must be a whole number, 1 or more")
