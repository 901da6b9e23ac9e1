"""Graphs that tests share, and where the real data is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings
from torch_geometric.data import Data

from tests.distributed.pair import Pair

settings.register_profile("graphkd", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
settings.load_profile("graphkd")

STAGE = re.compile(r"^graphkd: .*: seed \d+: (teacher|targets|student|baselines) .*, \d+\.\d s\n", re.MULTILINE)
"""A line of a stage that is over, which tests/commands/test_distill.py is about."""


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stages that tests finish are kept for this session only: not in the home folder, not from an earlier one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAPHKD_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))
"""On tiny tensors a second one only waits, long where the machine is busy."""


@pytest.fixture(autouse=True, scope="session")
def _threads() -> Iterator[None]:
    """Processes that tests start inherit them."""
    torch.set_num_threads(THREADS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", str(THREADS))
        yield


@pytest.fixture(autouse=True)
def _two_on_real_data(request: pytest.FixtureRequest) -> Iterator[None]:
    if "data_dir" in request.fixturenames:
        torch.set_num_threads(2)
    yield
    torch.set_num_threads(THREADS)


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    """Two processes that know each other."""
    made = Pair()
    yield made
    made.close()


@pytest.fixture
def data_dir() -> Path:
    """The real data sets; tests that ask for it are slow."""
    folder = os.environ.get("GRAPHKD_DATA")
    if not folder:
        pytest.fail(
            "set GRAPHKD_DATA to a folder with Planetoid, Amazon, Coauthor, CPF, HeterophilousGraphDataset"
        )
    return Path(folder)


@pytest.fixture
def data() -> Data:
    """60 nodes in 3 classes: noisy features, edges mostly inside classes, three masks."""
    return make_data()


def make_data(num_nodes: int = 60, num_classes: int = 3, num_features: int = 8, seed: int = 0) -> Data:
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(num_nodes) % num_classes
    centres = torch.randn(num_classes, num_features, generator=generator)
    x = centres[y] + torch.randn(num_nodes, num_features, generator=generator)
    same = (y.unsqueeze(0) == y.unsqueeze(1)).float()
    chance = (0.15 * same + 0.02 * (1 - same)).triu(1)
    pairs = (torch.rand(num_nodes, num_nodes, generator=generator) < chance).nonzero().t()
    order = torch.randperm(num_nodes, generator=generator)
    masks = torch.zeros(3, num_nodes, dtype=torch.bool)
    third = num_nodes // 3
    for mask, part in zip(masks, order.split([third, third, num_nodes - 2 * third]), strict=True):
        mask[part] = True
    return Data(
        x=x,
        edge_index=torch.cat([pairs, pairs.flip(0)], dim=1),
        y=y,
        train_mask=masks[0],
        val_mask=masks[1],
        test_mask=masks[2],
    )
