"""What a user sees of a run that several processes make."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import make_data
from tests.distributed.commands import Command
from tests.distributed.curves import furthest
from tests.distributed.pair import Store
from tests.test_cli import command
from tests.tiers import some_of

OWN = ["distill", "dataset=custom", "dataset.path=../own", "baseline=false"]
FAST = [*OWN, "training.max_epochs=6", "training.patience=2", "method=infgrand", "training.batch_size=25"]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder to be in; a graph and the cache lie beside it."""
    data = make_data()
    (tmp_path / "own").mkdir()
    parts = {key: data[key].numpy() for key in ("x", "edge_index", "y", "train_mask", "val_mask", "test_mask")}
    np.savez(tmp_path / "own" / "graph.npz", **parts)
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def log(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.slow
def test_a_run_of_two_processes_is_like_that_of_one_and_the_first_writes_it(work: Path) -> None:
    def args(rank: int) -> list[str]:
        """Whatever the second process wrote would be in a folder of its own."""
        return [*FAST, "seeds=2", f"output_dir=two{rank}", f"cache_dir=cache{rank}"]

    first, second = Command(args, work).done()
    assert (first.returncode, second.returncode, first.stderr, second.stderr) == (0, 0, "", "")
    assert "student  infgrand" in first.stdout
    assert second.stdout == ""
    assert {path.name for path in work.iterdir()} == {"two0", "cache0"}
    assert not list((work / "cache0").rglob("*part*"))
    assert command(*FAST, "seeds=2", "output_dir=one", cwd=work).returncode == 0
    assert files(work / "one") == files(work / "two0")
    assert furthest(log(work / "one"), log(work / "two0")) < 1e-5
    one, two = (json.loads((work / run / "metrics.json").read_text()) for run in ("one", "two0"))
    assert one.keys() == two.keys()
    assert command("evaluate", "two0", cwd=work).returncode == 0


@pytest.mark.slow
def test_what_is_finished_is_told_by_the_first_process_alone(work: Path) -> None:
    assert command(*FAST, "output_dir=run", cwd=work).returncode == 0
    first, second = Command([*FAST, "output_dir=run"], work).done()
    assert (first.returncode, second.returncode) == (0, 0)
    assert "student  infgrand" in first.stdout
    assert second.stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize("keys", [["memory_budget=0.5"], ["setting=production", "student.norm=batch"]])
def test_tables_in_files_and_hidden_nodes(keys: list[str], work: Path) -> None:
    keys = [*FAST, "training.teacher_batches=neighbours", *keys]
    first, second = Command([*keys, "output_dir=two"], work).done()
    assert (first.returncode, second.returncode, first.stderr, second.stderr) == (0, 0, "", "")
    assert command(*keys, "output_dir=one", "cache_dir=other", cwd=work).returncode == 0
    assert furthest(log(work / "one"), log(work / "two")) < 1e-5
    one, two = (json.loads((work / run / "metrics.json").read_text())["mean"] for run in ("one", "two"))
    assert one == two


@pytest.mark.slow
def test_several_jobs_end_with_the_first_that_fails(work: Path) -> None:
    jobs = ["-m", "teacher.num_layers=2,1,3", "matching=forward", "output_dir=jobs"]
    first, second = Command([*FAST, *jobs], work).done()
    assert (first.returncode, second.returncode) == (2, 2)
    (line,) = (first.stderr + second.stderr).splitlines()
    assert "teacher has none" in line
    assert len(list((work / "jobs").iterdir())) == 1


MISTAKES = {
    "an unknown key": (lambda _: ["distill", "training.epochs=3"], "unknown key 'training.epochs'"),
    "a flag": (lambda _: ["distill", "--nope"], "unknown flag --nope"),
    "one that the first process meets": (
        lambda rank: [*FAST, *([] if rank else ["output_dir=/dev/null/run"])],
        "/dev/null/run cannot be made",
    ),
    "one that the second process meets": (
        lambda rank: [
            *FAST,
            *(["data_dir=elsewhere", "dataset=cora", "dataset.path=null", "download=never"] if rank else []),
        ],
        "cora is not in data_dir=elsewhere",
    ),
    "what cannot be shared": (lambda _: [*FAST, "training.compile=true"], "training.compile is for one process"),
    "no silence at all": (lambda _: FAST, "GRAPHKD_TIMEOUT is '-1': give a number of seconds above 0"),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", some_of(MISTAKES, 2))
def test_a_mistake_ends_all_processes_and_is_told_once(mistake: str, work: Path) -> None:
    args, line = MISTAKES[mistake]
    store = Store()
    seconds = -1 if mistake == "no silence at all" else 60
    done = Command(args, work, store, seconds).done(20)
    assert [each.returncode for each in done] == [2, 2], done
    (said,) = "".join(each.stderr for each in done).splitlines()
    assert said.startswith(f"graphkd: {line}")
    assert not list(work.iterdir())


def test_a_mistake_is_not_told_again_when_torchrun_starts_again(work: Path) -> None:
    store = Store()
    for lines in (1, 0):
        done = Command(["distill", "--nope"], work, store).done(20)
        assert [each.returncode for each in done] == [2, 2]
        told = [line for each in done for line in each.stderr.splitlines() if not line.startswith("[")]
        assert len(told) == lines  # but for what torch itself logs
        store.restarts += 1
