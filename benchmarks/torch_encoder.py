"""A trained encoder in torch, as transformers loads it: the module that the peers run or convert."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from safetensors import safe_open
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, ElectraModel
from transformers.utils import logging as transformers_logging

if TYPE_CHECKING:
    from pathlib import Path


class Classifier(nn.Module):
    """A transformers model that gives logits, or one that gives states with the ELECTRA classifier's pooling and head."""

    def __init__(self, encoder: Any, head: nn.Module | None = None) -> None:  # noqa: ANN401 - transformers' are untyped
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the logits, [batch, classes]."""
        outputs = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        if self.head is None:
            return cast("Tensor", outputs.logits)
        mask = attention_mask.to(outputs.last_hidden_state.dtype)
        mean = (outputs.last_hidden_state * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        # As rows of a batch the head's products become Gemm nodes, two of them with one weight, which quantize_dynamic turns
        # round once for each, and then writes a file that does not load.
        return cast("Tensor", self.head(mean[:, None])[:, 0])


class _SwishGlu(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, 2 * width)

    def forward(self, hidden: Tensor) -> Tensor:
        value, gate = self.projection(hidden).chunk(2, dim=-1)
        return cast("Tensor", value * nn.functional.silu(gate))


def read_config(checkpoint: Path) -> dict[str, Any]:
    """Return the contents of a checkpoint's config.json."""
    return cast("dict[str, Any]", json.loads((checkpoint / "config.json").read_text(encoding="utf-8")))


def load_torch(checkpoint: Path) -> Classifier:
    """Load a checkpoint as a module that takes ids and mask and returns logits."""
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    config = read_config(checkpoint)
    if config["model_type"] != "electra":
        return Classifier(AutoModelForSequenceClassification.from_pretrained(checkpoint)).eval()
    return Classifier(ElectraModel.from_pretrained(checkpoint), _load_electra_head(checkpoint, config)).eval()


def _load_electra_head(checkpoint: Path, config: dict[str, Any]) -> nn.Module:
    assert (config["pooling"], config["hidden_activation"], config["num_layers"]) == ("mean", "SwishGLU", 2)
    width, hidden, classes = config["hidden_size"], config["hidden_dim"], len(config["id2label"])
    shared, dropout = _SwishGlu(hidden), nn.Identity()
    layers = (nn.Linear(width, hidden), shared, dropout, nn.Linear(hidden, hidden), shared, dropout, nn.Linear(hidden, classes))
    head, prefix = nn.Sequential(*layers), "classifier.layers."
    with safe_open(checkpoint / "model.safetensors", "pt") as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - not a dict
        stored = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
    missing, unexpected = head.load_state_dict(stored, strict=False)
    assert not unexpected
    assert {*missing} <= {"4.projection.weight", "4.projection.bias"}  # what is shared is stored once, as 1.projection
    return head
