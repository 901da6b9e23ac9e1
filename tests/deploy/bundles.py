"""Small bundles, and bytes of theirs that were flipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from graphkd.datasets import Preprocessing
from graphkd.deploy import write_bundle
from graphkd.deploy.exports.sample import Sample
from graphkd.encoders import Encoding, Propagation
from graphkd.students import MLP, Ensemble, Progressive
from graphkd.students.ensemble import extra_arguments

STEPS = Preprocessing()


def student(norm: str = "batch", num_layers: int = 3, **sizes: int) -> MLP:
    """With statistics and gains as training leaves them, not those of a start: it tells rows apart."""
    torch.manual_seed(0)
    sizes = {"num_features": 5, "hidden_dim": 7, "num_classes": 3, **sizes}
    model = MLP(**sizes, num_layers=num_layers, norm=norm)
    for layer in model.layers:
        torch.nn.init.normal_(layer.weight, std=1.5 * layer.in_features**-0.5)
    for module in model.norms:
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.normal_(0.0, 0.5) if name in ("bias", "running_mean") else tensor.uniform_(0.5, 2)
    return model.eval()


def tapered(norm: str = "batch") -> MLP:
    """Of hidden layers that have a width each, with statistics and gains that tell rows apart."""
    torch.manual_seed(0)
    model = MLP(5, num_classes=3, norm=norm, hidden_dims=[7, 6, 4])
    for module in model.norms:
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.normal_(0.0, 0.5) if name in ("bias", "running_mean") else tensor.uniform_(0.5, 2)
    return model.eval()


def ensemble(norm: str = "batch", num_layers: int = 3, num_members: int = 3, **sizes: int) -> Ensemble:
    """Of members that differ, with weights that do."""
    made = Ensemble.of(lambda: student(norm, num_layers, **sizes), num_members)
    for k, member in enumerate(made.members):
        for layer in member.layers:
            layer.weight.data = layer.weight.data.roll(k, 0) * (-1) ** k
    made.alpha.copy_(torch.arange(1, num_members + 1) / sum(range(1, num_members + 1)))
    return made.eval()


def progressive(
    norm: str = "batch", num_layers: int = 3, num_members: int = 3, threshold: float = 1.0
) -> Progressive:
    """Of members that differ, as do the matrices between them."""
    parts = list(ensemble(norm, max(num_layers, 2), num_members).members)
    made = Progressive.of(iter(parts).__next__, num_members, threshold)
    for carry in made.carries:
        torch.nn.init.normal_(carry.weight, std=carry.in_features**-0.5)
    return made.eval()


def make_bundle(
    folder: Path,
    model: MLP | Ensemble | Progressive,
    norm: str = "batch",
    steps: Preprocessing = STEPS,
    propagation: Propagation | None = None,
    encoding: Encoding | None = None,
) -> Path:
    encoding = encoding or Encoding((propagation or Propagation(),))
    members = list(getattr(model, "members", [model]))
    widths = [layer.weight.shape for layer in members[0].layers]
    arguments = {
        "num_features": widths[0][1],
        "hidden_dim": widths[0][0],
        "num_classes": widths[-1][0],
        "num_layers": len(widths),
        "norm": norm,
        **extra_arguments(model),
    }
    write_bundle(folder / "bundle", model, arguments, steps, encoding, None, {"dataset": "x", "seed": 0})
    return folder / "bundle"


def flip(file: Path, at: int, mask: int = 1) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= mask
    file.write_bytes(content)


def sample_of(model: MLP | Ensemble | Progressive, rows: int = 30) -> Sample:
    """Random rows, half of them for training; their labels are what the student says."""
    width = next(model.parameters()).shape[1]
    x = torch.randn(2 * rows, width, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits = model(x).logits
    train, val = x.numpy()[:rows], x.numpy()[rows:]
    return Sample(train, val, logits.argmax(dim=1)[rows:], logits.numpy(), "accuracy")


def rows_of_every_size(count: int, width: int, seed: int = 0) -> np.ndarray:
    """Normal ones, zeros, one-hot ones, bags of words, denormals, tiny and huge ones, mixed ones, by turns."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, width))
    scale = np.array([1, 0, 1, 1, 1e-40, 1e-20, 1e6, 1e12, 1])
    kind = np.arange(count) % len(scale)
    x *= scale[kind][:, None]
    x[kind == 2] = np.eye(width)[rng.integers(0, width, (kind == 2).sum())]
    x[kind == 3] = rng.random((int((kind == 3).sum()), width)) < 0.2
    x[kind == 8] *= 10.0 ** rng.integers(-42, 3, (int((kind == 8).sum()), width))
    return x.astype(np.float32)
