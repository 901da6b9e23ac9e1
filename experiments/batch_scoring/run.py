"""``graphkd predict`` on millions of rows: memory, rows per second against the bare runtime, and a kill half way.

python experiments/batch_scoring/run.py [sizes runtimes files kill] [--work-dir DIR] [--rows N] [--rounds N]
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from files import CLASSES, FEATURES
from watched import Watched, watch

from graphkd.deploy.batch.block import rows_of_a_block

HERE = Path(__file__).parent
PARTS = ("sizes", "runtimes", "files", "kill")


@dataclass(frozen=True)
class Line:
    """Of expected.csv; medians over the rounds, memory the most of all.

    Args:
        part: of the experiment.
        file: kind of the rows' file.
        rows: in it.
        runtime: that scores.
        bare_seconds: of the runtime alone on rows in memory.
        seconds: of the whole command, its start included.
        bare_cpu_seconds: likewise.
        cpu_seconds: likewise.
        ratio: rows per second of the command over those of the runtime alone.
        megabytes: see ``Watched``.
        resident: see ``Watched``.
    """

    part: str
    file: str
    rows: int
    runtime: str
    bare_seconds: float
    seconds: float
    bare_cpu_seconds: float
    cpu_seconds: float
    ratio: float
    megabytes: int
    resident: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"by default {', '.join(PARTS)}")
    parser.add_argument("--work-dir", type=Path, default=Path("runs/batch_scoring"))
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    python([HERE / "files.py", "student", args.work_dir / "bundle", 0])
    parts, lines = args.parts or PARTS, []
    for part in (part for part in PARTS[:3] if part in parts):
        for line in measured(part, args.work_dir, args.rows, args.rounds):
            print(line, flush=True)
            lines.append(asdict(line))
    if lines:
        with (args.work_dir / "measured.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
    if "kill" in parts:
        killed(args.work_dir, args.rows)


def measured(part: str, folder: Path, rows: int, rounds: int) -> Iterator[Line]:
    if part == "sizes":
        for count in (rows // 100, rows // 10, rows):
            yield one(part, folder, "parquet", count, "native", rounds)
    elif part == "runtimes":
        for runtime in ("native-int8", "onnx", "numpy", "torch"):
            yield one(part, folder, "parquet", rows // 10, runtime, rounds)
    else:
        for kind in ("lists.parquet", "npy", "npz", "csv"):
            yield one(part, folder, kind, rows // 10, "native", rounds)
            made(folder, kind, rows // 10).unlink()


def one(part: str, folder: Path, kind: str, rows: int, runtime: str, rounds: int) -> Line:
    """The runtime alone and the command in turns, so that a busy machine slows both alike."""
    file, known = made(folder, kind, rows), made(folder, "parquet", rows)
    bare, whole = [], []
    for _ in range(rounds):
        bare.append(json.loads(python([HERE / "bare.py", folder / "bundle", runtime, known])))
        whole.append(checked(watch(predict(folder, file, runtime))))
    least, most = (statistics.median(each) for each in ([one[0] for one in bare], [one.seconds for one in whole]))
    return Line(
        part,
        kind,
        rows,
        runtime,
        round(least, 2),
        round(most, 2),
        round(statistics.median(one[1] for one in bare), 2),
        round(statistics.median(one.cpu_seconds for one in whole), 2),
        round(least / most, 3),
        round(max(one.megabytes for one in whole)),
        round(max(one.resident for one in whole)),
    )


def killed(folder: Path, rows: int) -> None:
    """Kills the command when half of the blocks are finished, starts it again, and compares the bytes."""
    file, output = made(folder, "parquet", rows), folder / "out.parquet"
    checked(watch(predict(folder, file, "native")))
    expected = digest(output)
    output.unlink()
    blocks = -(-rows // rows_of_a_block(FEATURES, CLASSES))
    progress = folder / ".out.parquet.progress"
    first = watch(predict(folder, file, "native"), lambda: len(list(progress.glob("block-*"))) >= blocks // 2)
    left = len(list(progress.glob("block-*")))
    if first.status != -9 or output.exists():
        raise SystemExit(f"it ended by itself with {first.status}: {first.output}")
    second = checked(watch(predict(folder, file, "native")))
    same = digest(output) == expected
    print(
        f"killed after {first.seconds:.1f} s with {left} of {blocks} blocks; went on for {second.seconds:.1f} s; "
        f"{output.stat().st_size / 1e9:.2f} GB, {'the same' if same else 'OTHER'} bytes; at most "
        f"{max(first.megabytes, second.megabytes):.0f} MB; left over: {progress.exists()}"
    )
    if not same:
        raise SystemExit(1)


def predict(folder: Path, file: Path, runtime: str) -> list[str]:
    output = folder / "out.parquet"
    words = ["-m", "graphkd", "predict", folder / "bundle", file, output, "--runtime", runtime]
    return [sys.executable, *map(str, words)]


def checked(found: Watched) -> Watched:
    if found.status:
        raise SystemExit(found.output)
    return found


def made(folder: Path, kind: str, rows: int) -> Path:
    """The file of so many rows, drawn if it is not there."""
    file = folder / f"rows-{rows}.{kind}"
    if not file.exists():
        draft = file.with_name(f"draft.{kind}")
        python([HERE / "files.py", kind, draft, rows])
        shutil.move(draft, file)
    return file


def python(words: list[object]) -> str:
    """What a script prints; in a process of its own, whose memory does not stay."""
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=True).stdout


def digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


if __name__ == "__main__":
    main()
