"""Several processes that train one run together, started by ``torchrun``."""

from graphkd.distributed.barrier import LOST
from graphkd.distributed.launch import distributed_session, is_loss
from graphkd.distributed.shard import Shard, current_shard, shard_scope
from graphkd.distributed.world import World, world

__all__ = ["LOST", "Shard", "World", "current_shard", "distributed_session", "is_loss", "shard_scope", "world"]
