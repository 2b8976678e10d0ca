"""Closed sets of names in options, and defaults that help texts show: a command line imports them without the rest."""

from typing import Literal

Norm = Literal["first", "last"]
"""The place of layer normalization in a Burn transformer: on the input of each layer, or on its output."""
QuietSoftmax = Literal["off", "legacy", "softmax1"]
"""The softmax over attention scores in a Burn transformer: the ordinary one, Burn's quiet softmax up to 0.19, or that since."""
DEFAULT_FP32_SHARE = 0.25
"""The most of an int8 model's weights that stay fp32 where its bounds ask for it."""
