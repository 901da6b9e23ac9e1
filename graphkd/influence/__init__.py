"""Node weights ``[N]`` in [0, 1]: how much a node's loss terms count."""

from graphkd.influence._infgrand import infgrand
from graphkd.influence._uniform import uniform

__all__ = ["infgrand", "uniform"]
