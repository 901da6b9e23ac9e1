"""Everything that is measured on a CUDA device, part by part; see README.md beside this file.

python experiments/gpu/run.py --data-dir data [--output-dir runs/gpu] [PART …]

Each part is a file in the output folder: the command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import kernels
import pandas as pd
import precision
import seeds
import stages
import step
import torch

from graphkd.atomic_io import write_json

PARTS = {
    "step": lambda _: step.rows("cuda", 169_343, 20, 2),
    "seeds": lambda data_dir: seeds.rows("cuda", data_dir, 200, list(seeds.CELLS)),
    "precision": lambda data_dir: precision.rows("cuda", data_dir),
    "kernels": lambda _: kernels.all_rows(),
    "arxiv": lambda _: stages.rows("arxiv", ("gcn", "sage", "gat")),
    "products": lambda _: stages.rows("products", ("gcn", "sage", "gat")),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/gpu"))
    args = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("there is no CUDA device here")
    args.output_dir.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    for part in args.parts:
        file = args.output_dir / f"{part}.json"
        if not file.exists():
            start = time.perf_counter()
            rows = PARTS[part](args.data_dir)
            write_json(file, {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "rows": rows})
            print(f"{part}: {time.perf_counter() - start:.0f} s", flush=True)
        found += [{"part": part, **row} for row in json.loads(file.read_text())["rows"]]
        torch.cuda.empty_cache()
    frame = pd.DataFrame(found)
    frame.to_csv(args.output_dir / "results.csv", index=False, float_format="%.4g")
    print(frame.to_string(na_rep="", float_format=lambda value: f"{value:.4g}"))


if __name__ == "__main__":
    main()
