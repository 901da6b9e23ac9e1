"""``/predict``: classes, with their names, of rows or nodes."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractContextManager
from typing import Any, cast

import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse

from graphkd.deploy.server.body import JSON, body_of
from graphkd.deploy.server.errors import wrong
from graphkd.deploy.server.model_state import FloatArray, ModelState
from graphkd.deploy.server.named import aligned, check_names_once
from graphkd.deploy.server.schema import Answer, Problem, Question, read_as
from graphkd.deploy.server.worker import Worker

RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "no JSON, or half a request"},
    401: {"model": Problem, "description": "no bearer token, where the server wants one"},
    408: {"model": Problem, "description": "the body did not come in time"},
    413: {"model": Problem, "description": "a body or a number of rows beyond the limit"},
    415: {"model": Problem, "description": "another type of content, or packed content"},
    422: {"model": Problem, "description": "a field that cannot be right, named"},
    429: {"model": Problem, "description": "too many rows are waiting"},
    503: {"model": Problem, "description": "too many requests are waiting, or the server is stopping"},
}
"""Error responses of the routes that take a body."""


def add_predict_api(app: FastAPI, worker: Worker) -> None:
    """Adds the routes ``/predict`` and ``/card``."""
    body_schema = {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Question"}}}}

    @app.post(
        "/predict",
        summary="Classes and probabilities, labels or numbers of rows or nodes",
        response_model=Answer,
        responses=RESPONSES,
        openapi_extra={"requestBody": body_schema},
    )
    async def predict(request: Request) -> JSONResponse:
        begin = time.perf_counter()
        async with body_of(request, worker.load, JSON) as body:
            question = read_as(Question, body)
            with _counted(question, worker):
                if question.neighbours is None:
                    rows, field = _rows(question, worker.served)
                else:  # in a thread, since it gathers neighbours for every row
                    rows, field = await asyncio.to_thread(_rows, question, worker.served)
                if is_named(question):
                    check_names_once(body)
                logits = await worker.batcher.logits(rows)
        scores = worker.served.scores_of(logits, field)
        return JSONResponse(
            {
                "model": worker.served.name,
                "runtime": worker.served.model.runtime,
                "predictions": worker.served.model.answers.entries(logits, scores),
                "milliseconds": round(1e3 * (time.perf_counter() - begin), 3),
            }
        )

    @app.get("/card", summary="What is served, and how it scored")
    async def card() -> JSONResponse:
        return JSONResponse(worker.served.card)


def _counted(question: Question, worker: Worker) -> AbstractContextManager[None]:
    """Counts the request's rows as in progress until the block ends."""
    if (question.rows is None) == (question.nodes is None):
        raise wrong("rows", "give rows, or nodes, and not both")
    field = "rows" if question.nodes is None else "nodes"
    return worker.load.of_rows(len(question.rows or question.nodes or ()), field)


def _rows(question: Question, served: ModelState) -> tuple[FloatArray, str]:
    """Returns the student's input, and the request's field that it comes from."""
    for name in ("neighbours", "weights", "propagated", "columns"):
        if question.rows is None and getattr(question, name):
            raise wrong(name, "belongs to rows: leave it out")
    if question.nodes is not None:
        return served.stored(question.nodes, "nodes"), "nodes"
    if question.neighbours is None:
        if question.weights is not None:
            raise wrong("weights", "belongs to neighbours: leave it out")
        if question.propagated and served.model.parts.is_raw:
            raise wrong("propagated", "this student takes raw rows, there is nothing to propagate: leave it out")
        if question.propagated and question.columns is not None:
            raise wrong("columns", "names are those of raw features: leave them out")
        return served.rows(_table(question, served), "rows", question.propagated), "rows"
    if question.propagated:
        raise wrong("propagated", "rows that are propagated need no neighbours: leave one of them out")
    _check_lengths(question)
    return served.newcomers(_table(question, served), question.neighbours, question.weights, "rows"), "rows"


def _table(question: Question, served: ModelState) -> NDArray[np.float64]:
    """Returns ``[B, D]``, in training order if the request names its columns, or ``[B, D']``."""
    model, columns, rows = served.model, question.columns, question.rows or []
    if is_named(question):
        for name in ("columns", "propagated"):
            if getattr(question, name):
                raise wrong(name, "rows by name are raw features whose order is known: leave it out")
        return aligned(cast(list[dict[str, Any]], rows), model.columns)
    if model.columns.encoding is not None and not question.propagated:
        raise wrong("rows.0", "this student encodes columns by name: send objects, of which /docs has an example")
    width = model.width if question.propagated else model.num_features
    for index, row in enumerate(rows):
        if len(row) != (width if columns is None else len(columns)):
            expected = f"a row has {width} numbers" if columns is None else f"there are {len(columns)} columns"
            raise wrong(f"rows.{index}", f"{expected}, this one {len(row)}")
    table = np.array(rows, dtype=np.float64)
    return table if columns is None else table[:, served.positions(columns, "columns")]


def is_named(question: Question) -> bool:
    """Returns whether the rows of a request are objects by name."""
    return bool(question.rows) and isinstance((question.rows or [None])[0], dict)


def _check_lengths(question: Question) -> None:
    """Checks that there is a list of neighbours per row, and a weight per neighbour."""
    rows, neighbours, weights = question.rows or [], question.neighbours or [], question.weights
    if len(neighbours) != len(rows):
        raise wrong("neighbours", f"give a list per row, {len(rows)} and not {len(neighbours)}")
    if weights is not None and [len(each) for each in weights] != [len(each) for each in neighbours]:
        raise wrong("weights", "give a list per row, with a weight per neighbour")
