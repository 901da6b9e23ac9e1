"""The encoder that a method is published with."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.encoders.base import Encoder


@dataclass(frozen=True)
class Auto(Encoder):
    """The method's own: ``propagated`` with ``method.hops`` for InfGraND, raw rows for most.

    Source: none

    >>> Auto().name
    'auto'
    """

    name = "auto"
