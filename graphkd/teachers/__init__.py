"""Graph neural networks: features ``[N, F]`` and a graph → ``TeacherOutput(logits [N, C], hops)``.

>>> import torch
>>> from graphkd.sparse import Adjacency
>>> from graphkd.teachers import GCN
>>> path = Adjacency(torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
>>> GCN(num_features=4, num_classes=2)(torch.zeros(3, 4), path).logits.shape
torch.Size([3, 2])
"""

from graphkd.teachers.appnp import APPNP
from graphkd.teachers.base import Teacher
from graphkd.teachers.gat import GAT
from graphkd.teachers.gcn import GCN
from graphkd.teachers.gcnii import GCNII
from graphkd.teachers.graph_transformer import GraphTransformer
from graphkd.teachers.output import TeacherOutput
from graphkd.teachers.pyg import PyG
from graphkd.teachers.sage import SAGE
from graphkd.teachers.sgc import SGC
from graphkd.teachers.vqgraph import VQGraph

__all__ = [
    "APPNP",
    "GAT",
    "GCN",
    "GCNII",
    "SAGE",
    "SGC",
    "GraphTransformer",
    "PyG",
    "Teacher",
    "TeacherOutput",
    "VQGraph",
]
