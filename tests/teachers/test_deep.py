"""Sixteen hops on a real graph: what trains them, and that it does."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import graphkd
from graphkd import Training
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.spec import resolve
from graphkd.teachers import GAT, GCN, SAGE
from graphkd.training.stages.teacher import train_teacher

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _one_thread(_two_on_real_data: None) -> None:
    """Sixteen small layers on two threads wait for each other, minutes long where a core is busy."""
    torch.set_num_threads(1)


def validation(teacher: type, data_dir: Path, epochs: int, **keys: Any) -> float:
    """Score of 16 hops on Cora, whose largest class has 0.32 of the validation nodes."""
    data = graphkd.load_dataset("cora", data_dir, split="public", download="never")
    spec = resolve(
        partial(teacher, **{"num_layers": 16, "hidden_dim": 64, **keys}),
        training=Training(max_epochs=epochs, patience=epochs),
    )
    return train_teacher(apply_setting(Graph.from_data(data)), spec, 0, []).scores["val"]


@pytest.mark.parametrize("teacher", [GCN, SAGE])
def test_with_batch_norm_and_residual(teacher: type, data_dir: Path) -> None:
    """Seeds 0 to 2 end between 0.59 and 0.74, still rising: running statistics follow fast weights slowly."""
    assert validation(teacher, data_dir, 80, norm="batch", residual=True) > 0.45


@pytest.mark.parametrize("teacher", [GCN, SAGE, GAT])
def test_with_layer_norm_and_initial_residual(teacher: type, data_dir: Path) -> None:
    """Seeds 0 to 2 end between 0.77 and 0.82; plain stacks of 16 hops at 0.16 (SAGE) and 0.21 to 0.51 (GCN)."""
    assert validation(teacher, data_dir, 50, norm="layer", initial_residual=0.2) > 0.7
