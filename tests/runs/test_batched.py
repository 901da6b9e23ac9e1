from dataclasses import replace
from pathlib import Path

import pytest

from graphkd import GraphKDError, Training
from graphkd.cli import main
from graphkd.datasets import Graph
from graphkd.runs import Job, SeedRun, read_metrics, train_ahead
from graphkd.spec import resolve
from graphkd.training.stages.stage_cache import StageCache
from tests.conftest import make_data

RECIPE = resolve(training=Training(3, 2, together=True))


def graph(seed: int) -> Graph:
    return Graph.from_data(make_data())


def test_runs_find_what_was_trained_ahead(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    assert train_ahead([Job(RECIPE, [0, 1], graph, baseline=True)], cache) == 4
    made = list(cache.made)
    for seed in (0, 1):
        SeedRun.train(graph(seed), RECIPE, seed, baseline=True, cache=cache)
    assert cache.made == made


def test_jobs_that_do_not_ask_for_it_are_left_alone(tmp_path: Path) -> None:
    alone = replace(RECIPE, training=Training(3, 2))
    assert train_ahead([Job(alone, [0, 1], graph, baseline=True)], StageCache(tmp_path)) == 0
    assert train_ahead([Job(alone, [0, 1], graph, baseline=True)], StageCache(None)) == 0


def test_without_a_cache_it_is_one_line() -> None:
    with pytest.raises(GraphKDError, match="keeps students in the cache, and there is none: give cache_dir="):
        train_ahead([Job(RECIPE, [0, 1], graph, baseline=False)], StageCache(None))


@pytest.mark.slow
def test_jobs_of_a_multirun_train_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkd.runs import batched

    counts, train = [], batched.train_batched
    monkeypatch.setattr(
        batched, "train_batched", lambda members, cache: counts.append(train(members, cache)) or counts[-1]
    )
    monkeypatch.chdir(tmp_path)
    keys = ["seeds=2", "student.dropout=0.2,0.4", "training.max_epochs=2"]
    command = ["distill", "-m", *keys, "training.together=true", f"cache_dir={tmp_path}/cache", "output_dir=out"]
    assert main(command) == 0
    assert counts == [8, 0, 0]  # students and plain MLPs of two jobs with two seeds each, then found
    runs = sorted((tmp_path / "out").iterdir())
    assert len(runs) == 2
    assert all(len(read_metrics(run)["seeds"]) == 2 for run in runs)


@pytest.mark.slow
def test_a_job_that_is_wrong_says_so_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["distill", "-m", "training.lr=0.01,-1", "training.max_epochs=2", "training.together=true"]
    assert main([*command, f"cache_dir={tmp_path}/cache", f"output_dir={tmp_path}/out"]) == 2
    assert capsys.readouterr().err.count("training.lr is -1") == 1
