"""The models that are known by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PACKAGED = Path(__file__).parent / "packaged"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A checkpoint that can be exported by a short name."""

    name: str
    family: str
    """Listed for the user; the export finds the family in the checkpoint's files."""
    licence: str
    about: str
    hub_id: str | None
    """The repository of its files on the Hugging Face Hub; None if they are part of this package."""
    version: str | None = None
    """Of the files that are part of this package."""

    @property
    def packaged_folder(self) -> Path:
        """The folder of its files in this package, if it is not on the Hub."""
        return _PACKAGED / self.name

    @property
    def card(self) -> str:
        """A description of a model of this package, in Markdown; empty for one on the Hub, which has its own card."""
        return "" if self.hub_id else (self.packaged_folder / "card.md").read_text("utf-8").strip()


KNOWN_MODELS = {
    model.name: model
    for model in (
        KnownModel(
            "gru-mini",
            "gru-attention",
            "Apache-2.0",
            "the default: English reviews, tweets, everyday sentences",
            None,
            version="2",
        ),
        KnownModel(
            "gru",
            "gru-attention",
            "GPL-3.0",
            "attention GRU: English, SST-2",
            "ericwei/attention-sentiment-classifier",
        ),
        KnownModel(
            "electra-base",
            "electra-classifier",
            "MIT",
            "ELECTRA base: English, negative, neutral, positive",
            "jbeno/electra-base-classifier-sentiment",
        ),
        KnownModel(
            "electra-large",
            "electra-classifier",
            "MIT",
            "ELECTRA large: English, negative, neutral, positive",
            "jbeno/electra-large-classifier-sentiment",
        ),
        KnownModel(
            "distilbert-imdb",
            "sequence-classification",
            "Apache-2.0",
            "DistilBERT: English film reviews",
            "Hansaht/Text_classification_model_1_pytorch",
        ),
        KnownModel(
            "sam",
            "burn-transformer",
            "not stated",
            "trained in Rust with Burn: English tweets, negative, neutral, positive",
            "WarriorsSami/sentiment-analysis-model",
        ),
    )
}
