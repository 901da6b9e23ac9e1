"""What a request is told that is not answered."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse


class RefusedError(Exception):
    """A request that is not answered.

    Args:
        status: of the response.
        message: one line: what is wrong, what to do.
        field: of the request that is wrong, such as ``rows.0.3``.
        retry: seconds after which it may be tried again.
    """

    def __init__(self, status: int, message: str, field: str | None = None, retry: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.field, self.retry = status, message, field, retry

    @property
    def response(self) -> JSONResponse:
        """``{"error": …, "field": …}``, which is what the Open Inference Protocol asks for, and the field."""
        headers = {} if self.retry is None else {"Retry-After": str(self.retry)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status == 408:  # the rest of the body may never come
            headers["Connection"] = "close"
        text = self.message if self.field is None else f"{self.field}: {self.message}"
        content: dict[str, Any] = {"error": text}
        if self.field is not None:
            content["field"] = self.field
        return JSONResponse(content, self.status, headers)


def wrong(field: str, message: str) -> RefusedError:
    """A part of the request that cannot be right."""
    return RefusedError(422, message, field)
