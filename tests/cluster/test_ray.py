"""A real cluster of two machines, which are two raylets on this one."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import graphkd
from graphkd import GraphKDError
from graphkd.cluster import Ray, nodes
from graphkd.cluster.columns import ClusterColumns
from graphkd.cluster.session import cluster_session
from graphkd.outofcore import TableStore
from graphkd.sparse import propagate
from tests.cluster import tasks
from tests.cluster.test_columns import graph
from tests.deploy.batch.files import bundle, numpy_model
from tests.deploy.batch.test_parts import contents, write_parts

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        cluster.add_node(num_cpus=1)
        yield cluster
        cluster.shutdown()


@pytest.fixture
def options(machines: Any) -> Ray:
    return Ray(address=machines.address)


def test_tasks_run_on_both_and_an_error_is_that_of_the_task(options: Ray, tmp_path: Path) -> None:
    with cluster_session(options) as cluster:
        assert cluster.workers == 2
        cluster.check([ROOT / "graphkd"], [tmp_path])
        assert not list(tmp_path.iterdir())
        assert sorted(cluster.map(tasks.squared, range(5))) == [0, 1, 4, 9, 16]
        with pytest.raises(GraphKDError, match=r"^-1 is below 0: give another$"):
            list(cluster.map(tasks.squared, [-1]))


def test_a_process_that_is_killed_is_started_again(options: Ray, tmp_path: Path) -> None:
    with cluster_session(options) as cluster:
        again = functools.partial(tasks.killed_once, str(tmp_path), tasks.squared)
        assert sorted(cluster.map(again, range(3))) == [0, 1, 4]
        with pytest.raises(GraphKDError, match="a task was lost 4 times"):
            list(cluster.map(tasks.always_killed, [0]))


def test_what_a_cluster_cannot_do_is_one_line(
    options: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster_session(Ray(address=options.address, memory=10**5)) as cluster:
        with pytest.raises(GraphKDError, match=r"a task takes .* but the largest machine of the cluster gives"):
            list(cluster.map(tasks.squared, [1]))
        with monkeypatch.context() as patch:
            patch.setattr(nodes, "_version", lambda package: "9.9")
            with pytest.raises(GraphKDError, match=r"has numpy .*, this machine 9\.9: install the same version"):
                cluster.check([], [])
        with monkeypatch.context() as patch:
            patch.setattr(nodes, "_seen", lambda path: ["another"])
            with pytest.raises(GraphKDError, match=f"does not see the same {tmp_path}: give a folder that all"):
                cluster.check([], [tmp_path])


def test_a_machine_that_is_lost_is_replaced_by_the_other(machines: Any, options: Ray, tmp_path: Path) -> None:
    lost = machines.add_node(num_cpus=2)
    with cluster_session(options) as cluster:
        found = cluster.map(functools.partial(tasks.slow, str(tmp_path)), range(8))
        first = next(found)
        while len(list(tmp_path.iterdir())) < 4:
            time.sleep(0.05)
        machines.remove_node(lost, allow_graceful=False)
        assert sorted([first, *found]) == list(range(8))


@pytest.mark.parametrize("workers", [1, 4])
def test_features_have_the_bits_of_one_process(options: Ray, tmp_path: Path, workers: int) -> None:
    x, adj = graph()
    store = TableStore(tmp_path, 10**8)
    store.columns = ClusterColumns(Ray(address=options.address, workers=workers), store)
    with store:
        found = propagate(x, adj, hops=2, pooling="concat")
    assert torch.equal(found, propagate(x, adj, hops=2, pooling="concat"))


def predict(folder: Path, output: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "graphkd", "predict", "bundle", "rows", output, "--runtime", "numpy", *more]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_folder_is_scored_to_the_same_bytes_though_the_driver_is_killed(options: Ray, tmp_path: Path) -> None:
    write_parts(tmp_path / "rows", 12)
    bundle(tmp_path)
    address = options.address or ""
    assert predict(tmp_path, "alone.parquet").wait() == 0
    driver = predict(tmp_path, "out.parquet", "--cluster", "ray", "--address", address)
    records = tmp_path / ".out.parquet.progress" / "records"
    while driver.poll() is None and not (records.is_dir() and list(records.iterdir())):
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    again = predict(tmp_path, "out.parquet", "--cluster", "ray", "--address", address)
    output, error = again.communicate()
    assert (again.returncode, output) == (0, f"240 predictions in 12 files: {tmp_path / 'out.parquet'}\n"), error
    assert contents(tmp_path / "out.parquet") == contents(tmp_path / "alone.parquet")


def test_parts_whose_processes_are_killed_have_the_same_bytes(
    options: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphkd.deploy.batch import cluster as batch
    from graphkd.deploy.batch.parts import score_folder, score_part
    from graphkd.deploy.batch.score import Job

    rows, model = write_parts(tmp_path / "rows", 3), numpy_model(tmp_path)
    score_folder(Job(rows, tmp_path / "alone.csv"), "", lambda parts: (score_part(part, model) for part in parts))
    (tmp_path / "marks").mkdir()
    with cluster_session(options) as session:
        plain = session.map

        def dying(function: Any, items: Any) -> Any:
            return plain(functools.partial(tasks.killed_once, str(tmp_path / "marks"), function), items)

        monkeypatch.setattr(session, "map", dying)
        score = functools.partial(batch.score_on_cluster, session, tmp_path / "bundle", "numpy")
        assert score_folder(Job(rows, tmp_path / "out.csv"), "", score) == (3, 60, 0)
    assert contents(tmp_path / "out.csv") == contents(tmp_path / "alone.csv")


def test_without_an_address_the_cluster_is_this_machine_and_ends(machines: Any, tmp_path: Path) -> None:
    write_parts(tmp_path / "rows")
    bundle(tmp_path)
    found = predict(tmp_path, "out.parquet", "--cluster", "ray", "--workers", "1")
    output, error = found.communicate()
    assert (found.returncode, error) == (0, "")
    assert output.startswith("60 predictions in 3 files: ")


def test_jobs_of_a_multirun_are_trained_there_to_the_same_bits(options: Ray, tmp_path: Path) -> None:
    keys = ["method=glnn,infgrand", "training.max_epochs=3", "baseline=false"]
    cluster = ["cluster=ray", f"cluster.address={options.address}"]
    for folder, more in (("here", []), ("there,", cluster)):
        done = subprocess.run(
            [sys.executable, "-m", "graphkd", "distill", "-m", *keys, *more, f"output_dir='{folder}'"],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", "GRAPHKD_CACHE": str(tmp_path / folder / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(": finished\n") == 2 * bool(more)
    models = sorted((tmp_path / "here").glob("*/bundle/model.safetensors"))
    assert len(models) == 2
    for model in models:
        assert (tmp_path / "there," / model.relative_to(tmp_path / "here")).read_bytes() == model.read_bytes()


def test_a_search_finds_what_it_finds_here(options: Ray, tmp_path: Path) -> None:
    few = {"trials": 3, "methods": ["glnn"], "seeds": 1, "minutes": 5.0}
    keys = ["training.max_epochs=5"]
    cluster = ["cluster=ray", f"cluster.address={options.address}"]
    here = graphkd.tune("digits", output_dir=tmp_path / "here", overrides=keys, **few)
    there = graphkd.tune("digits", output_dir=tmp_path / "there", overrides=[*keys, *cluster], **few)
    assert there.summary["tried"] == here.summary["tried"] > 3
    columns = ["method", "val", "seeds", "error"]
    assert there.trials[columns].equals(here.trials[columns])
    assert there.winner.metrics["mean"] == here.winner.metrics["mean"]
