"""The OpenAPI document: bodies that routes parse themselves, and the student's names, columns and classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from graphkd.deploy.server.columns import MOST, row_schema
from graphkd.deploy.server.model_state import ModelState
from graphkd.deploy.server.models import models_of
from graphkd.deploy.server.schema import InferenceRequest, Question
from graphkd.deploy.server.tensors import DATATYPES


def documented(app: FastAPI, served: ModelState) -> Callable[[], dict[str, Any]]:
    """Returns a function that extends FastAPI's OpenAPI document, once.

    Args:
        app: with all its routes.
        served: the student.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = generate()
        schemas = document["components"]["schemas"]
        schemas.update(_bodies(served))
        if served.card["class_names"] is not None and served.num_classes <= MOST:
            schemas["Prediction"]["properties"]["name"]["anyOf"][0]["enum"] = served.card["class_names"]
        schemas["Prediction"]["properties"]["class"]["maximum"] = served.num_classes - 1
        names = list(models_of(served))
        for methods in document["paths"].values():
            for operation in methods.values():
                for parameter in operation.get("parameters", ()):
                    parameter["schema"]["enum"] = names  # the only path parameter is the model's name
        return document

    return openapi


def _bodies(served: ModelState) -> dict[str, Any]:
    """Returns the schemas of request bodies, which routes parse themselves."""
    schemas: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (Question, "validation"),
        (InferenceRequest, "validation"),
    ]
    bodies: dict[str, Any] = models_json_schema(schemas, ref_template="#/components/schemas/{model}")[1]["$defs"]
    question, model = bodies["Question"], served.model
    lists, objects = question["properties"]["rows"]["anyOf"][:2]
    lists["items"]["minItems"], lists["items"]["maxItems"] = model.num_features, model.width
    objects["items"] = row_schema(model.columns) or {
        **objects["items"],
        "description": "by the names in /card"
        if model.columns.names
        else "not taken: this student knows no names",
    }
    if served.card["example"] is not None:
        question["examples"] = [served.card["example"]]
    if served.node_ids is not None:
        question["properties"]["nodes"]["description"] += f"; here every id is a {KINDS[served.node_ids]}"
    bodies["InputTensor"]["properties"]["datatype"]["enum"] = list(DATATYPES)
    return bodies


KINDS = {"text": "text", "number": "whole number", "both": "text or a whole number"}
"""Kind of a store's ids → its name."""
