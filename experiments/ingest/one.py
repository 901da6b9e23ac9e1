"""One ingest, in the process that run.py watches.

python experiments/ingest/one.py FOLDER OUTPUT GIGABYTES THREADS
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from graphkd.ingest import ingest_folder


def main() -> None:
    folder, output, budget, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    graph = ingest_folder(Path(folder), Path(output), memory_budget=float(budget))
    print(json.dumps({**asdict(graph), "folder": output}))


if __name__ == "__main__":
    main()
