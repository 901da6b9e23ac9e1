"""What an export gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphkd.deploy.exports.parity import Parity


@dataclass(frozen=True)
class Export:
    """An export that passed its gate.

    Args:
        files: name relative to the bundle → content.
        parity: by precision.
        remarks: lines for a user.
    """

    files: dict[str, bytes]
    parity: dict[str, Parity]
    remarks: list[str] = field(default_factory=list)
