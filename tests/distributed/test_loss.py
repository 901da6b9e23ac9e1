"""One of two processes is lost, or hangs: the other ends, and the next start goes on from the last epoch."""

import json
import shutil
import signal
import sys
from pathlib import Path

import pytest

from graphkd.datasets import Graph
from graphkd.distributed import distributed_session, world
from graphkd.distributed.barrier import LOST
from graphkd.errors import GraphKDError
from graphkd.runs import SeedRun
from graphkd.training.fit import checkpoint
from graphkd.training.stages.stage_cache import StageCache
from tests.conftest import make_data
from tests.distributed.commands import Command
from tests.distributed.curves import spec_of
from tests.distributed.pair import Store

EPOCHS = 25


def train(args: list[str]) -> int:
    """A teacher on drawn neighbours and a student in batches; the log and the weights end up in a file."""
    epochs, out = int(args[0]), Path(args[1])
    keys = {"teacher_batches": "neighbours", "teacher_batch_size": 9, "fanout": 3, "batch_size": 25}
    spec = spec_of("glnn", teacher="sage", epochs=epochs, **keys)
    try:
        with distributed_session():
            result = SeedRun.train(Graph.from_data(make_data()), spec, 1, cache=StageCache(Path("../cache")))
            if world().is_rank0:
                weights = [weight.tolist() for weight in result.distilled.model.state_dict().values()]
                out.write_text(json.dumps([result.log, weights]))
    except GraphKDError as error:
        print(f"graphkd: {error}", file=sys.stderr)
        return 2
    return 0


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "victim"), [("student", 1), ("teacher", 0)])
def test_after_a_killed_process_the_same_command_ends_with_the_same_bits(
    stage: str, victim: int, work: Path
) -> None:
    assert all(done.returncode == 0 for done in Command([str(EPOCHS), "whole"], work, call=train).done())
    shutil.rmtree(work.parent / "cache")
    store, kept = Store(), work.parent / "cache" / "stages"
    running = Command([str(EPOCHS), "cut"], work, store, call=train)
    running.kill_when(lambda: list(kept.glob(f"{stage}-part-*")), victim)
    done = running.done()
    assert done[victim].returncode == -signal.SIGKILL
    assert (done[1 - victim].returncode, done[1 - victim].stderr) == (2, f"graphkd: {LOST}\n")
    assert list(kept.glob(f"{stage}-part-*"))
    store.restarts += 1
    again = Command([str(EPOCHS), "cut"], work, store, call=train).done()
    assert [each.returncode for each in again] == [0, 0], again
    assert (work / "cut").read_text() == (work / "whole").read_text()
    assert not list(kept.glob("*-part-*"))


def count_checkpoints(root: Path, teacher: str) -> list[int]:
    """How many this process wrote, of how many epochs."""
    written = []
    cache = StageCache(root)
    save, cache.save_partial = cache.save_partial, lambda *args: (written.append(1), save(*args))  # type: ignore[method-assign]
    keys = {"teacher_batches": "neighbours"} if teacher == "sage" else {}
    log = SeedRun.train(Graph.from_data(make_data()), spec_of("glnn", teacher=teacher, **keys), 1, cache=cache).log
    return [len(written), len(log)]


@pytest.mark.parametrize("teacher", ["sage", "gcn"])
def test_the_first_process_keeps_every_epoch(teacher: str, pair, tmp_path: Path) -> None:
    """Whether the teacher is shared or not; one process alone would keep one in ten seconds."""
    assert checkpoint.CHECKPOINT_SECONDS == 10
    (written, epochs), (others, _) = pair(count_checkpoints, tmp_path, teacher)
    assert (written, others) == (epochs, 0)
    assert count_checkpoints(tmp_path / "alone", teacher)[0] == 0


@pytest.mark.slow
def test_a_process_that_hangs_ends_the_others_in_one_line(work: Path) -> None:
    running = Command(["4000", "never"], work, seconds=8, call=train)
    running.kill_when(lambda: list((work.parent / "cache").rglob("*-part-*")), 1, signal.SIGSTOP)
    first, second = running.done(20)
    assert (first.returncode, first.stderr) == (2, f"graphkd: {LOST}\n")
    assert second.returncode == -signal.SIGKILL
