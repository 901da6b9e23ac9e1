"""What a fresh process spends until the first answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FIRST = """
import sys, time
start, used = time.perf_counter(), time.process_time()
import graphkd
model = graphkd.load_bundle(sys.argv[1], runtime=sys.argv[2])
loaded, used = time.perf_counter() - start, time.process_time() - used
import json, numpy
model.predict(numpy.zeros((1, model.num_features), dtype="float32"))
status = open("/proc/self/status").read()
resident = int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6
print(json.dumps([loaded, used, resident, "torch" in sys.modules]))
"""


def first_answer(bundle: Path, runtime: str, repeats: int) -> tuple[float, float, float, bool]:
    """Seconds of import and loading, those of a CPU in it, resident megabytes after one answer, torch or not.

    Of the repeats the fastest.
    """
    found = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", FIRST, str(bundle), runtime], capture_output=True, text=True, check=True
        )
        found.append(json.loads(done.stdout))
    seconds, used, resident, torch = min(found)
    return seconds, used, resident, torch
