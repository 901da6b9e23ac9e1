"""Graph neural networks: features ``[N, F]`` and a graph → ``TeacherOutput(logits [N, C], hops)``."""

from graphkd.teachers.base import Teacher
from graphkd.teachers.gat import GAT
from graphkd.teachers.gcn import GCN
from graphkd.teachers.output import TeacherOutput
from graphkd.teachers.sage import SAGE
from graphkd.teachers.vqgraph import VQGraph

__all__ = ["GAT", "GCN", "SAGE", "Teacher", "TeacherOutput", "VQGraph"]
