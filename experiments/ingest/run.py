"""Draws a table of edges, ingests it in a process with a limit on memory, and reports seconds, memory and bytes.

python experiments/ingest/run.py --edges 10000000 100000000 [--ids string] [--limit 6] [--work-dir DIR]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from draw import draw

HERE = Path(__file__).parent

STEP = 0.05
"""Seconds between two looks."""


@dataclass(frozen=True)
class Line:
    """Of expected.csv.

    Args:
        edges: directed edges in the table.
        ids: texts or whole numbers.
        nodes: in the table.
        entries: of the matrix: different edges, in both directions.
        threads: of DuckDB.
        budget_gb: ``memory_budget``.
        limit_gb: of the process's own memory, by the kernel (RLIMIT_DATA).
        seconds: from start to end, imports included.
        cpu_seconds: of all threads.
        own_gb: the most, at a look, that the process has to itself; mapped files are not among it.
        resident_gb: the most that the kernel counted, mapped files included.
        input_gb: bytes of the parts.
        output_gb: bytes of the result.
        disk_gb: the most, at a look, of the result and all that was made on the way.
    """

    edges: int
    ids: str
    nodes: int
    entries: int
    threads: int
    budget_gb: float
    limit_gb: float
    seconds: float
    cpu_seconds: float
    own_gb: float
    resident_gb: float
    input_gb: float
    output_gb: float
    disk_gb: float


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, nargs="+", default=[10_000_000])
    parser.add_argument("--ids", choices=("string", "integer"), default="string")
    parser.add_argument("--memory-budget", type=float, default=4.0, help="gigabytes")
    parser.add_argument("--limit", type=float, default=6.0, help="gigabytes that the process may have to itself")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work-dir", type=Path, default=Path("runs/ingest"))
    parser.add_argument("--keep", action="store_true", help="keep the tables and the results")
    args = parser.parse_args(arguments)
    args.work_dir.mkdir(parents=True, exist_ok=True)
    lines = []
    for edges in args.edges:
        lines.append(asdict(measured(args, edges)))
        print(lines[-1], flush=True)
    with (args.work_dir / "measured.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def measured(args: argparse.Namespace, edges: int) -> Line:
    """Draws the table if it is not there, and ingests it."""
    table = drawn(args.work_dir, edges, args.ids)
    place = args.work_dir / f"out-{edges}-{args.ids}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    command = [HERE / "one.py", table, place / "out", args.memory_budget, args.threads]
    graph, took = watch([sys.executable, *map(str, command)], place, args.limit)
    line = Line(
        edges=edges,
        ids=args.ids,
        nodes=graph["num_nodes"],
        entries=graph["num_edges"],
        threads=args.threads,
        budget_gb=args.memory_budget,
        limit_gb=args.limit,
        input_gb=gigabytes(table),
        output_gb=gigabytes(place / "out"),
        **took,
    )
    if not args.keep:
        shutil.rmtree(place)
        shutil.rmtree(table)
    return line


def drawn(folder: Path, edges: int, ids: str) -> Path:
    table, draft = folder / f"table-{edges}-{ids}", folder / "draft"
    if not table.exists():
        shutil.rmtree(draft, ignore_errors=True)
        draw(draft, edges, ids)
        draft.rename(table)
    return table


def watch(command: list[str], place: Path, limit: float) -> tuple[dict[str, int], dict[str, float]]:
    """Runs a command within a limit; returns what it prints, and what it took."""
    start, most, disk = time.perf_counter(), 0, 0.0

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (int(1e9 * limit), resource.RLIM_INFINITY))

    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=limited)
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        most, disk = max(most, own_memory(process.pid)), max(disk, gigabytes(place))
        time.sleep(STEP)
    process.returncode = os.waitstatus_to_exitcode(status)
    output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    took = {
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "own_gb": round(most / 1e9, 2),
        "resident_gb": round(1024 * usage.ru_maxrss / 1e9, 2),
        "disk_gb": disk,
    }
    return json.loads(output.splitlines()[-1]), took


def own_memory(pid: int) -> int:
    """Bytes in memory that are no mapped file."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def gigabytes(folder: Path) -> float:
    """Bytes of all files, of which some may go away meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except OSError:
                continue
    return round(total / 1e9, 3)


if __name__ == "__main__":
    main()
