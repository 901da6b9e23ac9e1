"""Two processes against one: loss curves, what a kill costs, seconds per epoch; see README.md beside this file.

python experiments/distributed/run.py [curves kill seconds checkpoints] [--output-dir DIR]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

GRAPH = [
    "dataset=synthetic-arxiv",
    "teacher=sage",
    "teacher.aggregator=gcn",
    "teacher.num_layers=2",
    "baseline=false",
]
SMALL, LARGE = "dataset.scale=0.03", "dataset.scale=0.1"
SHARED = [*GRAPH, "training.teacher_batches=neighbours", "training.patience=100", "student.num_layers=3"]
BATCHES = [*SHARED, "training.batch_size=2048"]
CURVES = {
    "digits, glnn, full batch": ["training.patience=100", "baseline=false"],
    "arxiv, glnn, batches": [*BATCHES, "method=glnn"],
    "arxiv, infgrand, batches": [*BATCHES, "method=infgrand", "influence=degree"],
    "arxiv, infgrand, full batch": [*SHARED, "method=infgrand", "influence=degree"],
    "arxiv, cka": [*BATCHES, "method=glnn", "matching=forward", "matching.distance=cka"],
}
EPOCHS = (1, 10, 20)
WIDTHS = (128, 512)
ROUNDS = 2
STAGES = ("teacher", "student")
DISTILL = ["-m", "graphkd", "distill"]
PERTURBED, DOUBLE = ([str(Path(__file__).with_name(name))] for name in ("perturbed.py", "double.py"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts: dict[str, Callable[[Path], list[dict[str, object]]]] = {
        "curves": curves, "kill": kill, "seconds": seconds, "checkpoints": checkpoints,
    }  # fmt: skip
    parser.add_argument("parts", nargs="*", help=f"by default {', '.join(parts)}")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/distributed"))
    args = parser.parse_args()
    args.output_dir.mkdir(parents=True, exist_ok=True)
    for name in args.parts or parts:
        rows = parts[name](args.output_dir)
        write(args.output_dir / f"{name}.csv", name, rows)
        print("\n".join(f"{name}: {row['what']}, {row['measure']}: {row['value']}" for row in rows), flush=True)
    files = [args.output_dir / f"{name}.csv" for name in parts]
    whole = [line for file in files if file.exists() for line in file.read_text().splitlines()[1:]]
    (args.output_dir / "all.csv").write_text("\n".join(["part,what,measure,value", *whole]) + "\n")


def curves(folder: Path) -> list[dict[str, object]]:
    """The largest relative difference of a loss term from that of one process, up to some epochs."""
    rows: list[dict[str, object]] = []
    for name, keys in CURVES.items():
        scale = [SMALL] if name.startswith("arxiv") else []
        keys = [*keys, *scale, f"training.max_epochs={EPOCHS[-1]}"]

        def run(
            which: str, processes: int, command: list[str] = DISTILL, teacher_result: Path | None = None
        ) -> Path:
            place = seat(folder, f"curve-{name}-{which}")  # noqa: B023
            if not (place / "log.jsonl").exists():
                if teacher_result is not None:  # with the very teacher of that run
                    shutil.copytree(teacher_result.parent / "cache", place.parent / "cache", dirs_exist_ok=True)
                    for student in (place.parent / "cache" / "stages").glob("student-*"):
                        student.unlink()
                finish(start(processes, keys, place, command))  # noqa: B023
            return place

        one, double = run("1", 1), run("1-double", 1, DOUBLE)
        two = run("2", 2)
        pairs = (
            ("teacher", "teacher", one, two),
            ("teacher", "teacher, double precision", double, run("2-double", 2, DOUBLE)),
            ("student", "student", one, two),
            ("student", "student of the same teacher", one, run("2-teacher_result", 2, teacher_result=one)),
            ("student", "student, double precision", double, run("2-double", 2, DOUBLE)),
            (
                "student",
                "one process, its start changed by 1e-7",
                one,
                run("control", 1, PERTURBED, teacher_result=one),
            ),
        )
        for stage, label, first, other in pairs:
            values = [apart(read_log(first), read_log(other), stage, last) for last in EPOCHS]
            epochs = ", ".join(map(str, EPOCHS))
            measure = f"{label}: largest relative difference in {epochs} epochs"
            rows.append({"what": name, "measure": measure, "value": " ".join(f"{value:.1e}" for value in values)})
    return rows


def apart(one: list[dict], two: list[dict], stage: str, epochs: int) -> float:
    """The largest relative difference of a loss term."""
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if a["stage"] == stage and a["epoch"] < epochs]
    terms = [(a[key], b[key]) for a, b in pairs for key in a.keys() - {"stage", "epoch", "seed", "val"}]
    return max(abs(a - b) / abs(a) for a, b in terms if a)


def kill(folder: Path) -> list[dict[str, object]]:
    """``kill -9`` of the second process in its middle, under ``torchrun --max-restarts=3``."""
    keys = [
        *BATCHES,
        SMALL,
        "method=infgrand",
        "influence=degree",
        "training.max_epochs=12",
        "student.hidden_dim=1024",
    ]
    whole = place(folder, "whole")
    finish(start(2, keys, whole))
    rows: list[dict[str, object]] = []
    for stage in STAGES:
        run = place(folder, f"killed-{stage}")
        running = start(2, keys, run, restarts=3)
        part = wait_for(running, run.parent / "cache", f"{stage}-part-*", writes=4)
        kept = epochs_in(part)
        os.kill(workers(running.pid)[1], signal.SIGKILL)
        left = epochs_in(part)
        began = time.perf_counter()
        finish(running)
        same = (whole / "log.jsonl").read_bytes() == (run / "log.jsonl").read_bytes()
        same &= read_weights(whole) == read_weights(run)
        rows += [
            {"what": stage, "measure": "finished epochs that were lost", "value": max(0, kept - left)},
            {
                "what": stage,
                "measure": "seconds from the kill to the end",
                "value": round(time.perf_counter() - began, 1),
            },
            {"what": stage, "measure": "the same log and weights as undisturbed", "value": same},
        ]
    return rows


def seconds(folder: Path) -> list[dict[str, object]]:
    """Per epoch, one thread in each process; medians of a few rounds, one and two processes in turn."""
    rows: list[dict[str, object]] = []
    for width in WIDTHS:
        keys = [*BATCHES, LARGE, "method=glnn", "training.max_epochs=4", f"student.hidden_dim={width}"]
        keys.append(f"teacher.hidden_dim={width}")
        times: dict[tuple[int, str], list[float]] = {}
        for _ in range(ROUNDS):
            for processes in (1, 2):
                run = place(folder, f"seconds-{processes}")
                finish(start(processes, keys, run))
                (entry,) = json.loads((run / "metrics.json").read_text())["seeds"]
                for stage in STAGES:
                    value = entry["seconds"][stage] / entry["epochs"][stage]
                    times.setdefault((processes, stage), []).append(value)
        for stage in STAGES:
            one, two = (statistics.median(times[processes, stage]) for processes in (1, 2))
            what = f"{stage}, width {width}"
            rows += [
                {"what": what, "measure": "seconds per epoch, 1 process", "value": f"{one:.3f}"},
                {"what": what, "measure": "seconds per epoch, 2 processes", "value": f"{two:.3f}"},
                {"what": what, "measure": "1 over 2", "value": f"{one / two:.2f}"},
            ]
    return rows


def checkpoints(folder: Path) -> list[dict[str, object]]:
    """Milliseconds that keeping an epoch takes, and their share of an epoch, in one process."""
    from graphkd.cli import main as graphkd
    from graphkd.training.fit import checkpoint
    from graphkd.training.stages.stage_cache import StageCache

    checkpoint.CHECKPOINT_SECONDS, checkpoint.SHARE = 0.0, float("inf")
    times: list[float] = []
    save = StageCache.save_partial

    def timed(*args: object) -> None:
        began = time.perf_counter()
        save(*args)  # type: ignore[arg-type]
        times.append(time.perf_counter() - began)

    StageCache.save_partial = timed  # type: ignore[method-assign]
    rows: list[dict[str, object]] = []
    digits = ["training.max_epochs=100", "training.patience=100", "baseline=false"]
    arxiv = [*BATCHES, LARGE, "method=glnn", "training.max_epochs=4"]
    for name, keys in (
        ("digits, width 128", digits),
        *((f"arxiv, width {w}", [*arxiv, f"student.hidden_dim={w}"]) for w in WIDTHS),
    ):
        times.clear()
        run = place(folder, "checkpoints")
        graphkd(["distill", *keys, f"output_dir={run}", f"cache_dir={run.parent / 'cache'}"])
        (entry,) = json.loads((run / "metrics.json").read_text())["seeds"]
        epochs = entry["epochs"]["student"]
        spent = sum(times[-epochs:])
        rows += [
            {
                "what": f"student, {name}",
                "measure": "milliseconds per epoch",
                "value": f"{1e3 * spent / epochs:.1f}",
            },
            {
                "what": f"student, {name}",
                "measure": "share of the stage",
                "value": f"{spent / entry['seconds']['student']:.3f}",
            },
        ]
    return rows


def place(folder: Path, name: str) -> Path:
    """An empty folder for a run, with a cache beside it."""
    path = seat(folder, name)
    shutil.rmtree(path.parent, ignore_errors=True)
    return path


def seat(folder: Path, name: str) -> Path:
    return folder.absolute() / name.replace(", ", "-").replace(" ", "_") / "run"


def start(
    processes: int, keys: list[str], run: Path, command: list[str] = DISTILL, restarts: int = 0
) -> subprocess.Popen[bytes]:
    places = [f"output_dir={run}", f"cache_dir={run.parent / 'cache'}"]
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    begin = [] if processes == 1 else [*torchrun, f"--max-restarts={restarts}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole = [sys.executable, *begin, *command, *keys, *places]
    return subprocess.Popen(whole, env=environment, stdout=subprocess.DEVNULL)


def finish(process: subprocess.Popen[bytes]) -> None:
    if process.wait():
        raise SystemExit("a run failed")


def wait_for(process: subprocess.Popen[bytes], cache: Path, sign: str, writes: int) -> Path:
    """The checkpoint, once it was written so many times."""
    seen: set[int] = set()
    while len(seen) < writes:
        if process.poll() is not None:
            raise SystemExit("the run ended too early: give it more to do")
        for file in cache.rglob(sign):
            try:
                seen.add(file.stat().st_mtime_ns)
                found = file
            except FileNotFoundError:  # replaced, or finished
                continue
        time.sleep(0.002)
    return found


def epochs_in(part: Path) -> int:
    """How many epochs a checkpoint holds."""
    import safetensors

    with safetensors.safe_open(str(part), framework="np") as file:
        return int(json.loads(file.metadata()["card"])["facts"]["epochs"])


def workers(agent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{agent}/task/{agent}/children").read_text().split()]


def read_log(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def read_weights(run: Path) -> bytes:
    return (run / "bundle" / "model.safetensors").read_bytes()


def write(path: Path, part: str, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["part", "what", "measure", "value"])
        writer.writeheader()
        writer.writerows({"part": part, **row} for row in rows)


if __name__ == "__main__":
    main()
