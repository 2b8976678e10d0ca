"""The server's OpenAPI document, after https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, get_args

from sentiment_edge_runtimes.vocabulary import METHOD_CHOICES, Method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge.server.limits import Limits

_REFUSALS = {
    "400": "The request broke off",
    "408": "The request did not arrive in time",
    "413": "The request is too large, or has too many texts",
    "422": "The request was not understood, or the model cannot answer the text",
    "429": "Too many texts are waiting",
    "500": "The engine failed",
    "503": "The server is stopping, or could not answer in time",
}
_TEXT = {"type": "string", "pattern": "\\S"}
_NOTHING: dict[str, Any] = {
    "sentiment": {"type": "null"},
    "score": {"type": "null"},
    "scores": {"type": "object", "maxProperties": 0},
    "truncated": {"const": False},
}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def openapi(labels: Sequence[str], limits: Limits) -> dict[str, Any]:
    """Return the document as JSON values."""
    several = {"type": "array", "items": _TEXT, "description": f"At most {limits.texts}, else the answer is 413"}
    answers = {"oneOf": [_ref("Prediction"), _ref("Predictions")]}
    predicted = {"text": {"oneOf": [_TEXT, several]}}
    explained = {"text": _TEXT, "method": {"enum": list(METHOD_CHOICES), "default": "auto"}}
    about = "Label a text, and show which of its words speak for the label, or how much attention each token got"
    paths: dict[str, Any] = {
        "/predict": {"post": _operation("predict", "Label a text, or each of several", predicted, answers)},
        "/explain": {"post": _operation("explain", about, explained, _ref("Explanation"))},
        "/healthz": {"get": _lookup("health", "Whether the server takes requests", {"type": "object", "required": ["status"]})},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "sentiment-edge", "version": version("sentiment-edge")},
        "paths": paths,
        "components": {"schemas": _schemas(labels)},
    }


def _operation(name: str, about: str, asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    request = {"type": "object", "required": ["text"], "properties": asked}
    refusals = {status: {"description": why, "content": _content(_ref("Error"))} for status, why in _REFUSALS.items()}
    return {
        "operationId": name,
        "summary": about,
        "requestBody": {"required": True, "content": _content(request)},
        "responses": {"200": {"description": "The answer", "content": _content(answer)}, **refusals},
    }


def _lookup(name: str, about: str, answer: dict[str, Any]) -> dict[str, Any]:
    stopping = {"description": _REFUSALS["503"], "content": _content(_ref("Error"))}
    responses = {"200": {"description": "The answer", "content": _content(answer)}, "503": stopping}
    return {"operationId": name, "summary": about, "responses": responses}


def _schemas(labels: Sequence[str]) -> dict[str, Any]:
    prediction = {
        "sentiment": {"enum": list(labels)},
        "score": _SHARE,
        "scores": _object(dict.fromkeys(labels, _SHARE)),
        "truncated": {"type": "boolean"},
    }
    place = {"type": "integer", "minimum": 0}
    weight = {"type": "number", "minimum": -1, "maximum": 1}
    token = _object({"token": {"type": "string"}, "weight": weight, "start": place, "end": place})
    reasons = {
        "method": {"enum": list(get_args(Method))},
        "runs": {"type": "integer", "minimum": 1},
        "tokens": {"type": "array", "items": token},
    }
    return {
        "Prediction": _object(prediction),
        "Failure": _object({**_NOTHING, "error": {"type": "string"}}),
        "Predictions": _object({"predictions": {"type": "array", "items": {"oneOf": [_ref("Prediction"), _ref("Failure")]}}}),
        "Explanation": _object({**prediction, **reasons}),
        "Error": _object({"error": {"type": "string"}}),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
