"""Attention of long texts in memory that grows with the length of a text, not with its square.

ONNX Runtime's kernel for attention holds the scores of all pairs of tokens, unless it is given neither a mask nor a bias. So:

- **All tokens attend to all.** The mask becomes one more channel of each head: 1 in the queries, and in the keys 0, or a huge
  negative number in padding. Such a channel adds 0 to a score, or makes it so small that its softmax is exactly 0.
- **Tokens attend to their neighbours.** Queries in blocks, each with the keys of its block and of a window on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import onnx_ir as ir

from sentiment_edge_export.graph.attention import LONG_NODE, NO_WINDOW, NODE
from sentiment_edge_export.graph.editor import CONTRIB, GraphEditor

_MASKED = -1e30
"""Small enough that a softmax is exactly 0 beside any score of a token, and still finite when scaled or added twice."""


def expand_long_attentions(model: ir.Model) -> None:
    """Replace each node for a long text by ONNX Runtime's attention, in place; layers share what depends on the mask only."""
    editor = GraphEditor(model.graph)
    maker = _Maker(editor)
    for node in list(model.graph):
        if node.op_type == LONG_NODE:
            editor.before(node)
            attention = _Attention.of(node)
            replacement = maker.attend_to_all(attention) if attention.window == NO_WINDOW else maker.attend_locally(attention)
            editor.replace(node, replacement)


class _Attention(NamedTuple):
    """A node to replace; query, key and value are [batch, length, heads x width], the mask int32 [batch, length]."""

    query: ir.Value | None
    key: ir.Value | None
    value: ir.Value | None
    mask: ir.Value | None
    heads: int
    scale: float
    window: int
    size: int
    """heads x width"""

    @classmethod
    def of(cls, node: ir.Node) -> _Attention:
        heads, scale, window = (node.attributes[name] for name in ("num_heads", "scale", "window"))
        shape = node.outputs[0].shape
        size = shape[2] if shape is not None else None
        if not isinstance(size, int):
            raise TypeError("an attention without its width")  # the tracer knows it
        query, key, value, mask = node.inputs
        return cls(query, key, value, mask, heads.as_int(), scale.as_float(), window.as_int(), size)


class _Blocks(NamedTuple):
    """The blocks that the tokens of a batch are in, for one window. All are values of the graph."""

    queries: ir.Value
    """The position of each query, [blocks, rows]; the last one, repeated, beyond the length."""
    keys: ir.Value
    """The position of each key, [blocks, columns]; the first or the last one beyond the text's ends."""
    mask: ir.Value
    """int32 [batch x blocks, columns], 0 in padding and beyond the text's ends."""
    bias: ir.Value
    """[1, 1, rows, columns]: 0 within the window."""
    query_shape: ir.Value
    """(-1, rows)"""
    key_shape: ir.Value
    """(-1, columns)"""
    tokens: ir.Value
    """blocks x rows, [1]"""
    length: ir.Value
    """[1]"""


@dataclass
class _Maker:
    """Makes the nodes of attentions, and keeps those that several can share."""

    _editor: GraphEditor
    _channels: dict[tuple[ir.Value | None, int], tuple[ir.Value, ir.Value]] = field(default_factory=dict)
    _blocks: dict[tuple[ir.Value | None, int], _Blocks] = field(default_factory=dict)

    def attend_to_all(self, attention: _Attention) -> ir.Value:
        """Return the attention of every token to every token that is not padding."""
        _, _, value, mask, heads, scale, _, size = attention
        of_queries, of_keys = self._channels_of(mask, heads)
        split = self._ints("split", 0, 0, heads, size // heads)
        joined = self._ints("joined", 0, 0, size + heads)

        def widened(part: ir.Value | None, channel: ir.Value) -> ir.Value:
            wide = self._emit("Concat", self._emit("Reshape", part, split), channel, axis=3)
            return self._emit("Reshape", wide, joined)

        query, key = widened(attention.query, of_queries), widened(attention.key, of_keys)
        return self._editor.emit(NODE, [query, key, value, None], CONTRIB, num_heads=heads, scale=scale)

    def _channels_of(self, mask: ir.Value | None, heads: int) -> tuple[ir.Value, ir.Value]:
        """Return the added channel of the queries and of the keys, both [batch, length, heads, 1]."""
        if (mask, heads) not in self._channels:
            real = self._emit("Cast", mask, to=ir.DataType.FLOAT)
            column = self._emit("Unsqueeze", real, self._ints("channel_axes", 2, 3))
            column = self._emit("Expand", column, self._ints("channel_heads", 1, 1, heads, 1))
            one = self._editor.constant("long_one", np.array(1, np.float32))
            of_keys = self._emit(
                "Mul", self._emit("Sub", one, column), self._editor.constant("long_masked", np.array(_MASKED, np.float32))
            )
            of_queries = self._emit("Expand", one, self._emit("Shape", column))
            self._channels[mask, heads] = of_queries, of_keys
        return self._channels[mask, heads]

    def attend_locally(self, attention: _Attention) -> ir.Value:
        """Return the attention of every token to those within the window that are not padding."""
        _, _, _, mask, heads, scale, window, size = attention
        if (mask, window) not in self._blocks:
            self._blocks[mask, window] = self._blocks_of(mask, window)
        blocks = self._blocks[mask, window]
        width = self._ints("width", size)

        def taken(part: ir.Value | None, positions: ir.Value, shape: ir.Value) -> ir.Value:
            rows = self._emit("Gather", part, positions, axis=1)
            return self._emit("Reshape", rows, self._emit("Concat", shape, width, axis=0))

        inputs = [
            taken(attention.query, blocks.queries, blocks.query_shape),
            taken(attention.key, blocks.keys, blocks.key_shape),
            taken(attention.value, blocks.keys, blocks.key_shape),
            None,
            blocks.mask,
            blocks.bias,
        ]
        output = self._editor.emit(NODE, inputs, CONTRIB, num_heads=heads, scale=scale, mask_filter_value=_MASKED)
        shape = self._emit("Concat", self._ints("any", -1), blocks.tokens, width, axis=0)
        whole = self._emit("Reshape", output, shape)
        return self._emit("Slice", whole, self._ints("start", 0), blocks.length, self._ints("row_axis", 1))

    def _blocks_of(self, mask: ir.Value | None, window: int) -> _Blocks:
        """Emit what the attentions of one window share. A text of up to two windows is one block, with no keys around it."""
        emit, ints = self._emit, self._ints
        one, reach = ints("one", 1), ints(f"window_{window}", window)
        length = emit("Shape", mask, start=1, end=2)
        rows = emit("Min", length, ints(f"rows_{window}", 2 * window))
        beyond = emit("Mul", emit("Sub", length, rows), reach)  # 0 if the text is one block
        halo = emit("Min", beyond, reach)
        count = emit("Div", emit("Sub", emit("Add", length, rows), one), rows)
        starts = emit("Mul", self._range(ints("zero", 0), count), rows)
        within = self._range(ints("zero", 0), rows)
        around = self._range(emit("Neg", halo), emit("Add", rows, halo))
        last = emit("Sub", length, one)
        by_column, by_row = ints("column", 1), ints("row", 0)
        starts = emit("Unsqueeze", starts, by_column)
        keys = emit("Add", starts, emit("Unsqueeze", around, by_row))
        inside = emit("Max", emit("Min", keys, last), ints("zero", 0))
        distance = emit("Abs", emit("Sub", emit("Unsqueeze", within, by_column), emit("Unsqueeze", around, by_row)))
        far = emit("Cast", emit("Greater", distance, reach), to=ir.DataType.FLOAT)
        bias = emit("Mul", far, self._editor.constant("long_masked", np.array(_MASKED, np.float32)))
        columns = emit("Shape", around)
        key_shape = emit("Concat", ints("any", -1), columns, axis=0)
        valid = emit("Cast", emit("Equal", keys, inside), to=ir.DataType.INT32)
        return _Blocks(
            queries=emit("Min", emit("Add", starts, emit("Unsqueeze", within, by_row)), last),
            keys=inside,
            mask=emit("Reshape", emit("Mul", emit("Gather", mask, inside, axis=1), valid), key_shape),
            bias=emit("Unsqueeze", bias, ints("bias_axes", 0, 1)),
            query_shape=emit("Concat", ints("any", -1), rows, axis=0),
            key_shape=key_shape,
            tokens=emit("Mul", count, rows),
            length=length,
        )

    def _range(self, start: ir.Value, end: ir.Value) -> ir.Value:
        """Return the whole numbers from start up to end, both [1]."""
        scalars = [self._emit("Squeeze", bound, self._ints("scalar", 0)) for bound in (start, end)]
        return self._emit("Range", *scalars, self._editor.constant("long_step", np.array(1, np.int64)))

    def _emit(self, op_type: str, *inputs: ir.Value | None, **attributes: int) -> ir.Value:
        return self._editor.emit(op_type, inputs, domain="", **attributes)

    def _ints(self, name: str, *numbers: int) -> ir.Value:
        """Return whole numbers as a vector."""
        return self._editor.constant(f"long_{name}_{'_'.join(map(str, numbers))}", np.array(numbers, np.int64))
