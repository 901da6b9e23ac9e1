"""How fast are pairs scored, and nearest nodes found, from Python?

python experiments/links/speed.py --threads 2
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from graphkd.datasets.preprocess import Preprocessing
from graphkd.links import LinkPredictor, LinkStudent
from graphkd.links.decoders import DECODERS

REPEATS = 7
COLUMNS = ("decoder", "d", "threads", "million pairs/s", "per core", "top_k ms", "processor ms")


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """The fastest of several calls after one that is not counted: by the clock, and in processor time.

    On a busy machine the clock counts the time of others; processor time is that of all threads.
    """
    call()
    clock, processor = [], []
    for _ in range(REPEATS):
        start = time.perf_counter(), time.process_time()
        call()
        clock.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    return min(clock), min(processor)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--dims", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    draws = torch.Generator().manual_seed(0)
    pairs = torch.randint(args.nodes, (args.pairs, 2), generator=draws)
    print(",".join(COLUMNS))
    for decoder in DECODERS:
        for dim in args.dims:
            student = LinkStudent(16, 16, dim, decoder=decoder)
            rows = torch.randn(args.nodes, 16, generator=draws)
            model = LinkPredictor.of(student, Preprocessing(), rows)
            rates = [args.pairs / 1e6 / each for each in seconds(lambda model=model: model.score(pairs))]
            found = [1e3 * each for each in seconds(lambda model=model: model.top_k(5, k=10))]
            cells = ",".join(f"{each:.2f}" for each in [*rates, *found])
            print(f"{decoder},{dim},{args.threads},{cells}", flush=True)


if __name__ == "__main__":
    main()
