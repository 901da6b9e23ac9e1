"""From a trained student to an answer: bundle, predictor, and the store of its inputs.

Names are imported when first used: the feature store needs numpy alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkd.deploy.bundle import load_bundle, write_bundle
    from graphkd.deploy.predictor import Predictor
    from graphkd.deploy.store import FeatureStore

_HOMES = {
    "FeatureStore": "store",
    "Predictor": "predictor",
    "load_bundle": "bundle",
    "write_bundle": "bundle",
}

__all__ = ["FeatureStore", "Predictor", "load_bundle", "write_bundle"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkd.deploy' has no attribute '{name}'")
    return getattr(importlib.import_module(f"graphkd.deploy.{_HOMES[name]}"), name)
