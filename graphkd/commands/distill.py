"""``graphkd distill``: Hydra composes configs, their jobs are run, and every error is reported in one line."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from graphkd.callbacks import Callback
from graphkd.cluster import Ray
from graphkd.cluster.session import check_cluster
from graphkd.commands.cluster_jobs import ClusterJob, job_of, run_on_cluster, split_cluster
from graphkd.commands.distill_help import help_text
from graphkd.commands.links_distill import run_links
from graphkd.commands.messages import explain
from graphkd.commands.overrides import check_overrides, folder_name, quoted, short_name
from graphkd.commands.table import print_columns, print_table
from graphkd.config import (
    added_keys,
    config_dir,
    register_schemas,
    spec_from,
    tracker_of,
)
from graphkd.config_data import cache_of, load_graph, name_of_data, run_settings
from graphkd.config_links import is_links
from graphkd.config_reference import unknown_key
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.distributed import LOST, distributed_session, is_loss, world
from graphkd.errors import GraphKDError
from graphkd.runs import (
    Job,
    LiveLog,
    RunFacts,
    RunFolder,
    SecondaryRank,
    SeedRun,
    check_disk,
    check_memory,
    check_shared,
    default_name,
    open_run,
    read_metrics,
    train_ahead,
)
from graphkd.spec import DistillSpec
from graphkd.training.seeds import parse_seeds
from graphkd.training.stages.stage_cache import StageCache


def distill(args: list[str]) -> None:
    """Runs one job, or with ``-m`` several; on every rank under ``torchrun``.

    Args:
        args: Hydra overrides and flags.

    Raises:
        GraphKDError: an invalid argument, with a message of one line.
    """
    with distributed_session():
        _distill(args)


def _distill(args: list[str]) -> None:
    if "--help" in args or "-h" in args:
        print(help_text(args))
        return
    check_overrides(args)
    register_schemas()
    failures: list[Exception] = []
    process = os.getpid()

    def job(config: DictConfig) -> None:
        if failures and world().is_distributed:  # other ranks may not have failed: no rank starts another job
            return
        errors = _failures(config)
        failures.extend(errors)
        if errors and os.getpid() != process:  # a launcher's process, which passes on raised exceptions only
            raise errors[0]

    flags = {arg.partition("=")[0] for arg in args}
    alone = not world().is_distributed  # students are not trained together under torchrun
    if flags & {"-m", "--multirun"} and not flags & {"--cfg", "-c", "--info", "-i"}:
        args, cluster = split_cluster(args)
        if cluster is not None:
            _run_on_cluster(args, cluster)
        if alone:
            _train_ahead(args)
    _run_hydra(args, job)
    if failures:
        for failure in failures[:-1]:
            print(f"graphkd: {failure}", file=sys.stderr)
        raise failures[-1]


def _run_hydra(args: list[str], job: Callable[[DictConfig], None]) -> None:
    with _hydra_process(args):
        try:
            hydra.main(version_base="1.3", config_path=str(config_dir()), config_name="distill")(job)()
        except (HydraException, OmegaConfBaseException) as error:
            raise GraphKDError(explain(error)) from error


def _run_on_cluster(args: list[str], cluster: Ray) -> None:
    """Runs the jobs of a multirun on a cluster; they are finished then, for the jobs of this process to print."""
    jobs: list[ClusterJob] = []

    def collect(config: DictConfig) -> None:
        job = job_of(config, _sweep_path(config))
        if job is not None:
            jobs.append(job)

    _run_hydra(args, collect)
    run_on_cluster(jobs, cluster)


def _train_ahead(args: list[str]) -> None:
    """Trains students of a multirun's jobs together, where set; a job's errors are reported when it runs."""
    by_cache: dict[Path | None, tuple[StageCache, list[Job]]] = {}

    def collect(config: DictConfig) -> None:
        with contextlib.suppress(GraphKDError, OSError, HydraException, OmegaConfBaseException):
            spec = spec_from(config)
            if not spec.training.together or (_sweep_path(config) / "metrics.json").exists():
                return
            check_shared(spec)
            cache, graph = cache_of(config), functools.partial(load_graph, config)
            check_memory(apply_setting(graph(0), spec.setting), spec, cache.tables)
            job = Job(spec, parse_seeds(config.seeds), graph, with_baseline(config, spec))
            by_cache.setdefault(cache.folder, (cache, []))[1].append(job)

    _run_hydra(args, collect)
    for cache, jobs in by_cache.values():
        train_ahead(jobs, cache)


def with_baseline(config: DictConfig, spec: DistillSpec) -> bool:
    """Returns whether plain MLPs are trained besides the student."""
    return bool(config.baseline) and bool(spec.baselines)


def _failures(config: DictConfig) -> list[Exception]:
    """Runs a job; returns the error to show to the user, if it failed."""
    try:
        run_job(config)
    except (GraphKDError, OSError) as error:
        return [error]
    except (HydraException, OmegaConfBaseException) as error:
        return [GraphKDError(explain(error))]
    except RuntimeError as error:
        if not is_loss(error):
            raise
        return [GraphKDError(LOST)]
    return []


def run_job(config: DictConfig) -> None:
    """Trains every seed of one config into its run folder and prints the table.

    Args:
        config: composed.

    Raises:
        GraphKDError: invalid data, values or folder; nothing has been written then.
    """
    for key in added_keys(config):
        raise GraphKDError(unknown_key(key))
    if is_links(config):
        run_links(config, functools.partial(_named, config))
        return
    seeds = parse_seeds(config.seeds)
    spec = spec_from(config)

    def graph(seed: int) -> Graph:
        return first if seed == seeds[0] else load_graph(config, seed)

    def train(seed: int) -> SeedRun:
        return SeedRun.train(graph(seed), spec, seed, baseline, cache, _stages(folder.path), callbacks)

    check_shared(spec)
    if config.save_teacher and not spec.uses_teacher:
        raise GraphKDError(f"save_teacher is true, but method={spec.method.name} trains no teacher: leave it out")
    cache = cache_of(config)
    if cache.tables.cluster is not None:
        check_cluster(cache.tables.cluster)
    first = load_graph(config, seeds[0])
    view = apply_setting(first, spec.setting)
    baseline = with_baseline(config, spec)
    run_path = _run_path(config, first, spec)
    folder = open_run(run_path, run_settings(config, seeds, first, run_path), config.overwrite)
    if not folder.finished:
        check_memory(view, spec, cache.tables)
        check_disk(view, spec, len(folder.pending), baseline, folder.path, cache.folder, cache.tables)
        spec.check(first)
        with _callbacks(config, folder) as callbacks:
            train_ahead([Job(spec, folder.pending, graph, baseline)], cache)
            for seed in seeds:
                folder.add(seed, functools.partial(train, seed))
            folder.finish(RunFacts.of(first, spec))
    if world().is_rank0:
        print_table(read_metrics(folder.path), folder.path)
        print_columns(first.column_encoding, seeds[0], len(seeds) > 1)


@contextmanager
def _callbacks(config: DictConfig, folder: RunFolder | SecondaryRank) -> Iterator[list[Callback]]:
    """The run's log and its tracker, which has been started; on rank 0 alone."""
    if not isinstance(folder, RunFolder):
        yield []
        return
    trackers = tracker_of(config)
    for tracker in trackers:
        tracker.on_run_start(folder.path.name, folder.path, folder.config)
    log = LiveLog(folder.place, [seed for seed in folder.seeds if seed not in folder.pending])
    try:
        yield [log, *trackers]
    except BaseException:
        log.discard()
        raise
    log.close()
    for tracker in trackers:
        tracker.on_run_end(read_metrics(folder.path))


def _stages(job: Path) -> Callable[[str], None] | None:
    """Returns a function that prints a line per finished stage; None with progress bars, or if not on rank 0."""
    if sys.stderr.isatty() or not world().is_rank0:
        return None
    return lambda line: print(f"graphkd: {job.name}: {line}", file=sys.stderr, flush=True)


def _run_path(config: DictConfig, graph: Graph, spec: DistillSpec) -> Path:
    return _named(config, default_name(name_of_data(config), graph.split, spec))


def _named(config: DictConfig, name: str) -> Path:
    """Returns the folder of a run of that name, unless the user chose it, or of its job in a multirun."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return _sweep_path(config)
    return Path(config.output_dir or Path("runs") / short_name(name))


def _sweep_path(config: DictConfig) -> Path:
    return Path(config.output_dir or "runs") / folder_name(HydraConfig.get().job.override_dirname or "default")


@contextmanager
def _hydra_process(args: list[str]) -> Iterator[None]:
    """Sets what Hydra reads: ``sys.argv``, the variable that makes it re-raise exceptions, a temporary folder."""
    argv, debug = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    with tempfile.TemporaryDirectory() as folder:
        sys.argv = ["graphkd distill", *map(quoted, sorted(args, key=_is_override)), f"hydra.sweep.dir={folder}"]
        os.environ["HYDRA_FULL_ERROR"] = "1"
        try:
            yield
        finally:
            sys.argv = argv
            del os.environ["HYDRA_FULL_ERROR"]
            if debug is not None:
                os.environ["HYDRA_FULL_ERROR"] = debug


def _is_override(arg: str) -> bool:
    """Returns whether an argument is an override: argparse requires these to be contiguous, after the flags."""
    return not arg.startswith("-") and ("=" in arg or arg.startswith("~"))
