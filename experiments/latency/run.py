"""Microseconds per answer of a student, from C and from Python; see README.md beside this file.

python experiments/latency/run.py [--repeats 7]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from calls import from_c, timed
from imports import first_answer
from students import SIZES, Size, write
from timing import machine

import graphkd
from graphkd.deploy import RUNTIMES

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
BATCHES = (1, 64, 1024)
TARGETS = {
    "all that this CPU has": ["-march=native"],
    "AVX2 (-march=haswell)": ["-march=haswell"],
    "SSE2 (-march=x86-64)": ["-march=x86-64"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="of which the one with the lowest median counts")
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[
        0
    ]
    print(f"{machine()}; one core; Python {platform.python_version()}, numpy {np.__version__}; {compiler}")
    print(f"load average before: {os.getloadavg()[0]:.1f}; best of {repeats} repeats by their median\n")
    with tempfile.TemporaryDirectory() as folder:
        bundles = {size: write(size, Path(folder) / str(n) / "bundle") for n, size in enumerate(SIZES)}
        c_table(bundles, repeats)
        for size, bundle in bundles.items():
            python_table(size, bundle, repeats)
        import_table(bundles[SIZES[0]], repeats)


def c_table(bundles: dict[Size, Path], repeats: int) -> None:
    print("| from C, a row a call | instructions | p50 us | p95 us | p99 us |\n|---|---|---|---|---|")
    for size, bundle in bundles.items():
        for target, flags in TARGETS.items() if platform.machine() == "x86_64" else [("native", [])]:
            for name, times in from_c(bundle, repeats, size.non_zeros or 0, flags).items():
                if ("sparse" in name) == (size.non_zeros is not None):
                    print(f"| {size.name}, {name.removesuffix(' sparse')} | {target} | {times} |", flush=True)


def python_table(size: Size, bundle: Path, repeats: int) -> None:
    print(f"\n| {size.name}, model.predict(x) | rows | p50 us | p95 | p99 | rows/s |\n|---|---|---|---|---|---|")
    x = size.rows(4096)
    for runtime in RUNTIMES:
        model = graphkd.load_bundle(bundle, runtime)
        for count in BATCHES:
            parts = [x[start : start + count] for start in range(0, len(x), count)]
            if size.non_zeros is not None:
                parts = [scipy.sparse.csr_matrix(part) for part in parts[:64]]
            times = timed(lambda i, model=model, parts=parts: model.predict(parts[i % len(parts)]), repeats)
            print(f"| {runtime} | {count} | {times} | {count / times.p50 * 1e6:,.0f} |", flush=True)


def import_table(bundle: Path, repeats: int) -> None:
    names = ("runtime", "import and load_bundle, s", "of it CPU, s", "resident after a row, MB", "torch loaded")
    print(f"\n| {' | '.join(names)} |\n{'|---' * len(names)}|")
    for runtime in RUNTIMES:
        seconds, used, resident, loaded = first_answer(bundle, runtime, repeats)
        print(
            f"| {runtime} | {seconds:.2f} | {used:.2f} | {resident:.0f} | {'yes' if loaded else 'no'} |",
            flush=True,
        )


if __name__ == "__main__":
    if not ONE_THREAD.items() <= os.environ.items():  # read when numpy and torch are loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
