"""graphkd: distil graph neural networks into MLPs that predict without the graph.

Public names are imported lazily, on first access: ``import graphkd`` itself loads neither torch nor PyG.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkd import (
        callbacks,
        datasets,
        deploy,
        evaluation,
        influence,
        ingest,
        links,
        matching,
        methods,
        sparse,
        students,
        teachers,
        training,
    )
    from graphkd.api import distill, load_dataset
    from graphkd.datasets.custom import from_frames, from_networkx, from_scipy
    from graphkd.deploy import load_bundle
    from graphkd.errors import GraphKDError
    from graphkd.estimator import GraphDistiller, GraphDistillerRegressor
    from graphkd.saved_run import load_run
    from graphkd.training import Training
    from graphkd.tuning import tune

__version__ = "0.1.0"

# torch allocates large tensors in huge pages, where the kernel grants them on request: a training step of a
# student on Coauthor Physics takes a quarter less time. Set to 0 beforehand to disable; see experiments/factored.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

_HOMES = {
    "GraphDistiller": "estimator",
    "GraphDistillerRegressor": "estimator",
    "GraphKDError": "errors",
    "Training": "training",
    "distill": "api",
    "from_frames": "datasets.custom",
    "from_networkx": "datasets.custom",
    "from_scipy": "datasets.custom",
    "load_bundle": "deploy",
    "load_dataset": "api",
    "load_run": "saved_run",
    "tune": "tuning",
}

__all__ = [
    "GraphDistiller",
    "GraphDistillerRegressor",
    "GraphKDError",
    "Training",
    "__version__",
    "callbacks",
    "datasets",
    "deploy",
    "distill",
    "evaluation",
    "from_frames",
    "from_networkx",
    "from_scipy",
    "influence",
    "ingest",
    "links",
    "load_bundle",
    "load_dataset",
    "load_run",
    "matching",
    "methods",
    "sparse",
    "students",
    "tasks",
    "teachers",
    "training",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"graphkd.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name in __all__:
        return importlib.import_module(f"graphkd.{name}")
    raise AttributeError(f"module 'graphkd' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
