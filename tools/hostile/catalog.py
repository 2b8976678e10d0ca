"""The list of all readers, each with its share of the inputs: the cheaper a reader is, the more it gets."""

from __future__ import annotations

from tools.hostile.reader import Entry

_BUNDLES, _TABLES = "tools.hostile.readers.bundles", "tools.hostile.readers.tables"
_CHECKPOINTS, _TOKENIZERS = "tools.hostile.readers.checkpoints", "tools.hostile.readers.tokenizers"

ENTRIES: tuple[Entry, ...] = (
    Entry("bundle, damaged", _BUNDLES, 1600),
    Entry("bundle, manifest.json", _BUNDLES, 1500),
    Entry("bundle, tokenizer.json", _BUNDLES, 1500),
    Entry("bundle, golden.jsonl", _BUNDLES, 600),
    Entry("bundle, other JSON", _BUNDLES, 300),
    Entry("bundle, SHA256SUMS", _BUNDLES, 800),
    Entry("bundle, ONNX's frame", _BUNDLES, 800),
    Entry("bundle, explained", _BUNDLES, 300),
    Entry("cache", _BUNDLES, 400),
    Entry("cache, choice of engine", _BUNDLES, 100),
    Entry("table, labelled", _TABLES, 1000),
    Entry("table, labelled, bad rows left out", _TABLES, 600),
    Entry("table, predictions", _TABLES, 1000),
    Entry("table, predictions, bad rows left out", _TABLES, 600),
    Entry("table, own texts", _TABLES, 1000),
    Entry("lines, own texts", _TABLES, 500),
    Entry("lines", _TABLES, 500),
    Entry("request", _TABLES, 1000),
    Entry("weights, safetensors", _CHECKPOINTS, 500, "torch"),
    Entry("weights, torch's zip", _CHECKPOINTS, 800, "torch"),
    Entry("weights, torch's older pickle", _CHECKPOINTS, 800, "torch"),
    Entry("weights, index of shards", _CHECKPOINTS, 500, "torch"),
    Entry("checkpoint, config.json", _CHECKPOINTS, 800, "torch"),
    Entry("checkpoint, published shapes", _CHECKPOINTS, 800, "torch"),
    Entry("Burn, .mpk", _CHECKPOINTS, 500, "torch"),
    Entry("Burn, .mpk.gz", _CHECKPOINTS, 300, "torch"),
    Entry("Burn, .json", _CHECKPOINTS, 300, "torch"),
    Entry("Burn, .bpk", _CHECKPOINTS, 500, "torch"),
    Entry("Burn, .safetensors", _CHECKPOINTS, 300, "torch"),
    Entry("list of tensors", _CHECKPOINTS, 1200, "torch"),
    Entry("checkpoint, tokenizer.json", _TOKENIZERS, 800, "torch"),
    Entry("checkpoint, tokenizer_config.json", _TOKENIZERS, 300, "torch"),
    Entry("checkpoint, vocab.txt alone", _TOKENIZERS, 300, "torch"),
    Entry("checkpoint, older tokenizer files", _TOKENIZERS, 300, "torch"),
    Entry("ONNX Runtime, model", _BUNDLES, 1500, "native"),
    Entry("OpenVINO, model", _BUNDLES, 500, "native"),
    Entry("OpenVINO, weights", _BUNDLES, 300, "native"),
)
