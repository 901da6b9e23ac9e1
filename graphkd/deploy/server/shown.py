"""What a bundle says of itself, as JSON can say it."""

from __future__ import annotations

import json
import math
from typing import Any

from graphkd.errors import GraphKDError


def shown(value: dict[str, Any], folder: object) -> dict[str, Any]:
    """Without numbers that are none, which no JSON has.

    Args:
        value: of a bundle and its run.
        folder: that it comes from, for the error message.

    Raises:
        GraphKDError: texts that are no Unicode, or lists in lists without an end.
    """
    try:
        found: dict[str, Any] = _finite(value)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
        raise GraphKDError(
            f"{folder} has a card, names or scores that cannot be shown ({type(error).__name__}): make it again"
        ) from None
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
