"""OpenVINO: attention in parts, which it fuses itself; static int8 for calibrated models; its own file format.

OpenVINO itself reads the graph from an ONNX file. `openvino.convert_model` is not used, because it reports to OpenVINO's maker.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from sentiment_edge_export.errors import ExportError, OutputError
from sentiment_edge_export.graph.editor import GraphEditor, constant_of
from sentiment_edge_export.graph.save import write_model
from sentiment_edge_runtimes.engines.selection import installed_engines
from sentiment_edge_runtimes.engines.telemetry import unreported
from sentiment_edge_runtimes.errors import first_line
from sentiment_edge_runtimes.machine.cpu import cpu_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.vocabulary import EngineName, Precision, Scheme

ENGINE: EngineName = "openvino"
FUSES_ATTENTION = False
INTEGER_PRODUCTS = False
OPTIONS: tuple[str, ...] = ("inference_precision",)
_FILE = "openvino/openvino_model.xml"
_LENGTHS_INPUT = 4
_TOKEN_AXES = 3
"""Text, token, channel."""
_HOLD = 1e6
"""The added input in padding. Times any weight that matters it is far above 17, from where a sigmoid is exactly 1 in fp32."""


def check(options: ExportOptions) -> None:
    """Check that OpenVINO is installed and that the CPU has the data type of the export.

    Raises:
        ExportError: one of these is missing.
    """
    if ENGINE not in installed_engines():
        raise ExportError("OpenVINO is not installed: pip install 'sentiment-edge[export-openvino]'")
    if options.graph.inference_precision == "bf16" and "bf16" not in cpu_features().features:
        raise ExportError("this CPU has no bfloat16, so parity in bfloat16 cannot be measured; export on a CPU that has it")


def scheme(classifier: TorchClassifier, _: ExportOptions) -> Scheme:
    """Return static int8 for a calibrated classifier, weight-only int8 for any other, such as one with a GRU."""
    return "static" if classifier.calibrated else "weight-only"


def adapt(model: ir.Model) -> None:
    """Say in another way what OpenVINO passes over: a GRU's lengths in a mixed batch, and the axis of a Fourier transform."""
    editor = GraphEditor(model.graph)
    for node in list(model.graph):
        if node.op_type == "GRU" and len(node.inputs) > _LENGTHS_INPUT and node.inputs[_LENGTHS_INPUT] is not None:
            editor.before(node)
            _hold_in_padding(node, editor)
        elif node.op_type == "DFT":
            editor.before(node)
            _transform_axis_1(node, editor)


def _transform_axis_1(node: ir.Node, editor: GraphEditor) -> None:
    """Move the axis of a Fourier transform to 1, the only one that OpenVINO transforms, whatever the node says."""
    signal, length, stated = (*node.inputs, None, None)[:3]
    axis = constant_of(stated)
    if signal is None or signal.shape is None or axis is None:
        raise ExportError("a Fourier transform's axis is not a constant; report this with the versions in use")
    order = [*range(len(signal.shape))]
    order[1], order[int(axis)] = order[int(axis)], order[1]
    if order[1] == 1:
        return
    inverse, onesided = (node.attributes[name].as_int() for name in ("inverse", "onesided"))
    inputs = [editor.emit("Transpose", [signal], perm=order), length, editor.constant("dft_axis", np.array(1, np.int64))]
    transformed = editor.emit("DFT", inputs, inverse=inverse, onesided=onesided)
    editor.replace(node, editor.emit("Transpose", [transformed], perm=order))


def _hold_in_padding(gru: ir.Node, editor: GraphEditor) -> None:
    """Give the update gate one more input, which is 0 at a text's tokens and huge in padding, and drop the lengths.

    A state is z * (the previous state) + (1 - z) * (a new one), https://onnx.ai/onnx/operators/onnx__GRU.html; with a z of
    exactly 1 it passes padding unchanged: the final state forwards, the initial zeros backwards.
    """
    emit, constant = editor.emit, editor.constant
    inputs, weights, lengths = gru.inputs[0], gru.inputs[1], gru.inputs[_LENGTHS_INPUT]
    hidden = gru.attributes["hidden_size"].as_int()
    ends = emit("Cast", [lengths], to=ir.DataType.INT64)
    count = emit("Squeeze", [emit("Shape", [inputs], start=0, end=1), constant("hold_axis", np.array([0], np.int64))])
    positions = emit(
        "Range", [constant("hold_first", np.array(0, np.int64)), count, constant("hold_step", np.array(1, np.int64))]
    )
    last_axis = constant("hold_last_axis", np.array([1], np.int64))
    padded = emit("GreaterOrEqual", [emit("Unsqueeze", [positions, last_axis]), ends])  # [length, batch]
    held = emit("Mul", [emit("Cast", [padded], to=ir.DataType.FLOAT), constant("hold", np.array(_HOLD, np.float32))])
    channel = emit("Unsqueeze", [held, constant("hold_channel_axis", np.array([2], np.int64))])
    widened = constant(f"{weights.name if weights else ''}_held", _with_channel(constant_of(weights), hidden))
    gru.replace_input_with(0, emit("Concat", [inputs, channel], axis=2))
    gru.replace_input_with(1, widened)
    gru.replace_input_with(_LENGTHS_INPUT, None)


def _with_channel(weights: NDArray[np.generic] | None, hidden: int) -> NDArray[np.float32]:
    """Return GRU weights [directions, 3 hidden, width] with one more column: large for the update gate, which comes first.

    Large means the largest magnitude of the row, so that no row's int8 scale grows.
    """
    if weights is None:
        raise ExportError("a GRU's weights are not constants; report this with the versions in use")
    column = np.zeros((*weights.shape[:2], 1), np.float32)
    largest = np.abs(weights[:, :hidden]).max(axis=2, keepdims=True)
    column[:, :hidden] = np.maximum(largest, np.float32(1e-3))
    return np.concatenate((weights, column), axis=2)


def write(folder: Path, graph: ir.Model, _: Precision) -> str:
    """Write a file in OpenVINO's format, with the weights as they are in the graph.

    Raises:
        ExportError: OpenVINO cannot read the graph, such as for an unknown operator.
        OutputError: OpenVINO cannot write the file.
    """
    with unreported():
        import openvino  # noqa: PLC0415 - heavy, and an extra

    path = folder / _FILE
    path.parent.mkdir()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        source = Path(scratch) / "onnx" / "model.onnx"
        write_model(source, graph)
        try:
            model = openvino.Core().read_model(source)
            _keep_from_convolutions(model)
        except RuntimeError as error:
            raise ExportError(
                f"OpenVINO cannot take this model ({first_line(error)}); export it for another engine by `engines`"
            ) from error
        try:
            openvino.save_model(model, path, compress_to_fp16=False)
        except RuntimeError as error:
            raise OutputError(f"{path}: OpenVINO cannot write it; is the disk full? ({first_line(error)})") from error
        del model  # it maps the scratch folder's weights
    return _FILE


def _keep_from_convolutions(model: Any) -> None:  # noqa: ANN401 - OpenVINO is an extra
    """Give the products of tokens with fp32 weights a fourth axis, so that OpenVINO does not compute them as convolutions.

    With AVX-512 it takes products of three axes for convolutions, which it prepares anew for each shape. Where two threads do
    so at once, one of them may get a wrong one, and keeps it (OpenVINO 2026.4; seen with 384 tokens in a batch and more). Its
    plain products, which it takes for four axes, need no preparation, and are as fast.
    """
    with unreported():
        from openvino import opset13  # noqa: PLC0415 - heavy, and an extra

    axis = opset13.constant(np.array([0]))
    for product in model.get_ordered_ops():
        if product.get_type_name() != "MatMul" or product.input_value(1).get_node().get_type_name() != "Constant":
            continue  # or the weights are int8: those end in other operations
        inputs, outputs = product.input_value(0), product.output(0)
        if inputs.get_partial_shape().rank == _TOKEN_AXES:
            readers = [*outputs.get_target_inputs()]
            product.input(0).replace_source_output(opset13.unsqueeze(inputs, axis).output(0))
            product.validate_and_infer_types()
            narrowed = opset13.squeeze(outputs, axis).output(0)
            for reader in readers:
                reader.replace_source_output(narrowed)
    model.validate_nodes_and_infer_types()


def describe(_folder: Path, _file: str) -> dict[str, Any]:
    """Return no entries: OpenVINO's tools need none."""
    return {}
