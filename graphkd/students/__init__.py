"""Students without a graph: rows ``[B, D']`` → ``StudentOutput(logits [B, C], hidden)``."""

from graphkd.students.ensemble import Ensemble
from graphkd.students.mlp import MLP
from graphkd.students.output import StudentOutput

__all__ = ["MLP", "Ensemble", "StudentOutput"]
