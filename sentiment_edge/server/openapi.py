"""The server's OpenAPI document, after https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, get_args

from sentiment_edge_runtimes.vocabulary import METHOD_CHOICES, Method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge.server.limits import Limits

_ALWAYS = {
    "400": "The request is not one of HTTP, or broke off",
    "403": "The host is not this server's, or pages of this origin may not ask",
    "408": "The request did not arrive in time",
    "431": "The request's line and headers are too long",
    "500": "The server or its engine failed",
    "503": "Too many connections are open, the server is ending, or it could not answer in time",
}
_REFUSALS = {
    "413": "The request is too large, or has too many texts",
    "415": "The request is neither JSON in UTF-8 nor that in gzip",
    "422": "The request was not understood, or the model cannot answer the text",
    "429": "Too many texts are waiting",
}
_TEXT = {"type": "string", "pattern": "\\S"}
_NOTHING: dict[str, Any] = {
    "sentiment": {"type": "null"},
    "score": {"type": "null"},
    "scores": {"type": "object", "maxProperties": 0},
    "truncated": {"const": False},
}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_METRICS = {kind: {"schema": {"type": "string"}} for kind in ("text/plain", "application/openmetrics-text")}


def openapi(labels: Sequence[str], limits: Limits, root_path: str = "") -> dict[str, Any]:
    """Return the document as JSON values; `root_path` is the prefix that a proxy puts before each path."""
    several = {"type": "array", "items": _TEXT, "description": f"At most {limits.texts}, else the answer is 413"}
    answers = {"oneOf": [_ref("Prediction"), _ref("Predictions")]}
    predicted = {"text": {"oneOf": [_TEXT, several]}}
    explained = {"text": _TEXT, "method": {"enum": [*METHOD_CHOICES, None], "default": "auto"}}
    about = "Label a text, and show which of its words speak for the label, or how much attention each token got"
    paths: dict[str, Any] = {
        "/predict": {"post": _operation("predict", "Label a text, or each of several", predicted, answers)},
        "/explain": {"post": _operation("explain", about, explained, _ref("Explanation"))},
        "/healthz": _lookup("health", "Whether the server lives, and with which model", _content(_ref("Health"))),
        "/readyz": _lookup("ready", "Whether it takes requests; 503 where it is stopping", _content(_ref("Ready"))),
        "/metrics": _lookup("metrics", "Counts of its work, for Prometheus", _METRICS),
        "/openapi.json": _lookup(
            "describe", "This description", _content({"type": "object", "required": ["openapi", "paths"]})
        ),
        "/": _lookup("page", "A page to try texts on", {"text/html": {"schema": {"type": "string"}}}),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "sentiment-edge", "version": version("sentiment-edge")},
        "servers": [{"url": root_path or "/"}],
        "paths": paths,
        "components": {"schemas": _schemas(labels)},
    }


def _operation(name: str, about: str, asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    request = {"type": "object", "required": ["text"], "properties": asked}
    packed = "JSON in UTF-8; with Content-Encoding: gzip, packed so"
    body = {"required": True, "description": packed, "content": _content(request)}
    return {"operationId": name, "summary": about, "requestBody": body, "responses": _responses(_content(answer), _REFUSALS)}


def _lookup(name: str, about: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"operationId": name, "summary": about, "responses": _responses(content, {})}}


def _responses(content: dict[str, Any], refusals: dict[str, str]) -> dict[str, Any]:
    errors = {status: {"description": why, "content": _content(_ref("Error"))} for status, why in (_ALWAYS | refusals).items()}
    return {"200": {"description": "The answer", "content": content}, **dict(sorted(errors.items()))}


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
        "Health": _object(
            {
                "status": {"enum": ["ok", "stopping"]},
                **{name: {"type": "string"} for name in ("bundle", "family", "precision")},
                "labels": {"type": "array", "items": {"type": "string"}},
                "attention": {"type": "boolean"},
            }
        ),
        "Ready": _object({"status": {"const": "ready"}}),
        "Error": _object({"error": {"type": "string"}}),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
