"""A line per request."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from starlette.types import Scope


def write_access(scope: Scope, status: int, seconds: float) -> None:
    """Writes a request as a line of JSON to the standard output: nothing of its body or its headers.

    Args:
        scope: of the request, as the client sent it.
        status: of the response.
        seconds: from the request's head to the end of its answer.
    """
    client = scope.get("client")
    line: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "client": client[0] if client else None,
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(1000 * seconds, 3),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
