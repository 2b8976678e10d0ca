"""The contestants by name."""

from __future__ import annotations

from suite.contestants.contestant import Contestant

_OWN = ("sentiment-edge",)
_OWN_OPENVINO = ("sentiment-edge", "openvino", "platformdirs")

OURS_ONNXRUNTIME = Contestant("ours, ONNX Runtime", "ours", ("onnxruntime",), _OWN)
OURS_OPENVINO = Contestant("ours, OpenVINO", "ours", ("openvino",), _OWN_OPENVINO)
OURS_AUTO = Contestant("ours, `auto`", "ours", ("auto",), _OWN_OPENVINO, only_starts=True)
OURS_FIRST_START = Contestant(
    "ours, OpenVINO, first start", "ours", ("openvino",), _OWN_OPENVINO, only_starts=True, fresh_cache=True
)
OURS = (OURS_ONNXRUNTIME, OURS_OPENVINO, OURS_AUTO, OURS_FIRST_START)
TRANSFORMERS = (
    Contestant("transformers' pipeline, fp32", "transformers_pipeline", ("float32",), ("transformers", "torch")),
    Contestant("transformers' pipeline, bf16", "transformers_pipeline", ("bfloat16",), ("transformers", "torch")),
)
EXPORTERS = Contestant("transformers.exporters, int8", "exporters", (), ("onnxruntime", "tokenizers", "numpy"))
NNCF = Contestant("NNCF, int8 in OpenVINO", "nncf_openvino", (), ("openvino", "tokenizers", "numpy"))
CTRANSLATE2 = Contestant("CTranslate2, int8", "ctranslate2_encoder", (), ("ctranslate2", "tokenizers", "numpy"))
TORCH_GRU = Contestant("torch, packed", "torch_gru", (), ("torch", "tokenizers", "numpy"))
IMPORTS = Contestant(
    "`import numpy, onnxruntime, tokenizers`", "three_imports", (), ("onnxruntime", "tokenizers", "numpy"), only_starts=True
)
ENCODER_PEERS = (*TRANSFORMERS, EXPORTERS, NNCF, CTRANSLATE2)
