"""Small bundles, and bytes of theirs that were flipped."""

from __future__ import annotations

from pathlib import Path

import torch

from graphkd.datasets import Preprocessing
from graphkd.deploy import write_bundle
from graphkd.methods import Propagation
from graphkd.students import MLP

STEPS = Preprocessing()


def student(norm: str = "batch", num_layers: int = 3, **sizes: int) -> MLP:
    """With statistics and gains as training leaves them, not those of a start."""
    torch.manual_seed(0)
    sizes = {"num_features": 5, "hidden_dim": 7, "num_classes": 3, **sizes}
    model = MLP(**sizes, num_layers=num_layers, norm=norm)
    for module in model.norms:
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 2) if name != "bias" else tensor.normal_()
    return model.eval()


def make_bundle(
    folder: Path,
    model: MLP,
    norm: str = "batch",
    steps: Preprocessing = STEPS,
    propagation: Propagation | None = None,
) -> Path:
    propagation = propagation or Propagation()
    widths = [layer.weight.shape for layer in model.layers]
    arguments = {
        "num_features": widths[0][1],
        "hidden_dim": widths[0][0],
        "num_classes": widths[-1][0],
        "num_layers": len(widths),
        "norm": norm,
    }
    write_bundle(folder / "bundle", model, arguments, steps, propagation, None, {"dataset": "x", "seed": 0})
    return folder / "bundle"


def flip(file: Path, at: int, mask: int = 1) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= mask
    file.write_bytes(content)
