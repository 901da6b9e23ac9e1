"""Export formats of a bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from graphkd.deploy.exports.c import export_c
from graphkd.deploy.exports.made import Export
from graphkd.deploy.exports.onnx import export_onnx, export_onnx_int8
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.exports.stamp import Stamp, why_not_scaled
from graphkd.deploy.exports.torch_export import export_torch
from graphkd.deploy.exports.triton import export_triton
from graphkd.deploy.files import read_bundle
from graphkd.deploy.hub import is_address
from graphkd.deploy.network import Network, check_one_pass, network_of
from graphkd.errors import GraphKDError
from graphkd.registry import unknown

FORMATS: dict[str, Callable[[Network, Stamp, Sample, bool], Export]] = {
    "onnx": export_onnx,
    "onnx-int8": export_onnx_int8,
    "c": export_c,
    "torch-export": export_torch,
    "triton": export_triton,
}
"""Format → function of the student, its stamp, the sample and ``allow_loss``, which returns the export."""


def export_bundle(path: str | Path, to: str, sample: Sample, allow_loss: bool = False) -> Export:
    """Exports the student of a bundle into the bundle, after a parity check.

    Args:
        path: a ``bundle`` folder, or a run folder that contains one.
        to: one of ``FORMATS``.
        sample: rows for the parity check.
        allow_loss: whether to write an export that fails the check.

    Raises:
        GraphKDError: the format is unknown, one of its requirements is missing, the bundle is on a hub, or the
            parity check fails; nothing is written then.
    """
    if is_address(path):
        raise GraphKDError(f"{path} cannot take an export: give the folder of its run, and push it again")
    if to not in FORMATS:
        raise GraphKDError(unknown("format", to, list(FORMATS)))
    bundle = read_bundle(path)
    check_one_pass(bundle, f"the format {to}")
    stamp = Stamp.of(bundle)
    export = FORMATS[to](network_of(bundle), stamp, sample, allow_loss)
    parity = {precision: result.record for precision, result in export.parity.items()}
    add_export(bundle, to, export.files, {**stamp.record, "parity": parity, "allow_loss": allow_loss})
    why = why_not_scaled(bundle)
    return replace(export, remarks=[*export.remarks, f"{stamp.line} ({why})" if why else stamp.line])
