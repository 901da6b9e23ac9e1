"""``/score`` and ``/top_k``: links between nodes of the served table."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from graphkd import __version__
from graphkd.deploy.server.body import JSON, body_of
from graphkd.deploy.server.errors import wrong
from graphkd.deploy.server.links_worker import LinksWorker
from graphkd.deploy.server.predict_api import RESPONSES
from graphkd.deploy.server.schema import Id, Listed, Some, read_as
from graphkd.errors import GraphKDError
from graphkd.links.pair_files import probabilities_of

Node = Id | str


class PairQuestion(BaseModel):
    """Pairs of nodes to score."""

    model_config = ConfigDict(strict=True, extra="allow")

    pairs: Some[Annotated[list[Node], Field(min_length=2, max_length=2)]] = Field(
        description="two ids of nodes each: those of the data, or row numbers where it has none"
    )


class PairAnswer(BaseModel):
    """The scores of all pairs, in the order of the request."""

    model: str
    scores: list[float] = Field(description="logits")
    probabilities: list[float] = Field(description="their sigmoids")
    milliseconds: float = Field(description="in the server, without the network")


class PartnerQuestion(BaseModel):
    """A node whose most likely partners are asked for."""

    model_config = ConfigDict(strict=True, extra="allow")

    node: Node = Field(description="its id")
    k: int = Field(10, ge=1, le=10_000, description="partners to find")
    exclude: Listed[Node] = Field(default_factory=list, description="ids that are not to be found: known partners")


class Partner(BaseModel):
    """A node that was found."""

    node: int | str
    score: float


class PartnerAnswer(BaseModel):
    """The most likely partners, best first."""

    model: str
    partners: list[Partner]
    milliseconds: float = Field(description="in the server, without the network")


def add_links_api(app: FastAPI, worker: LinksWorker) -> None:
    """Adds the routes ``/score``, ``/top_k``, ``/card`` and those of health."""

    def body(kind: type[BaseModel]) -> dict[str, Any]:
        return {"requestBody": {"required": True, "content": {JSON: {"schema": kind.model_json_schema()}}}}

    @app.post(
        "/score",
        summary="Scores of pairs of nodes",
        response_model=PairAnswer,
        responses=RESPONSES,
        openapi_extra=body(PairQuestion),
    )
    async def score(request: Request) -> JSONResponse:
        begin = time.perf_counter()
        async with body_of(request, worker.load, JSON) as content:
            question = read_as(PairQuestion, content)
            with worker.load.of_rows(len(question.pairs), "pairs"):
                scores = await asyncio.to_thread(_scores, worker, question.pairs)
        return JSONResponse(
            {
                "model": worker.name,
                "scores": scores.tolist(),
                "probabilities": probabilities_of(scores).tolist(),
                "milliseconds": _since(begin),
            }
        )

    @app.post(
        "/top_k",
        summary="The most likely partners of a node",
        response_model=PartnerAnswer,
        responses=RESPONSES,
        openapi_extra=body(PartnerQuestion),
    )
    async def top_k(request: Request) -> JSONResponse:
        begin = time.perf_counter()
        async with body_of(request, worker.load, JSON) as content:
            question = read_as(PartnerQuestion, content)
            with worker.load.of_rows(1, "node"):
                partners = await asyncio.to_thread(_partners, worker, question)
        return JSONResponse({"model": worker.name, "partners": partners, "milliseconds": _since(begin)})

    @app.get("/card", summary="What is served, and how it scored")
    async def card() -> JSONResponse:
        return JSONResponse(worker.card)

    @app.get("/healthz", summary="Whether the server runs")
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok", "version": __version__})


def _since(begin: float) -> float:
    return round(1e3 * (time.perf_counter() - begin), 3)


def _scores(worker: LinksWorker, pairs: list[list[Node]]) -> np.ndarray[Any, Any]:
    ends = [_numbers(worker, [pair[at] for pair in pairs], "pairs") for at in (0, 1)]
    found: np.ndarray[Any, Any] = worker.predictor.score(np.stack(ends, axis=1)).numpy()
    return found


def _partners(worker: LinksWorker, question: PartnerQuestion) -> list[dict[str, Any]]:
    own, out = _numbers(worker, [question.node], "node"), _numbers(worker, question.exclude, "exclude")
    others = worker.predictor.num_nodes - len(np.unique(np.concatenate([own, out])))
    if not others:
        raise wrong("exclude", "no node is left: exclude fewer")
    scores, found = worker.predictor.top_k(int(own[0]), min(question.k, others), out)
    named = worker.predictor.nodes.named(found)
    return [{"node": node, "score": score} for node, score in zip(named, scores.tolist(), strict=True)]


def _numbers(worker: LinksWorker, ids: list[Node], field: str) -> np.ndarray[Any, Any]:
    try:
        return worker.predictor.nodes.numbers(ids).numpy()
    except GraphKDError as error:
        raise wrong(field, str(error).removeprefix("ids: ")) from None
