"""A trained encoder in torch, as transformers loads it: the model that the peers run or convert."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, ElectraConfig, ElectraModel, ElectraPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import logging as transformers_logging

if TYPE_CHECKING:
    from pathlib import Path

INPUTS = ("input_ids", "attention_mask")
_EXAMPLE = (2, 16)
"""Batch and length to trace with."""


class _SwishGlu(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, 2 * width)

    def forward(self, hidden: Tensor) -> Tensor:
        value, gate = self.projection(hidden).chunk(2, dim=-1)
        return cast("Tensor", value * nn.functional.silu(gate))


class MeanPooledElectra(ElectraPreTrainedModel):  # type: ignore[no-untyped-call]
    """ELECTRA with the mean of its states and a SwishGLU head: the published ELECTRA classifier."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        assert (config.pooling, config.hidden_activation, config.num_layers) == ("mean", "SwishGLU", 2)
        width, hidden, classes = config.hidden_size, config.hidden_dim, len(config.id2label or ())
        self.electra = ElectraModel(config)
        shared, dropout = _SwishGlu(hidden), nn.Identity()
        first, second, last = nn.Linear(width, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, classes)
        self.classifier = nn.ModuleDict({"layers": nn.Sequential(first, shared, dropout, second, shared, dropout, last)})

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: object) -> SequenceClassifierOutput:
        """Return the logits, [batch, classes]."""
        states = self.electra(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.to(states.dtype)
        mean = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        # As rows of a batch the head's products become Gemm nodes, two of them with one weight, which quantize_dynamic turns
        # round once for each, and then writes a file that does not load.
        return SequenceClassifierOutput(logits=self.classifier["layers"](mean[:, None])[:, 0])


class OnlyLogits(nn.Module):
    """A model of transformers for the exporters: from ids and mask to logits."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - transformers' are untyped
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the logits, [batch, classes]."""
        return cast("Tensor", self.model(input_ids=input_ids, attention_mask=attention_mask).logits)


def read_config(checkpoint: Path) -> dict[str, Any]:
    """Return the contents of a checkpoint's config.json."""
    return cast("dict[str, Any]", json.loads((checkpoint / "config.json").read_text(encoding="utf-8")))


def load_model(checkpoint: Path, dtype: str = "float32") -> Any:  # noqa: ANN401 - transformers' are untyped
    """Load a checkpoint as a model of transformers."""
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    kind = getattr(torch, dtype)
    if read_config(checkpoint)["architectures"] != ["ElectraClassifier"]:
        return AutoModelForSequenceClassification.from_pretrained(checkpoint, dtype=kind).eval()
    model = MeanPooledElectra(ElectraConfig.from_pretrained(checkpoint))
    missing, unexpected = model.load_state_dict(load_file(checkpoint / "model.safetensors"), strict=False)
    assert not unexpected, unexpected
    allowed = ("classifier.layers.4.projection.", "electra.embeddings.position_ids")  # the first is stored as layers.1
    assert all(name.startswith(allowed) for name in missing), missing
    return model.to(kind).eval()


def example() -> dict[str, Tensor]:
    """Return inputs to trace with."""
    return {name: torch.ones(_EXAMPLE, dtype=torch.int64) for name in INPUTS}
