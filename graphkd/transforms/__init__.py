"""Transforms of the teacher's output, before anything is made from it; each composes with every method."""

from graphkd.transforms.angular_views import AngularViews
from graphkd.transforms.base import Fitted, NoTransform, Transform
from graphkd.transforms.correct_and_smooth import CorrectAndSmooth
from graphkd.transforms.ensemble import Ensemble
from graphkd.transforms.label_propagation import LabelPropagation
from graphkd.transforms.propagate import PropagateTeacher

__all__ = [
    "AngularViews",
    "CorrectAndSmooth",
    "Ensemble",
    "Fitted",
    "LabelPropagation",
    "NoTransform",
    "PropagateTeacher",
    "Transform",
]
