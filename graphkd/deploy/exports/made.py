"""Result of an export."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphkd.deploy.exports.parity import Parity


@dataclass(frozen=True)
class Export:
    """Files and parity of an export that passed its check.

    Args:
        files: name relative to the bundle → content.
        parity: by precision.
        remarks: messages for the user.
    """

    files: dict[str, bytes]
    parity: dict[str, Parity]
    remarks: list[str] = field(default_factory=list)
