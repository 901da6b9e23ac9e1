"""From a trained student to an answer: bundle and predictor."""

from graphkd.deploy.bundle import load_bundle, write_bundle
from graphkd.deploy.predictor import Predictor

__all__ = ["Predictor", "load_bundle", "write_bundle"]
