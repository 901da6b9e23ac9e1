"""Students without a graph: rows ``[B, D']`` → ``StudentOutput(logits [B, C], hidden)``.

>>> import torch
>>> from graphkd.students import MLP
>>> MLP(num_features=64, num_classes=10)(torch.zeros(2, 64)).logits.shape
torch.Size([2, 10])
"""

from graphkd.students.ensemble import Ensemble
from graphkd.students.mlp import MLP
from graphkd.students.output import StudentOutput
from graphkd.students.progressive import Progressive

__all__ = ["MLP", "Ensemble", "Progressive", "StudentOutput"]
