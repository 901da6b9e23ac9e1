"""Ten thousand requests that cannot be right, then one that is."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np
from malformed import Malformed
from serving import Server, serving
from spoken import faults, spoken, statuses

import graphkd

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "negative_data_rejection",
)  # fmt: skip
"""Of schemathesis, on every answer."""


def raw_bytes(bundle: Path, name: str, rows: np.ndarray, count: int) -> list[str]:
    """Over a socket, by ``malformed.py``; what came of it, as lines."""
    seen: Counter[str] = Counter()
    wrong, begin = 0, time.monotonic()
    with serving(bundle) as server:
        for content in itertools.islice(Malformed(name, rows.shape[1]).draw(), count):
            answer = spoken(server.port, content)
            seen.update(map(str, statuses(answer)) if answer else ["closed"])
            for fault in faults(answer):
                wrong += 1
                print("FAULT", fault, content[:200], answer[:300])
        alive = server.process.poll() is None and _right(server, bundle, rows)
    shown = ", ".join(f"{status}: {number:,}" for status, number in seen.most_common())
    return [
        f"raw bytes: {count:,} requests in {time.monotonic() - begin:.0f} s; answers by status: {shown}",
        f"raw bytes: {wrong} with 5xx or a traceback; answers right afterwards: {alive}",
    ]


def by_the_document(bundle: Path, rows: np.ndarray, examples: int) -> list[str]:
    """schemathesis, from ``/openapi.json``: its own examples, its own checks."""
    with serving(bundle) as server:
        asked = [
            str(Path(sys.executable).parent / "schemathesis"), "run", f"http://127.0.0.1:{server.port}/openapi.json",
            "--max-examples", str(examples), "--mode", "all", "--phases", "examples,coverage,fuzzing",
            "--checks", ",".join(CHECKS), "--generation-database", "none", "--seed", "1",
            "--continue-on-failure", "--suppress-health-check", "all",
        ]  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:  # it leaves a .schemathesis/ where it runs
            done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=folder)
        text = _metrics(server)
        alive = server.process.poll() is None and _right(server, bundle, rows)
    total, broken = _counted(text)
    return [
        f"schemathesis: {total:,} requests, {broken} of them with 5xx; exit status {done.returncode}; "
        f"answers right afterwards: {alive}",
        *(f"schemathesis: {line.strip()}" for line in done.stdout.splitlines()[-25:] if line.strip()),
    ]


def _right(server: Server, bundle: Path, rows: np.ndarray) -> bool:
    body = json.dumps({"rows": rows.tolist()}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/predict", body, {"Content-Type": "application/json"}
    )
    found = json.load(urllib.request.urlopen(request))["predictions"]
    proba = np.array([each["probabilities"] for each in found], dtype=np.float32)
    return bool((proba == graphkd.load_bundle(bundle, "native").predict_proba(rows)).all())


def _metrics(server: Server) -> str:
    return urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics").read().decode()


def _counted(text: str) -> tuple[int, int]:
    lines = [line for line in text.splitlines() if line.startswith("graphkd_requests_total{")]
    counts = [(line.split('status="')[1][0], float(line.rpartition(" ")[2])) for line in lines]
    return int(sum(count for _, count in counts)), int(sum(count for first, count in counts if first == "5"))
