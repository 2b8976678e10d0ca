"""Records end where their line ends, whatever a text holds, and say what the text says."""

from __future__ import annotations

import json
import sys

from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import FailedPrediction, Prediction
from sentiment_edge.labelling.writers.escapes import as_json, as_spaces, on_one_line
from sentiment_edge.labelling.writers.lines import format_jsonl, format_tsv

ENDS = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(ENDS + '\t"\\ \u200b\x00')))
ANSWERS = st.one_of(
    st.none(),
    st.builds(FailedPrediction, TEXTS),
    st.builds(Prediction, TEXTS, st.floats(0, 1), st.dictionaries(TEXTS, st.floats(0, 1)), st.booleans()),
)


def test_no_character_passes_that_ends_a_line() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    for character in [*ENDS, "\t"]:
        assert as_spaces(character) == " "
    others = [character for character in everything if character not in ENDS + "\t"]
    assert all(as_spaces(character) == character for character in others)
    assert all(on_one_line(character) == character for character in others)
    assert as_spaces(everything) == "".join(" " if character in ENDS + "\t" else character for character in everything)


@given(text=TEXTS, answer=ANSWERS)
def test_a_line_holds_one_record(text: str, answer: Prediction | FailedPrediction | None) -> None:
    record = format_jsonl(text, answer)
    assert record.splitlines() == [record[:-1]]
    assert json.loads(record)["text"] == text
    row = format_tsv(text, answer)
    assert row.splitlines() == [row[:-1]]
    assert row.count("\t") == 2


@given(answer=ANSWERS.filter(lambda answer: answer is not None))
def test_an_answer_as_entries_shares_nothing_with_it(answer: Prediction | FailedPrediction) -> None:
    entries = answer.to_dict()
    assert json.loads(as_json(entries)) == entries
    assert entries == answer.to_dict()
    entries["scores"]["another"] = 1.0
    assert "another" not in answer.to_dict()["scores"]
