"""Students of two sizes, exported in every form: what they were trained on does not change their speed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from graphkd.datasets import Preprocessing
from graphkd.deploy import load_bundle, write_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.sample import Sample
from graphkd.encoders import Encoding
from graphkd.students import MLP


@dataclass(frozen=True)
class Size:
    """Layers as in ``128-256-256-40``, and the non-zeros of a row where rows are sparse."""

    name: str
    widths: tuple[int, ...]
    norm: str
    non_zeros: int | None = None

    def rows(self, count: int) -> np.ndarray:
        """Random rows ``[count, D]``."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((count, self.widths[0]), dtype=np.float32)
        if self.non_zeros is not None:
            kept = rng.random(x.shape).argsort(axis=1) < self.non_zeros
            x = kept.astype(np.float32) / self.non_zeros
        return x


SIZES = (
    Size("128-256-256-40", (128, 256, 256, 40), "batch"),
    Size("1433-128-7, rows with 18 non-zeros", (1433, 128, 7), "none", 18),
)


def write(size: Size, folder: Path) -> Path:
    """A bundle with every export in it."""
    torch.manual_seed(0)
    arguments = {
        "num_features": size.widths[0],
        "hidden_dim": size.widths[1],
        "num_classes": size.widths[-1],
        "num_layers": len(size.widths) - 1,
        "norm": size.norm,
    }
    student = MLP(**arguments).eval()
    write_bundle(folder, student, arguments, Preprocessing(), Encoding(), None, {})
    x = size.rows(200)
    with torch.no_grad():
        logits = load_bundle(folder).student(torch.from_numpy(x)).logits
    sample = Sample(x[:100], x[100:], logits.argmax(dim=1)[100:], logits.numpy(), "accuracy")
    for to in ("c", "onnx", "onnx-int8"):
        export_bundle(folder, to, sample, allow_loss=True)
    return folder
