"""Schemas of request and response bodies, for validation and for ``/openapi.json``."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from graphkd.deploy.server.errors import RefusedError

Number = Annotated[float, Field(allow_inf_nan=False)]
Id = Annotated[int, Field(ge=0, lt=2**63)]

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

Listed = Annotated[list[T], Field(fail_fast=True)]
"""A list whose validation stops at the first error, as a million errors would be a million messages."""

Some = Annotated[list[T], Field(fail_fast=True, min_length=1)]
"""The same with at least one item."""

Named = dict[str, Any]
"""A row by name; its values are checked against the student's columns, see ``named.py``."""

MOST_TENSORS = 16
"""Largest number of tensors in a request."""


class Question(BaseModel):
    """Rows to classify: features, or ids of nodes in the store."""

    model_config = ConfigDict(strict=True, extra="allow")  # so that one message is enough, see ``read_as``

    rows: Some[Listed[Number]] | Some[Named] | None = Field(
        None,
        description="features of each row: lists of numbers, or objects by name",
        union_mode="left_to_right",
    )
    columns: Listed[str] | None = Field(
        None,
        description="names of the features in each row, taken by name; without them by position",
        min_length=1,
    )
    propagated: bool = Field(
        False, description="the rows are prepared already; where the student has hops or positions"
    )
    neighbours: Some[Listed[Id | str]] | None = Field(
        None, description="of each row, ids in the store: the row is that of a node which is not in it"
    )
    weights: Listed[Listed[Number]] | None = Field(
        None, description="of the edges to the neighbours, where edges have weights", min_length=1
    )
    nodes: Some[Id | str] | None = Field(
        None,
        description="ids in the store, instead of rows: those of the data, or numbers where it has none",
    )


class Prediction(BaseModel):
    """The prediction for a row."""

    model_config = ConfigDict(populate_by_name=True)

    class_: int | None = Field(None, alias="class", description="the most probable class")
    name: str | None = Field(None, description="its name, where classes have names")
    probability: float | None = Field(None, description="its probability")
    probabilities: list[float] | None = Field(None, description="of every class, or of every label")
    labels: list[int | str] | None = Field(None, description="where a row has several: those of it")
    values: dict[str, float] | None = Field(None, description="where numbers are predicted: by their names")


class Answer(BaseModel):
    """The predictions for all rows, in the order of the request."""

    model: str
    runtime: str
    predictions: list[Prediction]
    milliseconds: float = Field(description="in the server, without the network")


class Problem(BaseModel):
    """The reason why a request was refused."""

    error: str
    field: str | None = Field(None, description="of the request that is wrong")


class InputTensor(BaseModel):
    """A tensor of a request; its entries are ``data``, or bytes after the JSON."""

    model_config = ConfigDict(strict=True)

    name: str
    shape: Listed[Id] = Field(max_length=8)
    datatype: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: list[Any] | None = None


class WantedOutput(BaseModel):
    """A requested output tensor."""

    model_config = ConfigDict(strict=True)

    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class InferenceRequest(BaseModel):
    """A request of the Open Inference Protocol."""

    model_config = ConfigDict(strict=True)

    id: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    inputs: Listed[InputTensor] = Field(min_length=1, max_length=MOST_TENSORS)
    outputs: Listed[WantedOutput] = Field(default_factory=list, max_length=MOST_TENSORS)


class OutputTensor(BaseModel):
    """A tensor of a response."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None


class InferenceResponse(BaseModel):
    """A response of the Open Inference Protocol."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


def read_as(kind: type[M], body: bytes) -> M:
    """Parses JSON and validates it against a schema.

    Raises:
        RefusedError: 400, it is not JSON; 422, with the first invalid field.
    """
    try:
        parsed = kind.model_validate_json(body)
        for name in parsed.model_extra or ():
            raise RefusedError(422, f"there is no such field: it has {', '.join(kind.model_fields)}", name[:50])
        return parsed
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
    first = errors[0]
    if first["type"] == "json_invalid":
        raise RefusedError(400, f"the body is no JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
    location, message = _location(first, kind), first["msg"].lower()
    if kind is Question and location[:1] == ("rows",) and len(location) == 2:
        location, message = _of_rows(errors)
    raise RefusedError(422, message, ".".join(map(str, location)) or "body")


def _location(error: ErrorDetails, kind: type[BaseModel] = Question) -> tuple[int | str, ...]:
    """Returns the place of an error in the request, without the labels of the kinds in a union."""
    location = error["loc"]
    if not location or kind is InferenceRequest or location[0] not in kind.model_fields:
        return location
    return (location[0], *(part for part in location[1:] if isinstance(part, int)))


def _of_rows(errors: list[ErrorDetails]) -> tuple[tuple[int | str, ...], str]:
    """Returns place and message of a row that is not of the kind, list or object, of row 0."""
    places = [_location(error) for error in errors[:2]]  # as a list of lists, and as one of objects
    if places[0] == places[-1]:
        return places[0], f"{errors[0]['msg'].lower()}, or an object by name"
    at = int(places[0][1:] == (0,))
    return places[at], f"{errors[at]['msg'].lower()}, as row 0 is: give rows of one kind"
