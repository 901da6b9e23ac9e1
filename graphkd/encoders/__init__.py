"""Encoders: what a student is given of a graph, and what its bundle replays; each composes with every method."""

from graphkd.encoders.auto import Auto
from graphkd.encoders.base import Encoder
from graphkd.encoders.encoding import Encoding
from graphkd.encoders.labels import Labels
from graphkd.encoders.positions import Positions
from graphkd.encoders.propagated import Propagated
from graphkd.encoders.propagation import Propagation
from graphkd.encoders.raw import Raw
from graphkd.encoders.vectors import NodeVectors

__all__ = ["Auto", "Encoder", "Encoding", "Labels", "NodeVectors", "Positions", "Propagated", "Propagation", "Raw"]
