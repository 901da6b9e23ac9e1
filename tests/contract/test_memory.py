"""No method makes a table of nodes × nodes: its peak at 50,000 nodes stays below a fifth of one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphkd import methods
from graphkd.registry import catalogue

NODES = 50_000
BOUND = 2_000_000_000
"""Bytes; a table of nodes × nodes in single precision has 10,000,000,000."""

MEASURE = """
import dataclasses, functools, sys, torch
from graphkd import methods, teachers
from graphkd.encoders import Positions
from graphkd.registry import lookup
from graphkd.runs import SeedRun
from graphkd.spec import resolve
from graphkd.testing.graphs import small_graph
from graphkd.training import Training
from tests.contract.test_methods import SHORT

def status(key):
    return 1024 * int(next(line for line in open("/proc/self/status") if line.startswith(key)).split()[1])

graph = small_graph({nodes}, num_features=16)
graph = dataclasses.replace(graph, train=graph.train[:1000])
for name in sys.argv[1:]:
    for nodes in (200, {nodes}):
        given = graph if nodes == {nodes} else small_graph(nodes, num_features=16)
        method = SHORT.get(name, lookup(methods, name))()
        if name == "g2mlp":
            method = methods.G2MLP(curvature="forman")  # exact transport is refused for so many edges
        encoder = method.encoder()
        if isinstance(encoder, Positions):  # whose own cost is tested elsewhere
            encoder = dataclasses.replace(encoder, walks=1, length=4)
        teacher = functools.partial(teachers.VQGraph, codes=500) if method.needs_teacher else "gcn"
        spec = resolve(teacher, method=method, encoder=encoder, training=Training(1))
        open("/proc/self/clear_refs", "w").write("5")  # the peak is counted from here
        before = status("VmRSS")
        SeedRun.train(given, spec, 0)
        peak = status("VmHWM") - before
    print(name, peak)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak can be reset on Linux only")
def test_the_peak_of_every_method_grows_with_nodes_and_edges_alone() -> None:
    # Without a fixed threshold, freed blocks may stay in the heap and hide a part of the next peak.
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    names = [name for name in catalogue(methods) if name != "mlp"]
    code = MEASURE.replace("{nodes}", str(NODES))
    done = subprocess.run(
        [sys.executable, "-c", code, *names], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    peaks = {name: int(peak) for name, peak in (line.split() for line in done.stdout.splitlines())}
    assert list(peaks) == names
    assert all(1_000_000 < peak < BOUND for peak in peaks.values()), peaks
