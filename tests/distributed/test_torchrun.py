"""``torchrun`` itself, which imports everything in every process."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import make_data

pytestmark = pytest.mark.slow

KEYS = ["dataset=custom", "dataset.path=own", "baseline=false", "training.batch_size=25", "method=infgrand"]
KEYS += ["training.teacher_batches=neighbours", "training.max_epochs=60", "training.patience=60"]


def torchrun(folder: Path, restarts: int, *args: str) -> subprocess.Popen[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GRAPHKD_CACHE": str(folder / "cache")}
    return subprocess.Popen(
        [*start, f"--max-restarts={restarts}", "-m", "graphkd", "distill", *args],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def workers(agent: int) -> list[int]:
    """Processes that it started."""
    return [int(pid) for pid in Path(f"/proc/{agent}/task/{agent}/children").read_text().split()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = make_data()
    (tmp_path / "own").mkdir()
    parts = {key: data[key].numpy() for key in ("x", "edge_index", "y", "train_mask", "val_mask", "test_mask")}
    np.savez(tmp_path / "own" / "graph.npz", **parts)
    return tmp_path


def bundle(run: Path) -> bytes:
    return (run / "bundle" / "model.safetensors").read_bytes()


@pytest.mark.parametrize("stage", ["teacher", "student"])
def test_it_starts_all_again_when_one_is_killed(stage: str, folder: Path) -> None:
    out, err = torchrun(folder, 0, *KEYS, "output_dir=whole").communicate(timeout=200)
    assert "student  infgrand" in out, err
    shutil.rmtree(folder / "cache")
    running = torchrun(folder, 3, *KEYS, "output_dir=cut")
    while not list((folder / "cache").rglob(f"{stage}-part-*")):
        assert running.poll() is None
        time.sleep(0.002)
    os.kill(workers(running.pid)[1], signal.SIGKILL)
    out, err = running.communicate(timeout=200)
    assert running.returncode == 0, err
    assert "student  infgrand" in out  # again by a start after one that had ended, if the kill came so late
    assert bundle(folder / "cut") == bundle(folder / "whole")
    assert (folder / "cut" / "log.jsonl").read_bytes() == (folder / "whole" / "log.jsonl").read_bytes()


def test_a_mistake_is_told_in_one_line_however_often_it_starts_again(folder: Path) -> None:
    running = torchrun(folder, 1, "training.epochs=3")
    out, err = running.communicate(timeout=200)
    assert running.returncode != 0
    (told,) = (line for line in (out + err).splitlines() if line.startswith("graphkd:"))
    assert told.startswith("graphkd: unknown key 'training.epochs'")
    assert err.count("unknown key") == 1
    assert "graphkd/cli.py" not in err  # no traceback of ours; torchrun's own report follows
