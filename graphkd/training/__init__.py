"""Training of teacher and student: settings, stages, the loop, seeds."""

from graphkd.training.settings import Training

__all__ = ["Training"]
