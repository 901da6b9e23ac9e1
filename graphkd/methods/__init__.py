"""Distillation methods, one file per paper: graph and teacher → ``Targets`` → loss over rows."""

from graphkd.methods.base import Method
from graphkd.methods.glnn import GLNN
from graphkd.methods.infgrand import InfGraND
from graphkd.methods.mlp import MLP
from graphkd.methods.targets import Propagation, SoftTargets, Targets

__all__ = ["GLNN", "MLP", "InfGraND", "Method", "Propagation", "SoftTargets", "Targets"]
