"""An encoder checkpoint of random weights in the layout that the real one is published in: the same files, names and shapes.

python tools/random_checkpoint.py --shape electra-large --vocab vocab.txt --output ../electra-large-random
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

if TYPE_CHECKING:
    from collections.abc import Mapping

Shapes = dict[str, tuple[int, ...]]

MAX_LENGTH = 512
SPECIAL = {"cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]", "sep_token": "[SEP]", "unk_token": "[UNK]"}

_ELECTRA = {
    "architectures": ["ElectraClassifier"],
    "attention_probs_dropout_prob": 0.1,
    "classifier_dropout": None,
    "dropout_rate": 0.3,
    "hidden_act": "gelu",
    "hidden_activation": "SwishGLU",
    "hidden_dim": 1024,
    "hidden_dropout_prob": 0.1,
    "id2label": {"0": "negative", "1": "neutral", "2": "positive"},
    "initializer_range": 0.02,
    "label2id": {"negative": 0, "neutral": 1, "positive": 2},
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": MAX_LENGTH,
    "model_type": "electra",
    "num_layers": 2,
    "pad_token_id": 0,
    "pooling": "mean",
    "position_embedding_type": "absolute",
    "summary_activation": "gelu",
    "summary_last_dropout": 0.1,
    "summary_type": "first",
    "summary_use_proj": True,
    "torch_dtype": "float32",
    "transformers_version": "4.37.1",
    "type_vocab_size": 2,
    "use_cache": True,
}
_DISTILBERT = {
    "_name_or_path": "distilbert-base-uncased",
    "activation": "gelu",
    "architectures": ["DistilBertForSequenceClassification"],
    "attention_dropout": 0.1,
    "dropout": 0.1,
    "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
    "initializer_range": 0.02,
    "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
    "max_position_embeddings": MAX_LENGTH,
    "model_type": "distilbert",
    "pad_token_id": 0,
    "problem_type": "single_label_classification",
    "qa_dropout": 0.1,
    "seq_classif_dropout": 0.2,
    "sinusoidal_pos_embds": False,
    "tie_weights_": True,
    "torch_dtype": "float32",
    "transformers_version": "4.31.0",
}


def _electra(layers: int, heads: int, width: int, **other: float) -> dict[str, Any]:
    sizes = {"embedding_size": width, "hidden_size": width, "intermediate_size": 4 * width}
    return {**_ELECTRA, **sizes, "num_hidden_layers": layers, "num_attention_heads": heads, **other}


def _distilbert(layers: int, heads: int, width: int, **other: float) -> dict[str, Any]:
    return {**_DISTILBERT, "n_layers": layers, "n_heads": heads, "dim": width, "hidden_dim": 4 * width, **other}


CONFIGS = {
    "electra-large": _electra(24, 16, 1024),
    "electra-base": _electra(12, 12, 768),
    "electra-tiny": _electra(2, 4, 64, hidden_dim=64, initializer_range=0.1),
    "distilbert": _distilbert(6, 12, 768),
    "distilbert-tiny": _distilbert(2, 4, 64, initializer_range=0.1),
}


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=CONFIGS, required=True)
    parser.add_argument("--vocab", type=Path, required=True, help="vocabulary of the uncased BERT, a word piece per line")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    pieces = arguments.vocab.read_text(encoding="utf-8").splitlines()
    config = {**CONFIGS[arguments.shape], "vocab_size": len(pieces)}
    arguments.output.mkdir(parents=True, exist_ok=True)
    _write_json(arguments.output / "config.json", config)
    _write_tokenizer(arguments.output, pieces, config["model_type"])
    _write_weights(arguments.output, config, arguments.seed)
    for path in sorted(arguments.output.iterdir()):
        print(f"{path}  {path.stat().st_size:,} bytes")


def _write_weights(folder: Path, config: Mapping[str, Any], seed: int) -> None:
    """ELECTRA was published as safetensors, DistilBERT as a pickle."""
    if config["model_type"] == "electra":
        weights = random_weights(electra_shapes(config), config["initializer_range"], seed)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        weights = random_weights(distilbert_shapes(config), config["initializer_range"], seed)
        torch.save(weights, folder / "pytorch_model.bin")


def random_weights(shapes: Shapes, deviation: float, seed: int) -> dict[str, torch.Tensor]:
    """Draw all weights around 0, the gains of norms around 1: no two tensors are equal, so no exporter merges them."""
    generator = torch.Generator().manual_seed(seed)
    weights = {
        name: torch.empty(shape).normal_(float(_is_gain(name)), _deviation(name, shape, deviation), generator=generator)
        for name, shape in shapes.items()
    }
    # Random logits nearly tie on every text, trained ones seldom do: the last bias decides, else agreement would count ties.
    last = list(weights)[-1]
    weights[last] += torch.linspace(1, -1, len(weights[last]))
    return weights


def _is_gain(name: str) -> bool:
    return name.lower().endswith(("layernorm.weight", "layer_norm.weight"))


def _deviation(name: str, shape: tuple[int, ...], usual: float) -> float:
    """Let the classifier's matrices keep the size of what passes through: else all texts would get the same logits."""
    in_classifier = len(shape) > 1 and name.startswith(("classifier.", "pre_classifier."))
    return shape[1] ** -0.5 if in_classifier else usual


def electra_shapes(config: Mapping[str, Any]) -> Shapes:
    """Name the tensors of an ELECTRA classifier; the projection that its head uses twice is stored once."""
    width, wide, head = config["hidden_size"], config["intermediate_size"], config["hidden_dim"]
    shapes: Shapes = {
        "electra.embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "electra.embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
        "electra.embeddings.token_type_embeddings.weight": (config["type_vocab_size"], width),
        **_norm("electra.embeddings.LayerNorm", width),
    }
    for index in range(config["num_hidden_layers"]):
        layer = f"electra.encoder.layer.{index}"
        attention = [f"{layer}.attention.{part}" for part in ("self.query", "self.key", "self.value", "output.dense")]
        norms = (f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm")
        shapes |= _layer(attention, (f"{layer}.intermediate.dense", f"{layer}.output.dense"), norms, width, wide)
    shapes |= _linear("classifier.layers.0", width, head) | _linear("classifier.layers.1.projection", head, 2 * head)
    return shapes | _linear("classifier.layers.3", head, head) | _linear("classifier.layers.6", head, len(config["id2label"]))


def distilbert_shapes(config: Mapping[str, Any]) -> Shapes:
    """Name the tensors of a DistilBERT classifier."""
    width, wide = config["dim"], config["hidden_dim"]
    shapes: Shapes = {
        "distilbert.embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "distilbert.embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
        **_norm("distilbert.embeddings.LayerNorm", width),
    }
    for index in range(config["n_layers"]):
        layer = f"distilbert.transformer.layer.{index}"
        attention = [f"{layer}.attention.{part}" for part in ("q_lin", "k_lin", "v_lin", "out_lin")]
        norms = (f"{layer}.sa_layer_norm", f"{layer}.output_layer_norm")
        shapes |= _layer(attention, (f"{layer}.ffn.lin1", f"{layer}.ffn.lin2"), norms, width, wide)
    return shapes | _linear("pre_classifier", width, width) | _linear("classifier", width, len(config["id2label"]))


def _layer(attention: list[str], feed_forward: tuple[str, str], norms: tuple[str, str], width: int, wide: int) -> Shapes:
    """Name the tensors of one layer, in the order in which it uses them."""
    shapes: Shapes = {}
    for name in attention:
        shapes |= _linear(name, width, width)
    shapes |= _norm(norms[0], width) | _linear(feed_forward[0], width, wide) | _linear(feed_forward[1], wide, width)
    return shapes | _norm(norms[1], width)


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _write_tokenizer(folder: Path, pieces: list[str], family: str) -> None:
    ids = {piece: index for index, piece in enumerate(pieces)}
    make_tokenizer(ids).save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8", newline="\n")
    _write_json(folder / "special_tokens_map.json", SPECIAL)
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    stated: dict[str, Any] = {
        "clean_up_tokenization_spaces": True,
        **SPECIAL,
        "do_lower_case": True,
        "model_max_length": MAX_LENGTH,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "tokenizer_class": {"electra": "ElectraTokenizer", "distilbert": "DistilBertTokenizer"}[family],
    }
    if family == "electra":
        tokens = sorted(SPECIAL.values(), key=ids.__getitem__)
        stated["added_tokens_decoder"] = {str(ids[token]): {"content": token, **added} for token in tokens}
    _write_json(folder / "tokenizer_config.json", stated)


def make_tokenizer(ids: dict[str, int]) -> Tokenizer:
    """Return the uncased BERT's tokenizer over a vocabulary."""
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=SPECIAL["unk_token"]))
    tokenizer.add_special_tokens(sorted(SPECIAL.values(), key=ids.__getitem__))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    start, end = SPECIAL["cls_token"], SPECIAL["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start}:0 $A:0 {end}:0",
        pair=f"{start}:0 $A:0 {end}:0 $B:1 {end}:1",
        special_tokens=[(start, ids[start]), (end, ids[end])],
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
