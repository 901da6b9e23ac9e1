"""The encoder that a method is published with."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.encoders.base import Encoder


@dataclass(frozen=True)
class Auto(Encoder):
    """The method's own: ``propagated`` with ``method.hops`` for InfGraND, raw rows for most.

    Source: none

    >>> from graphkd.methods import InfGraND
    >>> Auto().name, InfGraND(hops=3).encoder()
    ('auto', Propagated(hops=3, self_loops=1, pooling='mean'))
    """

    name = "auto"
