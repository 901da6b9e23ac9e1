"""Export of a student as a ``torch.export`` program, which C++ and other tools of torch can load."""

from __future__ import annotations

import io
import json

import torch

from graphkd.deploy.exports.made import Export
from graphkd.deploy.exports.module import example, module_of
from graphkd.deploy.exports.parity import Parity, check
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.network import FloatArray, Network
from graphkd.io.rows import Rows, dense

FILE = "model.pt2"

STAMP = "graphkd.json"
"""Name of the metadata among the program's extra files."""


def export_torch(network: Network, stamp: Stamp, sample: Sample, allow_loss: bool) -> Export:
    """Exports with ``torch.export.save`` and a dynamic batch; compares after reloading.

    Raises:
        GraphKDError: the parity check fails.
    """
    rows, sizes = example(network)
    program = torch.export.export(module_of(network, stamp), (rows,), dynamic_shapes=(sizes,))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={STAMP: json.dumps(stamp.metadata, ensure_ascii=False)})
    loaded = torch.export.load(io.BytesIO(file.getvalue())).module()

    def logits(given: Rows) -> FloatArray:
        with torch.no_grad():
            result: FloatArray = loaded(torch.from_numpy(dense(given))).numpy()
        return result

    parity = Parity.of(sample, logits)
    check(parity.float_fault(), "the program", allow_loss)
    return Export({FILE: file.getvalue()}, {"float32": parity})
