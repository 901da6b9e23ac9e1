"""``/v2``: the Open Inference Protocol, version 2, with its extension for binary tensors.

Source: https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from graphkd import __version__
from graphkd.deploy.server.body import BINARY, JSON, body_of
from graphkd.deploy.server.errors import RefusedError, wrong
from graphkd.deploy.server.model_state import FloatArray
from graphkd.deploy.server.models import VERSION, Model, found_model, models_of
from graphkd.deploy.server.predict_api import RESPONSES
from graphkd.deploy.server.schema import (
    InferenceRequest,
    InferenceResponse,
    InputTensor,
    Problem,
    WantedOutput,
    read_as,
)
from graphkd.deploy.server.tensors import SIZE, output_of
from graphkd.deploy.server.worker import Worker

HEADER = "Inference-Header-Content-Length"
"""Header with the length of a body's JSON in bytes; the tensors' data follows it."""

UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "no such model or version"}}


def add_inference(app: FastAPI, worker: Worker) -> None:
    """Adds the routes of inference, metadata and health."""
    models = models_of(worker.served)
    versioned = "/v2/models/{name}/versions/{version}"

    @app.post(
        "/v2/models/{name}/infer",
        summary="Outputs of a model",
        response_model=InferenceResponse,
        responses={**UNKNOWN, **RESPONSES},
        openapi_extra={"requestBody": _described()},
    )
    @app.post(f"{versioned}/infer", include_in_schema=False)
    async def infer(request: Request, name: str) -> Response:
        model = found_model(models, name, _version(request))
        async with body_of(request, worker.load, JSON, BINARY) as body:
            inference, tail = _read(body, request.headers.get(HEADER), model)
            tensor, field = _only(inference.inputs)
            count = model.count(tensor, field)
            with worker.load.of_rows(count, f"{field}.shape"):
                logits = await worker.batcher.logits(model.rows(tensor, field, tail))
        return _answer(inference, model, logits, field)

    @app.get("/healthz", summary="Whether the server runs")
    @app.get("/v2/health/live", summary="Whether the server runs")
    async def live() -> JSONResponse:
        return JSONResponse({"live": True})

    @app.get("/v2/health/ready", summary="Whether it can answer")
    async def ready() -> JSONResponse:
        return JSONResponse({"ready": True})

    @app.get("/v2", summary="What server this is")
    async def server() -> JSONResponse:
        return JSONResponse({"name": "graphkd", "version": __version__, "extensions": ["binary_tensor_data"]})

    @app.get("/v2/models/{name}", summary="Inputs and outputs of a model", responses=UNKNOWN)
    @app.get(versioned, include_in_schema=False)
    async def metadata(request: Request, name: str) -> JSONResponse:
        return JSONResponse(found_model(models, name, _version(request)).metadata)

    @app.get("/v2/models/{name}/ready", summary="Whether a model can answer", responses=UNKNOWN)
    @app.get(f"{versioned}/ready", include_in_schema=False)
    async def model_ready(request: Request, name: str) -> JSONResponse:
        return JSONResponse({"name": found_model(models, name, _version(request)).name, "ready": True})


def _version(request: Request) -> str:
    version: str = request.path_params.get("version", VERSION)
    return version


def _described() -> dict[str, Any]:
    """Returns the request body's description for ``/openapi.json``."""
    content = {
        JSON: {"schema": {"$ref": "#/components/schemas/InferenceRequest"}},
        BINARY: {"schema": {"type": "string", "format": "binary"}},
    }
    description = f"JSON; or JSON and tensors' bytes after it, with {HEADER}"
    return {"required": True, "description": description, "content": content}


def _read(body: bytes, header: str | None, model: Model) -> tuple[InferenceRequest, memoryview]:
    """Returns the JSON of a body and the bytes after it; a body of bytes alone is the model's one input."""
    if header is None:
        return read_as(InferenceRequest, body), memoryview(b"")
    if not (header.isascii() and header.isdecimal() and len(header) < 20):
        raise RefusedError(400, "give a whole number of bytes", HEADER)
    size = int(header)
    if size > len(body):
        raise RefusedError(400, f"{size} bytes, and the body has {len(body)}", HEADER)
    if size:
        return read_as(InferenceRequest, body[:size]), memoryview(body)[size:]
    return _raw(len(body), model), memoryview(body)


def _raw(size: int, model: Model) -> InferenceRequest:
    """Builds the request of a body without JSON, per the extension: the model's datatype, all outputs binary."""
    (input_metadata,) = model.metadata["inputs"]
    per_row = 8 if model.width is None else 4 * model.width
    shape = [size // per_row, *input_metadata["shape"][1:]]
    tensor = InputTensor(
        name=input_metadata["name"],
        shape=shape,
        datatype=input_metadata["datatype"],
        parameters={SIZE: shape[0] * per_row},
    )
    return InferenceRequest(inputs=[tensor], parameters={"binary_data_output": True})


def _only(inputs: list[InputTensor]) -> tuple[InputTensor, str]:
    if len(inputs) > 1:
        raise wrong("inputs.1", "a model has one input: leave the others out")
    return inputs[0], "inputs.0"


def _answer(asked: InferenceRequest, model: Model, logits: FloatArray, field: str) -> Response:
    """Builds the response with the requested outputs, or all."""
    binary = asked.parameters.get("binary_data_output") is True
    values = _outputs(model, logits, field)
    outputs = asked.outputs or [WantedOutput(name=name) for name in values]
    results = []
    for index, output in enumerate(outputs):
        if output.name not in values:
            raise wrong(f"outputs.{index}.name", f"{output.name[:50]!r} is none of {', '.join(values)}")
        results.append(
            output_of(output.name, values[output.name], output.parameters.get("binary_data", binary) is True)
        )
    tensors, parts = [tensor for tensor, _ in results], [content for _, content in results]
    response = InferenceResponse(model_name=model.name, model_version=VERSION, id=asked.id, outputs=tensors)
    head = response.model_dump_json(exclude_none=True).encode()
    if not any(parts):
        return Response(head, media_type=JSON)
    return Response(b"".join([head, *parts]), media_type=BINARY, headers={HEADER: str(len(head))})


def _outputs(model: Model, logits: FloatArray, field: str) -> dict[str, NDArray[Any]]:
    return model.served.model.answers.tensors(logits, model.served.scores_of(logits, f"{field}.data"))
