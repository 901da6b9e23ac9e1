"""Inference with trained students: bundles, predictors, exports, batch scoring, serving and the feature store.

Names are imported on first use: a service that loads bundles with the runtimes ``numpy``, ``onnx`` and
``native``, or opens a feature store, imports neither torch nor PyG.

>>> from graphkd.deploy import RUNTIMES
>>> RUNTIMES
('torch', 'numpy', 'onnx', 'onnx-int8', 'native', 'native-int8')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkd.deploy.bundle import write_bundle
    from graphkd.deploy.loading import RUNTIMES, load_bundle
    from graphkd.deploy.names import Encoded
    from graphkd.deploy.predictor import Predictor
    from graphkd.deploy.row_predictor import RowPredictor
    from graphkd.deploy.store import FeatureStore

_HOMES = {
    "Encoded": "names",
    "FeatureStore": "store",
    "Predictor": "predictor",
    "RUNTIMES": "loading",
    "RowPredictor": "row_predictor",
    "load_bundle": "loading",
    "write_bundle": "bundle",
}

__all__ = ["RUNTIMES", "Encoded", "FeatureStore", "Predictor", "RowPredictor", "load_bundle", "write_bundle"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkd.deploy' has no attribute '{name}'")
    return getattr(importlib.import_module(f"graphkd.deploy.{_HOMES[name]}"), name)
