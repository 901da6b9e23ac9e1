"""How fast are pairs scored, and nearest nodes found, from Python?

python experiments/links/speed.py --threads 2
python experiments/links/speed.py --threads 2 --index 100000 1000000  # an approximate index
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from graphkd.datasets.preprocess import Preprocessing
from graphkd.links import ApproximateIndex, LinkPredictor, LinkStudent
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


def indexed(nodes: int, dim: int, threads: int) -> str:
    """A line of an approximate index on drawn rows: times to build and to search, share of the exact ten."""
    import faiss

    faiss.omp_set_num_threads(threads)
    torch.manual_seed(0)
    model = LinkPredictor.of(LinkStudent(16, 64, dim), Preprocessing(), torch.randn(nodes, 16))
    start = time.perf_counter()
    index = ApproximateIndex(model)
    built = time.perf_counter() - start
    exact, near = (seconds(lambda each=each: each.top_k(5, k=10))[0] for each in (model, index))
    asked = range(0, nodes, nodes // 100)
    hits = [len({*model.top_k(n, 10)[1].tolist()} & {*index.top_k(n, 10)[1].tolist()}) for n in asked]
    recall = sum(hits) / (10 * len(hits))
    return f"{nodes},{dim},{threads},{built:.1f},{1e3 * exact:.2f},{1e3 * near:.2f},{recall:.3f}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--dims", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--index", type=int, nargs="+", help="nodes: times an approximate index instead")
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    if args.index:
        print("nodes,d,threads,index s,exact ms,approximate ms,recall@10")
        for nodes in args.index:
            print(indexed(nodes, args.dims[0], args.threads), flush=True)
        return
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
