"""What a student is given: how its inputs come from a graph's features."""

from graphkd.features.propagation import Propagation

__all__ = ["Propagation"]
