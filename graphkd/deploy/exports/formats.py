"""What a bundle can be exported to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from graphkd.deploy.exports.c import export_c
from graphkd.deploy.exports.made import Export
from graphkd.deploy.exports.onnx import export_onnx, export_onnx_int8
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.exports.torch_export import export_torch
from graphkd.deploy.exports.triton import export_triton
from graphkd.deploy.files import read_bundle
from graphkd.deploy.network import Network, network_of
from graphkd.errors import GraphKDError
from graphkd.registry import unknown

FORMATS: dict[str, Callable[[Network, Stamp, Sample, bool], Export]] = {
    "onnx": export_onnx,
    "onnx-int8": export_onnx_int8,
    "c": export_c,
    "torch-export": export_torch,
    "triton": export_triton,
}
"""By name: student, its stamp, rows to compare on, whether a loss is allowed → files and parity."""


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
    stamp = Stamp.of(bundle)
    made = FORMATS[to](network_of(bundle), stamp, sample, allow_loss)
    parity = {precision: found.record for precision, found in made.parity.items()}
    add_export(bundle, to, made.files, {**stamp.record, "parity": parity, "allow_loss": allow_loss})
    return replace(made, remarks=[*made.remarks, stamp.line])
