"""Kills a run with SIGKILL in each stage, starts it again, and compares the bundle with an undisturbed run's.

python experiments/scaling/kill.py [--work-dir DIR] [--stages teacher compile student] [KEY=VALUE …]

Every run has a cache of its own. A stage is in its middle when the cache holds something unfinished of it: a
checkpoint of the training, or some blocks of a table.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

DEFAULTS = (
    "dataset=synthetic-arxiv",
    "teacher=sage",
    "teacher.aggregator=gcn",
    "method=infgrand",
    "influence=degree",
    "memory_budget=0.1",
    "training.max_epochs=12",
    "training.teacher_batches=neighbours",
    "training.batch_size=8192",
    "student.hidden_dim=1024",
    "baseline=false",
)
SIGNS = {
    "teacher": "stages/teacher-part-*",
    "compile": "tables/compile-*/**/*.json",
    "student": "stages/student-part-*",
}
"""What is in the cache while a stage is at work."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("keys", nargs="*", help=f"by default {' '.join(DEFAULTS)}")
    parser.add_argument("--work-dir", type=Path, default=Path("runs/kill"))
    parser.add_argument("--stages", nargs="+", choices=SIGNS, default=list(SIGNS))
    args = parser.parse_args()
    keys = args.keys or list(DEFAULTS)
    reference = args.work_dir / "undisturbed"
    if not (reference / "run" / "metrics.json").exists():
        start(keys, reference).wait()
    for stage in args.stages:
        folder = args.work_dir / stage
        shutil.rmtree(folder, ignore_errors=True)
        left = killed(keys, folder, SIGNS[stage])
        if start(keys, folder).wait():
            raise SystemExit(f"killed in {stage}: the restart failed")
        same = contents(folder) == contents(reference)
        print(
            f"killed in {stage}, {left}: the restart's bundle is {'the same' if same else 'ANOTHER one'}",
            flush=True,
        )
        if not same:
            raise SystemExit(1)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"highest resident memory of any of these runs, mapped files included: {peak:.2f} GB")


def start(keys: list[str], folder: Path) -> subprocess.Popen[bytes]:
    places = [f"output_dir={folder / 'run'}", f"cache_dir={folder / 'cache'}"]
    return subprocess.Popen([sys.executable, "-m", "graphkd", "distill", *keys, *places])


def killed(keys: list[str], folder: Path, sign: str) -> str:
    """Starts a run and kills it once the sign is there; what it left."""
    process = start(keys, folder)
    while not (found := sorted((folder / "cache").glob(sign))):
        if process.poll() is not None:
            raise SystemExit(f"the run ended before there was any {sign} in its cache: give it more to do")
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if found[0].suffix == ".json":
        return f"{len(json.loads(found[0].read_text())['blocks'])} blocks of '{found[0].stem}' finished"
    return f"with a checkpoint of {found[0].stat().st_size / 1e6:.1f} MB"


def contents(folder: Path) -> dict[str, bytes]:
    """The bundle's files, and the scores."""
    bundle = folder / "run" / "bundle"
    files = {
        file.relative_to(bundle).as_posix(): file.read_bytes() for file in bundle.rglob("*") if file.is_file()
    }
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    return {**files, "scores": json.dumps([metrics["mean"], metrics["std"]]).encode()}


if __name__ == "__main__":
    main()
