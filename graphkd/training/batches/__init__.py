"""What one step of a teacher sees: the whole graph, drawn neighbourhoods, or some parts."""

from graphkd.training.batches.base import Batches
from graphkd.training.batches.full import Checkpointed, Full
from graphkd.training.batches.neighbours import Neighbours
from graphkd.training.batches.partitions import Partitions

WAYS: dict[str, type[Batches]] = {way.name: way for way in (Full, Checkpointed, Neighbours, Partitions)}
"""By name, as ``training.teacher_batches`` has it."""

__all__ = ["WAYS", "Batches", "Checkpointed", "Full", "Neighbours", "Partitions"]
