"""The runtime alone, on the rows of a parquet file that are in memory: seconds, as JSON on the standard output.

The rows are read a piece at a time, which is not counted: what is counted is no reading, no check and no writing.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from files import CLASSES, FEATURES

from graphkd import load_bundle
from graphkd.deploy.batch.block import rows_of_a_block

PIECE = 2**19
"""Rows in memory."""


def main() -> None:
    bundle, runtime, file = sys.argv[1:]
    model: Any = load_bundle(bundle, runtime)
    seconds, used = 0.0, 0.0
    block = rows_of_a_block(FEATURES, CLASSES)
    for batch in pq.ParquetFile(file, pre_buffer=False, buffer_size=2**18).iter_batches(
        PIECE, columns=model.feature_names
    ):
        x = np.empty((batch.num_rows, batch.num_columns), dtype=np.float32)
        for place, column in enumerate(batch.columns):
            x[:, place] = column
        start, before = time.perf_counter(), time.process_time()
        for first in range(0, len(x), block):
            rows = x[first : first + block]
            if runtime == "torch":
                model.predict_proba(rows)
            else:
                model.engine.softmax(model.engine.logits(rows))
        seconds, used = seconds + time.perf_counter() - start, used + time.process_time() - before
    print(json.dumps([seconds, used]))


if __name__ == "__main__":
    main()
