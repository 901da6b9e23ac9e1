"""Export of a predictor of links as two ONNX files: row → embedding, and two embeddings → score."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from graphkd.atomic_io import seal, sha256, whole_folder, write_json
from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.exports.onnx import check_packages, exported
from graphkd.errors import GraphKDError
from graphkd.links.predictor import LinkPredictor
from graphkd.sparse import Features, select_rows

FILES = ("embed.onnx", "score.onnx")
"""Names of the two files in the bundle."""

SAMPLE = 256
"""Rows that the files are compared with the predictor on."""

LARGEST = 1e-4
"""Largest difference that is attributed to rounding in float32, relative to the largest value."""


class _Embed(nn.Module):
    def __init__(self, predictor: LinkPredictor) -> None:
        super().__init__()
        self.steps: Preprocessing = predictor.preprocessing
        self.encoder = predictor.student.encoder

    def forward(self, x: Tensor) -> Tensor:
        """Computes rows ``[B, D]`` → ``[B, d]``."""
        prepared = self.steps(x)
        assert isinstance(prepared, Tensor)  # dense in, dense out
        embeddings: Tensor = self.encoder(prepared).logits
        return embeddings


def export_links(folder: Path, predictor: LinkPredictor, x: Features) -> tuple[dict[str, int], float]:
    """Writes ``embed.onnx`` and ``score.onnx`` into a bundle, after a comparison in ONNX Runtime.

    ``embed.onnx`` takes ``rows [B, D]``, raw and dense, with the columns of a table encoded; ``score.onnx`` takes
    ``u [B, d]`` and ``v [B, d]``.

    Args:
        folder: of the bundle; it is replaced as a whole.
        predictor: that the bundle holds.
        x: ``[N, D]`` stored rows of its nodes.

    Returns:
        Bytes of each file, and the largest relative difference that was found.

    Raises:
        GraphKDError: a package is missing, or the files differ from the predictor.
    """
    check_packages()
    rows, dim = _rows(x), predictor.student.decoder.dim
    embed = exported(_Embed(predictor).eval(), (torch.zeros(2, rows.shape[1]),), ("rows",), "embeddings")
    pair = (torch.zeros(2, dim), torch.zeros(2, dim))
    score = exported(predictor.student.decoder.eval(), pair, ("u", "v"), "scores")
    difference = _difference(predictor, rows, embed, score)
    if not difference <= LARGEST:
        raise GraphKDError(f"the ONNX files differ from the student by {difference:.1e}: nothing was written")
    contents = dict(zip(FILES, (embed, score), strict=True))
    manifest: dict[str, Any] = {
        "files": {name: sha256(content) for name, content in contents.items()},
        "largest_difference": difference,
    }
    with whole_folder(folder) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
        for name, content in contents.items():
            (draft / name).write_bytes(content)
        write_json(draft / "exports.json", {**manifest, "checksum": seal(manifest)})
    return {name: len(content) for name, content in contents.items()}, difference


def _rows(x: Features) -> Tensor:
    part = select_rows(x, torch.arange(min(SAMPLE, x.shape[0])))
    return part if isinstance(part, Tensor) else part.torch().to_dense()


def _difference(predictor: LinkPredictor, rows: Tensor, embed: bytes, score: bytes) -> float:
    """Computes the largest difference of both files, relative to the largest value of the predictor's."""
    import onnxruntime

    first, second = (onnxruntime.InferenceSession(content) for content in (embed, score))
    with torch.no_grad():
        wanted = predictor.student.embed(predictor.preprocessing(rows))
        turned = wanted.flip(0)
        scores = predictor.student.decoder(wanted, turned)
    (found,) = first.run(None, {"rows": rows.numpy()})
    (scored,) = second.run(None, {"u": wanted.numpy(), "v": turned.numpy()})
    parts = ((found, wanted.numpy()), (scored, scores.numpy()))
    return max(float(np.abs(a - b).max() / max(1.0, np.abs(b).max())) for a, b in parts)
