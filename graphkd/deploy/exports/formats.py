"""What a bundle can be exported to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from graphkd.deploy.exports.c_source import c_files
from graphkd.deploy.exports.int8 import fits_int8
from graphkd.deploy.exports.parity import Parity, Sample, check
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.files import read_bundle
from graphkd.deploy.network import Network, network_of
from graphkd.deploy.runtimes.native import HEADER, SOURCE, compiled_engine
from graphkd.errors import GraphKDError
from graphkd.names import unknown

LARGEST_SOURCE = 2**22
"""Parameters that are still written as C: a compiler takes a minute for as many."""


@dataclass(frozen=True)
class Export:
    """An export that passed its gate.

    Args:
        files: name relative to the bundle → content.
        parity: by precision.
        remarks: lines for a person.
    """

    files: dict[str, bytes]
    parity: dict[str, Parity]
    remarks: list[str] = field(default_factory=list)


def export_bundle(path: str | Path, to: str, sample: Sample, allow_loss: bool = False) -> Export:
    """Exports the student of a bundle into the bundle, once it is shown to be the same model.

    Args:
        path: a ``bundle`` folder, or a run folder that holds one.
        to: one of ``FORMATS``.
        sample: rows to compare on.
        allow_loss: write it even where it fails its gate.

    Raises:
        GraphKDError: an unknown format, what it needs is not there, or it is not the same model; nothing has been
            written then.
    """
    if to not in FORMATS:
        raise GraphKDError(unknown("format", to, list(FORMATS)))
    bundle = read_bundle(path)
    made = FORMATS[to](network_of(bundle), sample, allow_loss)
    parity = {precision: found.record for precision, found in made.parity.items()}
    add_export(bundle, to, made.files, parity, allow_loss)
    return made


def _c(network: Network, sample: Sample, allow_loss: bool) -> Export:
    """Both precisions in one file; where 8 bits lose too much, and that is not allowed, the other alone."""
    if network.num_parameters > LARGEST_SOURCE:
        raise GraphKDError(
            f"the student has {network.num_parameters:,} parameters, and C files are written up to "
            f"{LARGEST_SOURCE:,}: export to onnx"
        )
    files, parity, remarks = _c_sources(network, fits_int8(network)), {}, []
    parity["float32"] = Parity.of(sample, compiled_engine(files, network.num_classes, False).logits)
    check(parity["float32"].float_fault(), "the C file", allow_loss)
    if fits_int8(network):
        small = Parity.of(sample, compiled_engine(files, network.num_classes, True).logits)
        if (fault := small.int8_fault()) and not allow_loss:
            files = _c_sources(network, False)
            remarks.append(f"the 8-bit form {fault}: left out of the file; --allow-loss keeps it")
        else:
            parity["int8"] = small
    return Export({SOURCE: files["student.c"], HEADER: files["student.h"]}, parity, remarks)


def _c_sources(network: Network, int8: bool) -> dict[str, bytes]:
    return {name: text.encode() for name, text in c_files(network, int8).items()}


FORMATS: dict[str, Callable[[Network, Sample, bool], Export]] = {"c": _c}
