"""``graphkd bench``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from graphkd.atomic_io import write_bytes, write_json
from graphkd.commands.bench_calls import Key, store_calls, store_of, store_size, student_calls, teacher_calls
from graphkd.commands.bench_plot import accuracy_against_latency
from graphkd.commands.bench_record import record
from graphkd.commands.bench_subject import Subject
from graphkd.commands.bench_table import markdown
from graphkd.commands.links_bench import bench_links
from graphkd.commands.rerun import retrain_seeds
from graphkd.deploy import load_bundle
from graphkd.errors import GraphKDError
from graphkd.evaluation import Times, latency
from graphkd.places import same_place
from graphkd.plots import check_plot
from graphkd.runs import read_metrics
from graphkd.system import readable
from graphkd.tasks.choice import LINK

STORE_BYTES = 2**30
"""Maximum bytes of propagated rows: a larger store is not built for a measurement."""

FILES = ("metrics.json", "config.yaml", "log.jsonl")
"""Files of a run, besides its bundles."""

INSTEAD = "a run that graphkd distill made from files can be measured"
"""Advice for runs with a part in memory."""


def bench(
    run: str,
    json_file: str | None = None,
    plot_file: str | None = None,
    threads: int = 1,
    seconds: float = 1.0,
    data_dir: str | None = None,
) -> None:
    """Times a run's student in every runtime against its own teacher, and prints Markdown.

    Args:
        run: folder of a run.
        json_file: output file for all numbers, with a plot beside it under the same name.
        plot_file: output file of the plot instead.
        threads: of torch, of numpy's BLAS and of OpenMP.
        seconds: duration of each model's timing, per number of rows.
        data_dir: folder of the run's data, if it has moved.

    Raises:
        GraphKDError: not a run, one that cannot be reproduced, a file that cannot be written, or no matplotlib
            where a plot is requested.
    """
    path, target = Path(run), None if json_file is None else Path(json_file)
    metrics = read_metrics(path)
    plot = Path(plot_file) if plot_file is not None else target.with_suffix(".png") if target else None
    _check(threads, seconds, target, plot)
    for file in filter(None, (target, plot)):
        _check_is_not_of(path, file)
    if metrics.get("task") == LINK:
        with _threads(threads):
            bench_links(path, metrics, target, threads, seconds, data_dir)
        return
    seed = load_bundle(path).card["seed"]
    (result,) = retrain_seeds(path, data_dir, INSTEAD, [seed])
    subject = Subject.of(path, metrics, result, INSTEAD)
    with _threads(threads):
        measurement = record(subject, _times(subject, seconds), threads, seconds)
    if target is not None:
        write_json(target, measurement)
    if plot is not None:
        write_bytes(plot, accuracy_against_latency(measurement))
    print(markdown(measurement), end="")
    for file in filter(None, (target, plot)):
        print(f"written: {file}")


def _check(threads: int, seconds: float, *files: Path | None) -> None:
    """Checks the arguments, before anything is computed."""
    if threads < 1:
        raise GraphKDError(f"--threads is {threads}: give a whole number from 1")
    if not 0 < seconds < 3600:
        raise GraphKDError(f"--seconds is {seconds}: give a number above 0 and below 3600")
    target, plot = files
    if plot is not None:
        check_plot()
    if plot is not None and (plot.suffix != ".png" or (target is not None and same_place(plot, target))):
        raise GraphKDError(f"{plot} does not end in .png, or is the JSON file: plots are written as .png")
    for file in filter(None, files):
        if file.is_dir() or not file.parent.is_dir():
            raise GraphKDError(f"{file} cannot be written: it is a folder, or its own folder is not there")


def _check_is_not_of(run: Path, file: Path) -> None:
    """Checks that an output file is none of the files of the run."""
    parts = [*(run / name for name in FILES), *run.glob("bundle/**/*"), *run.glob("seed_*/**/*")]
    if any(same_place(file, part) for part in parts):
        raise GraphKDError(f"{file} is a file of the run: choose another")


def _times(subject: Subject, seconds: float) -> dict[Key, Times]:
    graph, encoding = subject.view.full, subject.encoding
    calls = {**student_calls(subject), **teacher_calls(subject)}
    with_store = not encoding.is_raw
    if with_store and (size := store_size(graph, encoding)) > STORE_BYTES:
        subject.remarks.append(f"rows from a FeatureStore are not timed: the store would take {readable(size)}")
        with_store = False
    with (
        tempfile.TemporaryDirectory() as folder,
        store_of(subject, folder) if with_store else nullcontext() as store,
    ):
        from_store = {} if store is None else store_calls(subject, store)
        return latency({**calls, **from_store}, seconds)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Sets the number of threads of torch, BLAS and OpenMP, and restores it afterwards."""
    before = torch.get_num_threads()
    with threadpool_limits(count):
        torch.set_num_threads(count)
        try:
            yield
        finally:
            torch.set_num_threads(before)
