"""Batches of a teacher's training steps: the whole graph, sampled neighbourhoods, or some partitions."""

from graphkd.training.teacher_batches.base import Batches
from graphkd.training.teacher_batches.full import Checkpointed, Full
from graphkd.training.teacher_batches.neighbours import Neighbours
from graphkd.training.teacher_batches.partitions import Partitions

WAYS: dict[str, type[Batches]] = {way.name: way for way in (Full, Checkpointed, Neighbours, Partitions)}
"""By name, the values of ``training.teacher_batches``."""

__all__ = ["WAYS", "Batches", "Checkpointed", "Full", "Neighbours", "Partitions"]
