"""NCCL, with as many processes as there are GPUs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.distributed.curves import furthest

pytestmark = pytest.mark.gpu

KEYS = ["device=cuda", "training.max_epochs=10", "training.patience=10", "baseline=false", "teacher.dropout=0"]
KEYS += ["training.teacher_batches=neighbours", "training.batch_size=256", "student.dropout=0.3"]


def log(folder: Path, start: list[str], name: str) -> list[dict]:
    environment = {**os.environ, "GRAPHKD_CACHE": str(folder / f"cache-{name}")}
    command = [sys.executable, *start, "-m", "graphkd", "distill", *KEYS, f"output_dir={name}"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (folder / name / "log.jsonl").read_text().splitlines()]


def test_as_many_processes_as_gpus_have_the_curve_of_one(tmp_path: Path) -> None:
    several = torch.cuda.device_count()
    if several < 2:
        pytest.skip("NCCL wants a GPU for each process")
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={several}"]
    assert furthest(log(tmp_path, [], "one"), log(tmp_path, start, "several")) < 1e-4


def test_more_processes_than_gpus_are_refused_in_one_line(tmp_path: Path) -> None:
    count = torch.cuda.device_count() + 1
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    command = [sys.executable, *start, "-m", "graphkd", "distill", *KEYS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("graphkd:"))
    assert f"{count} processes need a CUDA device each" in line
