"""What one step of a teacher sees: the whole graph, drawn neighbourhoods, or some parts."""

from graphkd.training.teacher_batches.base import Batches
from graphkd.training.teacher_batches.full import Checkpointed, Full
from graphkd.training.teacher_batches.neighbours import Neighbours
from graphkd.training.teacher_batches.partitions import Partitions

WAYS: dict[str, type[Batches]] = {way.name: way for way in (Full, Checkpointed, Neighbours, Partitions)}
"""By name, as ``training.teacher_batches`` has it."""

__all__ = ["WAYS", "Batches", "Checkpointed", "Full", "Neighbours", "Partitions"]
