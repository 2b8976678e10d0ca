"""The activations of Burn transformers, by the names of Burn's ActivationConfig."""

from __future__ import annotations

from torch import nn

ACTIVATIONS = {
    "Gelu": nn.GELU(),
    "GeluApproximate": nn.GELU("tanh"),
    "HardSwish": nn.Hardswish(),
    "Relu": nn.ReLU(),
    "Sigmoid": nn.Sigmoid(),
    "Tanh": nn.Tanh(),
}
