"""The closed sets of names that bundles, options and commands draw on, each in one place. Standard library only."""

from __future__ import annotations

from typing import Literal, get_args

EngineName = Literal["onnxruntime", "openvino"]
"""An engine, which executes a bundle; the first is the default. Each has a module of its name in `engines` and in the export's
`targets`."""
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
EngineChoice = Literal["auto", EngineName]
"""An engine, or `auto` for the one that suits the machine."""
ENGINE_CHOICES: tuple[EngineChoice, ...] = get_args(EngineChoice)
DEFAULT_ENGINE: EngineName = ENGINES[0]
REDUCING_ENGINES: frozenset[EngineName] = frozenset({"openvino"})
"""Engines that can compute in bfloat16 what is not int8."""

Warm = Literal[False, True, "background"]
"""Whether `load` starts the engine: before it returns, or in a thread."""

OnError = Literal["raise", "return"]
"""For a text that cannot be answered: raise its error, or return a `FailedPrediction` in its place."""
ON_ERROR: tuple[OnError, ...] = get_args(OnError)

Method = Literal["attention", "occlusion"]
"""A way to explain a prediction: by the attention that tokens got, or by what the model says without a word."""
MethodChoice = Literal["auto", Method]
"""A method, or `auto` for attention where the model has some and occlusion otherwise."""
METHOD_CHOICES: tuple[MethodChoice, ...] = get_args(MethodChoice)

Precision = Literal["fp32", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
InferencePrecision = Literal["f32", "bf16"]
INFERENCE_PRECISIONS: tuple[InferencePrecision, ...] = get_args(InferencePrecision)
ComputedIn = Literal["fp32", "bf16", "int8"]
"""The coarsest numbers that an engine uses for a bundle."""

PaddingChoice = Literal["packed", "padded"]
"""A reading of padding that an export may be asked for; the first is the default."""
PADDING_CHOICES: tuple[PaddingChoice, ...] = get_args(PaddingChoice)
Padding = Literal[PaddingChoice, "unpadded"]
"""A model's relation to padding; that it must run unpadded is found by the export, not chosen."""
PADDINGS: tuple[Padding, ...] = get_args(Padding)
Truncation = Literal["tokenizer", "plain"]
TRUNCATIONS: tuple[Truncation, ...] = get_args(Truncation)
Activation = Literal["softmax", "sigmoid"]
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)

Quantization = Literal["per-token", "static", "per-tensor"]
"""An origin of the scales of activations: each token's own or one of the whole batch, both found while a model runs, or
fixed ahead of time; the first is the default."""
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)
Scheme = Literal[Quantization, "weight-only"]
"""An engine's kind of int8: as above, or int8 weights with products in fp32."""
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
