"""What a person sees of a run that several processes make."""

import json
import shutil
import signal
from pathlib import Path

import pytest

from graphkd.distributed.gate import LOST
from tests.distributed.commands import Command
from tests.distributed.curves import furthest
from tests.distributed.pair import Store
from tests.test_cli import command

FAST = ["distill", "training.max_epochs=4", "training.patience=2", "method=infgrand", "training.batch_size=512"]
LONG = [
    "distill",
    "training.max_epochs=30",
    "training.patience=30",
    "training.teacher_batches=neighbours",
    "training.batch_size=512",
    "baseline=false",
]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def log(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_run_of_two_processes_is_like_that_of_one(work: Path) -> None:
    first, second = Command([*FAST, "seeds=2", "output_dir=two"], work).done()
    assert (first.returncode, second.returncode, first.stderr, second.stderr) == (0, 0, "", "")
    assert "student  infgrand" in first.stdout
    assert second.stdout == ""
    shutil.rmtree(work.parent / "cache")
    assert command(*FAST, "seeds=2", "output_dir=one", cwd=work).returncode == 0
    assert files(work / "one") == files(work / "two")
    assert furthest(log(work / "one"), log(work / "two")) < 1e-5
    one, two = (json.loads((work / run / "metrics.json").read_text()) for run in ("one", "two"))
    assert one.keys() == two.keys()
    assert command("evaluate", "two", cwd=work).returncode == 0
    again = Command([*FAST, "seeds=2", "output_dir=two"], work).done()
    assert again[0].stdout == first.stdout
    assert not list((work.parent / "cache").rglob("*part*"))


def test_only_the_first_process_opens_files_to_write(work: Path) -> None:
    def args(rank: int) -> list[str]:
        """Whatever the second one wrote would be in these folders."""
        return [*FAST, f"output_dir=run{rank}", f"cache_dir=cache{rank}"]

    first, second = Command(args, work).done()
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert {path.name for path in work.iterdir()} == {"run0", "cache0"}


@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("stage", ["teacher", "student"])
def test_a_killed_process_costs_at_most_one_epoch(stage: str, victim: int, work: Path) -> None:
    assert all(done.returncode == 0 for done in Command([*LONG, "output_dir=whole"], work).done())
    whole = log(work / "whole")
    shutil.rmtree(work.parent / "cache")
    store = Store()
    running, kept = Command([*LONG, "output_dir=cut"], work, store), work.parent / "cache" / "stages"
    running.kill_when(lambda: list(kept.glob(f"{stage}-part-*")), victim)
    done = running.done()
    assert done[victim].returncode == -signal.SIGKILL
    assert done[1 - victim].returncode == 2
    assert done[1 - victim].stderr == f"graphkd: {LOST}\n"
    store.restarts += 1
    again = Command([*LONG, "output_dir=cut"], work, store).done()
    assert [each.returncode for each in again] == [0, 0], again
    assert log(work / "cut") == whole
    bundles = [(work / run / "bundle" / "model.safetensors").read_bytes() for run in ("whole", "cut")]
    assert bundles[0] == bundles[1]


def test_a_process_that_hangs_ends_the_others_in_one_line(work: Path) -> None:
    running, kept = Command(LONG, work, seconds=2), work.parent / "cache" / "stages"
    running.kill_when(lambda: list(kept.glob("student-part-*")), 1, signal.SIGSTOP)
    first, second = running.done(15)
    assert (first.returncode, first.stderr) == (2, f"graphkd: {LOST}\n")
    assert second.returncode == -signal.SIGKILL


MISTAKES = {
    "an unknown key": (lambda _: ["distill", "training.epochs=3"], "unknown key 'training.epochs'"),
    "a flag": (lambda _: ["distill", "--nope"], "unknown flag --nope"),
    "one that the first process meets": (
        lambda rank: [*FAST, *([] if rank else ["output_dir=/dev/null/run"])],
        "/dev/null/run cannot be made",
    ),
    "one that the second process meets": (
        lambda rank: [*FAST, *(["data_dir=elsewhere", "dataset=cora", "download=never"] if rank else [])],
        "cora is not in data_dir=elsewhere",
    ),
    "no silence at all": (lambda _: FAST, "GRAPHKD_TIMEOUT is '-1.0': give a number of seconds above 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_all_processes_and_is_told_once(mistake: str, work: Path) -> None:
    args, line = MISTAKES[mistake]
    store = Store()
    seconds = -1 if mistake == "no silence at all" else 60
    done = Command(args, work, store, seconds).done(20)
    assert [each.returncode for each in done] == [2, 2], done
    (said,) = "".join(each.stderr for each in done).splitlines()
    assert said.startswith(f"graphkd: {line}")
    assert not list(work.iterdir())
    store.restarts += 1  # torchrun tries again whatever it was
    again = Command(args, work, store, seconds).done(20)
    assert [each.returncode for each in again] == [2, 2]
    assert "".join(each.stderr for each in again) == ""
