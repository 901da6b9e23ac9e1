"""What a fresh process spends until the first answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FIRST = """
import sys, time
start = time.perf_counter()
import graphkd
model = graphkd.load_bundle(sys.argv[1], runtime=sys.argv[2])
loaded = time.perf_counter() - start
import json, numpy
model.predict(numpy.zeros((1, model.num_features), dtype="float32"))
status = open("/proc/self/status").read()
resident = int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6
print(json.dumps([loaded, resident, "torch" in sys.modules]))
"""


def first_answer(bundle: Path, runtime: str, repeats: int) -> tuple[float, float, bool]:
    """Seconds of import and loading, the fastest of the repeats; resident megabytes after one answer; torch?"""
    found = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", FIRST, str(bundle), runtime], capture_output=True, text=True, check=True
        )
        found.append(json.loads(done.stdout))
    seconds, resident, torch = min(found)
    return seconds, resident, torch
