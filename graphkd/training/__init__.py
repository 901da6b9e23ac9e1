"""Stages, the loop, seeds."""

from graphkd.training.settings import Training

__all__ = ["Training"]
