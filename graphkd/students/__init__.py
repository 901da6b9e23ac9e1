"""Students without a graph: rows ``[B, D']`` → ``StudentOutput(logits [B, C], hidden)``."""

from graphkd.students.ensemble import Ensemble
from graphkd.students.mlp import MLP
from graphkd.students.output import StudentOutput
from graphkd.students.progressive import Progressive

__all__ = ["MLP", "Ensemble", "Progressive", "StudentOutput"]
