"""Transforms of the teacher's output, before anything is made from it; each composes with every method."""

from graphkd.transforms.base import NoTransform, Transform
from graphkd.transforms.propagate import PropagateTeacher

__all__ = ["NoTransform", "PropagateTeacher", "Transform"]
