"""Several processes that train one run together, started by ``torchrun``."""

from graphkd.distributed.gate import LOST
from graphkd.distributed.part import Part, at_hand, part_of
from graphkd.distributed.start import is_loss, several_processes
from graphkd.distributed.world import World, world

__all__ = ["LOST", "Part", "World", "at_hand", "is_loss", "part_of", "several_processes", "world"]
