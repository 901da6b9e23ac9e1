"""Two servers for all tests: a student of raw rows, and one with hops and a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import graphkd
from graphkd.datasets import Preprocessing
from graphkd.deploy import FeatureStore, RowPredictor
from graphkd.encoders import Propagation
from tests.deploy.bundles import make_bundle, student
from tests.deploy.server.serving import in_thread


@dataclass
class Target:
    """A server and what it must answer like."""

    port: int
    bundle: Path
    model: RowPredictor
    rows: np.ndarray
    store: FeatureStore | None = None


@pytest.fixture(scope="session")
def raw_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of 5 features, 3 classes, rows are normalised."""
    return make_bundle(tmp_path_factory.mktemp("raw"), student(), steps=Preprocessing(row_normalize=True))


@pytest.fixture(scope="session")
def raw(raw_bundle: Path) -> Iterator[Target]:
    rows = np.random.default_rng(0).standard_normal((50, 5)).astype(np.float32)
    with in_thread(raw_bundle) as port:
        yield Target(port, raw_bundle, graphkd.load_bundle(raw_bundle, "numpy"), rows)


@pytest.fixture(scope="session")
def hops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Two hops of 4 features side by side: 12 of the student; 20 nodes on a ring."""
    folder = tmp_path_factory.mktemp("hops")
    bundle = make_bundle(folder, student(num_features=12), propagation=Propagation(hops=2, pooling="concat"))
    ring = np.arange(20)
    edges = np.stack([np.append(ring, (ring + 1) % 20), np.append((ring + 1) % 20, ring)])
    rows = np.random.default_rng(1).standard_normal((20, 4)).astype(np.float32)
    store = FeatureStore.for_bundle(folder / "store", bundle, rows, edges)
    store.delete_node(19)
    store.close()
    with in_thread(bundle, store=str(folder / "store")) as port:
        model = graphkd.load_bundle(bundle, "numpy")
        yield Target(port, bundle, model, rows, FeatureStore(folder / "store"))
