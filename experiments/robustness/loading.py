"""How long does it take to read, check and load a bundle? Prints the quickest and the median load of each runtime.

python experiments/robustness/loading.py RUN                          # this checkout
PYTHONPATH=../other python experiments/robustness/loading.py RUN      # another one, side by side, alternating
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from pathlib import Path

import torch

import graphkd


def milliseconds(run: Path, runtime: str, times: int) -> list[float]:
    """Loads a bundle again and again in one process; the first loads, which import, do not count."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        graphkd.load_bundle(run, runtime)
        taken.append(1e3 * (time.perf_counter() - start))
    return taken[times // 10 :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run folder whose student is exported to ONNX")
    parser.add_argument("--times", type=int, default=400)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(Path(graphkd.__file__).parents[1])
    for runtime in ("numpy", "torch", "onnx"):
        taken = milliseconds(arguments.run, runtime, arguments.times)
        print(f"{runtime:6} {min(taken):.3f} ms at best, {statistics.median(taken):.3f} ms at the median")


if __name__ == "__main__":
    main()
