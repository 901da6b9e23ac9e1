"""Error responses."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse


class RefusedError(Exception):
    """A request that is refused with an error response.

    Args:
        status: of the response.
        message: one line: what is wrong, what to do.
        field: the invalid field of the request, such as ``rows.0.3``.
        retry: seconds for the header ``Retry-After``.
    """

    def __init__(self, status: int, message: str, field: str | None = None, retry: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.field, self.retry = status, message, field, retry

    @property
    def response(self) -> JSONResponse:
        """``{"error": …, "field": …}``: the response that the Open Inference Protocol requires, and the field."""
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
    """Returns the error of an invalid field of the request."""
    return RefusedError(422, message, field)
