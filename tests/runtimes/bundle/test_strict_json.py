from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge_runtimes.bundle.strict_json import DuplicateKey, loads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON)
def test_json_is_read_as_usual(value: object) -> None:
    assert loads(json.dumps(value)) == value


@given(st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=3), st.data())
def test_a_key_that_occurs_twice_is_refused_at_any_depth(entries: dict[str, object], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(sorted(entries)))
    text = json.dumps(entries)[:-1] + f", {json.dumps(again)}: 0}}"
    assert again in json.loads(text)
    for each in (text, f"[{text}]", f'{{"x": [0, {text}]}}'):
        with pytest.raises(DuplicateKey, match="occurs twice"):
            loads(each)
