"""The closed sets of names that a bundle, the options and the command line draw on. Standard library only."""

from __future__ import annotations

from typing import Literal, get_args

EngineName = Literal["onnxruntime", "openvino"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
Precision = Literal["fp32", "int8"]
InferencePrecision = Literal["f32", "bf16"]
ComputedIn = Literal["fp32", "bf16", "int8"]
Padding = Literal["packed", "padded"]
Truncation = Literal["tokenizer", "plain"]
Quantization = Literal["per-token", "per-tensor"]
Activation = Literal["softmax", "sigmoid"]
