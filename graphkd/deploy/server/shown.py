"""Conversion of a bundle's card, names and scores to valid JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from graphkd.errors import GraphKDError


def shown(value: dict[str, Any], folder: object) -> dict[str, Any]:
    """Replaces NaN and infinite numbers, which JSON does not have, by null.

    Args:
        value: description of a bundle and its run.
        folder: its path, for the error message.

    Raises:
        GraphKDError: a string is not valid Unicode, or lists are nested too deeply.
    """
    try:
        finite: dict[str, Any] = _finite(value)
        json.dumps(finite, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
        raise GraphKDError(
            f"{folder} has a card, names or scores that cannot be shown ({type(error).__name__}): make it again"
        ) from None
    return finite


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
