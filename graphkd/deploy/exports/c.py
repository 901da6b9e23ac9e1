"""Export of a student as C, in both precisions."""

from __future__ import annotations

from graphkd.deploy.exports.c_source import c_sources
from graphkd.deploy.exports.int8 import fits_int8
from graphkd.deploy.exports.made import Export
from graphkd.deploy.exports.parity import Parity, check
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.network import Network
from graphkd.deploy.row_predictor import Engine
from graphkd.deploy.runtimes.compiler import shared_library
from graphkd.deploy.runtimes.native import compiled_engine
from graphkd.errors import GraphKDError

LARGEST_SOURCE = 2**22
"""Largest number of parameters exported as C: a compiler takes a minute for as many."""


def export_c(network: Network, stamp: Stamp, sample: Sample, allow_loss: bool) -> Export:
    """Exports both precisions in one file; float32 alone if 8 bits lose too much and loss is not allowed.

    Raises:
        GraphKDError: the student has too many parameters, there is no compiler, or the parity check fails.
    """
    if network.num_parameters > LARGEST_SOURCE:
        raise GraphKDError(
            f"the student has {network.num_parameters:,} parameters, and C files are written up to "
            f"{LARGEST_SOURCE:,}: export to onnx"
        )
    int8, remarks = fits_int8(network), []
    sources = c_sources(network, stamp, int8)
    parity = {"float32": Parity.of(sample, _engine(sources, network.num_classes, False).logits)}
    check(parity["float32"].float_fault(), "the C file", allow_loss)
    if int8:
        int8_parity = Parity.of(sample, _engine(sources, network.num_classes, True).logits)
        if (fault := int8_parity.int8_fault()) and not allow_loss:
            sources = c_sources(network, stamp, False)
            remarks.append(f"the 8-bit form {fault}: left out of the file; --allow-loss keeps it")
        else:
            parity["int8"] = int8_parity
    return Export({f"c/{name}": content for name, content in sources.items()}, parity, remarks)


def _engine(sources: dict[str, bytes], num_classes: int, int8: bool) -> Engine:
    return compiled_engine(shared_library(b"\0".join(sources.values()), lambda: sources), num_classes, int8)
