"""A model that reads fewer tokens than it could: at most a number of the user's choice, or exactly that number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sentiment_edge_export.torch_classifier import TorchClassifier, TracedForm, lengths_up_to
from sentiment_edge_runtimes.errors import OptionError
from sentiment_edge_runtimes.limits import SHORTEST

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
    from sentiment_edge_export.options import GraphOptions


def restrict_length(classifier: TorchClassifier, tokenizer: CheckpointTokenizer, options: GraphOptions) -> TorchClassifier:
    """Return the classifier restricted to the length that is chosen, if one is.

    Raises:
        OptionError: the model or its tokenizer cannot do with that length.
    """
    name, length = ("fixed_length", options.fixed_length) if options.fixed_length else ("max_length", options.max_length)
    if length is None:
        return classifier
    _check(name, length, classifier, tokenizer)

    def make_form(fused: bool) -> TracedForm:  # noqa: FBT001 - as `TorchClassifier` has it
        form = classifier.make_form(fused)
        shorter = () if options.fixed_length or classifier.grid(form) is None else form.lengths
        return replace(form, lengths=lengths_up_to(length, shorter))

    return replace(classifier, max_length=length, make_form=make_form)


def _check(name: str, length: int, classifier: TorchClassifier, tokenizer: CheckpointTokenizer) -> None:
    if length > classifier.max_length:
        raise OptionError(name, f"{length} tokens; this model takes {SHORTEST} to {classifier.max_length}")
    if classifier.padding == "padded" and length != classifier.max_length:
        raise OptionError(name, f"{length} tokens; with `padding` padded this model takes {classifier.max_length} only")
    if classifier.padding == "unpadded" and name == "fixed_length":
        raise OptionError(
            name,
            "this model's answers depend on padding, so it cannot be padded to one length; leave it out, or set `max_length`",
        )
    special = tokenizer.library.num_special_tokens_to_add(is_pair=False)
    if special >= length:
        raise OptionError(name, f"{length} tokens; the tokenizer alone adds {special} to each text")
