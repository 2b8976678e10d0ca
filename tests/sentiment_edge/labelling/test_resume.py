"""Runs that are interrupted and gone on with: the file is that of a run that nobody disturbed, or nothing is changed."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from helpers.invocation import invoke
from helpers.predicting import contents_of
from helpers.remarks import Remarks
from helpers.support import edit_manifest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_edge.labelling.output.choice import open_target
from sentiment_edge.labelling.request import LabellingRequest
from sentiment_edge.labelling.run import label_files
from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.errors import EngineError, InputError

SOME = settings(max_examples=20)
KINDS = [
    ("csv", "csv"),
    ("tsv", "tsv"),
    ("jsonl", "jsonl"),
    ("txt", "tsv"),
    ("txt", "csv"),
    ("txt", "jsonl"),
    ("json", "jsonl"),
    ("csv", "jsonl"),
    ("jsonl", "csv"),
]
"""Formats of input and output."""
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["I loved it.", "Dreadful.", " ", 'a "b"\nc', "so dull " * 50]
)
ROWS = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=30)


class Stopping:
    """A classifier that stops after so many answers."""

    def __init__(self, classifier: Classifier, answers: int, error: BaseException) -> None:
        self._classifier = classifier
        self._left = answers
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)

    def stream(self, texts: list[str], **options: Any) -> Iterator[Any]:
        for answer in self._classifier.stream(texts, **options):
            if not self._left:
                raise self._error
            self._left -= 1
            yield answer


class Runs:
    """Runs of one input in a folder, in which few rows and few bytes are many."""

    def __init__(self, classifier: Classifier, source: Path, form: str) -> None:
        self.classifier = classifier
        self.source = source
        self.form = form

    def __call__(self, target: Path, *, stop: int | None = None, **options: Any) -> list[str]:
        """Begin or go on, and return the remarks; `stop` is the number of answers after which it is interrupted."""
        resume, remarks = options.pop("resume", False), Remarks()
        opened = partial(open_target, target=target, sources=[self.source], resume=resume)
        request = LabellingRequest(output_format=cast("Any", self.form), **options)
        error = KeyboardInterrupt() if (stop or 0) % 2 else EngineError("it stopped")
        model = self.classifier if stop is None else cast("Classifier", Stopping(self.classifier, stop, error))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sentiment_edge.labelling.waiting._ROWS", 3)
            patch.setattr("sentiment_edge.data.tables.source.BLOCK", 64)
            patch.setattr("sentiment_edge.data.tables.text.BLOCK", 128)
            with nullcontext() if stop is None else suppress(type(error)):
                label_files(model, [self.source], request, opened, remarks)
        return remarks.heard


def table(form: str, rows: list[tuple[str, str]], *, bad: bool = False) -> bytes:
    """Return a table in a format; `bad` puts a row that cannot be read into its middle."""
    if form == "txt":
        lines = [f"{text}\n".encode() for row in rows for text in "".join(row).splitlines()]
        return b"".join([*lines, b"caf\xe9\n" * bad, b"fine\n"])
    if form in {"json", "jsonl"}:
        objects = [json.dumps({"text": text, "note": note}) for text, note in [*rows, ("fine", "")]]
        broken = [*objects[: len(rows) // 2 + 1], *['{"text"; "bad"}'] * bad, *objects[len(rows) // 2 + 1 :]]
        return (f"[{', '.join(broken)}]" if form == "json" else "".join(f"{line}\n" for line in broken)).encode()
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter="\t" if form == "tsv" else ",", quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "note"), *rows, *[("bad",)] * bad, ("fine", "")])
    return written.getvalue().encode()


@SOME
@given(data=st.data())
@pytest.mark.parametrize(("form", "made"), KINDS)
def test_a_resumed_file_is_that_of_a_whole_run(
    classifier: Classifier, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, form: str, made: str
) -> None:
    folder, packed = tmp_path_factory.mktemp("runs"), data.draw(st.booleans())
    source, target, whole = folder / f"a.{form}{'.gz' * packed}", folder / "out", folder / "whole"
    contents = table(form, data.draw(ROWS), bad=data.draw(st.booleans()))
    source.write_bytes(gzip.compress(contents) if packed else contents)
    run = Runs(classifier, source, made)
    expected = run(whole, skip_bad=True)
    for stop in data.draw(st.lists(st.integers(0, 30), max_size=4)):
        run(target, stop=stop, skip_bad=True, resume=True)
        part = folder / "out.part"
        if part.exists():
            part.write_bytes(part.read_bytes() + data.draw(st.binary(max_size=9)))  # of after the journal's last entry
    nothing_left = target.exists() and not (folder / "out.part").exists()
    anew = [f"no interrupted run left anything; {target} is made anew"] * nothing_left
    assert run(target, skip_bad=True, resume=True) == anew + expected
    assert target.read_bytes() == whole.read_bytes()
    assert {*folder.iterdir()} == {source, target, whole}


@SOME
@given(data=st.data())
@pytest.mark.parametrize("form", ["csv", "jsonl", "txt"])
def test_an_input_may_have_grown_at_any_byte(
    classifier: Classifier, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, form: str
) -> None:
    folder, rows, stop = tmp_path_factory.mktemp("grown"), data.draw(ROWS), data.draw(st.integers(0, 20))
    source, target, whole = folder / f"a.{form}", folder / "out", folder / "whole"
    contents = table(form, rows)
    head = contents.index(b"\n", 40) if form == "jsonl" else min(40, len(contents))  # the columns are known by then
    source.write_bytes(contents[: data.draw(st.integers(head, len(contents)))])
    run = Runs(classifier, source, "jsonl")
    with suppress(InputError):  # its last row is cut short
        run(target, stop=stop)
    if target.exists():
        return  # it was not stopped
    source.write_bytes(contents)
    run(target, resume=True)
    run(whole)
    assert target.read_bytes() == whole.read_bytes()


BAD = "line 20 (1 columns, where the header has 3)"
TEXTS = ["I loved it.", "Dreadful.", "It was dull.", "fine", "What a waste of time!", "so so"]


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a run stopped at a bad row."""
    monkeypatch.setattr("sentiment_edge.labelling.waiting._ROWS", 4)
    rows = [f"{number},{text},{text[::-1]}" for number, text in enumerate(TEXTS * 3)]
    (tmp_path / "a.csv").write_text("\n".join(["id,text,back", *rows, "bad", *rows]) + "\n")
    done = invoke("predict", "--input", tmp_path / "a.csv", "--output", tmp_path / "out.csv")
    assert (done.returncode, done.stdout) == (1, b"")
    kept, error = done.stderr.decode().splitlines()
    assert kept == f"sentiment-edge: the first 16 rows are kept in {tmp_path / 'out.csv.part'}; --resume goes on after them"
    assert BAD in error
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "out.csv.part", "out.csv.part.json"}
    return tmp_path


def resume(folder: Path, *more: str | Path, bundle: Path | None = None) -> tuple[int, list[str]]:
    files = ("--input", folder / "a.csv", "--output", folder / "out.csv")
    done = invoke("predict", *([bundle] if bundle else []), *files, "--resume", *more)
    assert done.stdout == b""
    return done.returncode, done.stderr.decode().splitlines()


def check_it_goes_on(folder: Path) -> None:
    assert resume(folder, "--skip-bad") == (
        0,
        [f"sentiment-edge: {folder / 'a.csv'}: 1 rows left out that cannot be used: {BAD}"],
    )
    whole = invoke("predict", "--input", folder / "a.csv", "--skip-bad").stdout
    assert contents_of(folder) == {"a.csv": (folder / "a.csv").read_bytes(), "out.csv": whole}
    assert whole.count(b"\n") == 1 + 2 * 3 * len(TEXTS)


def check_refused(folder: Path, wanted: str, *more: str, bundle: Path | None = None) -> None:
    before = contents_of(folder)
    status, lines = resume(folder, *more, bundle=bundle)
    assert (status, len(lines)) == (1, 1)
    assert wanted in lines[0]
    assert "leave --resume out to start anew" in lines[0]
    assert contents_of(folder) == before


def test_a_bad_row_is_left_out_as_the_run_goes_on(stopped: Path) -> None:
    before = contents_of(stopped)
    status, lines = resume(stopped)
    assert (status, len(lines)) == (1, 2)
    assert contents_of(stopped) == before
    check_it_goes_on(stopped)


def test_nothing_is_left_of_a_journal_that_a_kill_cut_short(stopped: Path) -> None:
    (stopped / "out.csv.part.json.new").write_bytes(b'{"version')
    check_it_goes_on(stopped)


def test_without_resume_a_run_starts_anew(stopped: Path) -> None:
    (stopped / "a.csv").write_text("text\nfine\n")
    done = invoke("predict", "--input", stopped / "a.csv", "--output", stopped / "out.csv")
    note = b"sentiment-edge: an interrupted run's 16 rows are given up, as --resume is not given\n"
    assert (done.returncode, done.stderr) == (0, note)
    assert contents_of(stopped)["out.csv"] == invoke("predict", "--input", stopped / "a.csv").stdout
    assert {*contents_of(stopped)} == {"a.csv", "out.csv"}


@pytest.mark.parametrize("lost", ["out.csv.part", "out.csv.part.json"])
def test_what_is_lost_altogether_is_made_anew(stopped: Path, lost: str) -> None:
    (stopped / lost).unlink()
    check_it_goes_on(stopped)


@pytest.mark.parametrize("changed", ["earlier row", "header", "shorter", "empty"])
def test_an_input_that_changed_is_refused(stopped: Path, changed: str) -> None:
    source = stopped / "a.csv"
    whole = source.read_bytes()
    source.write_bytes(
        {
            "earlier row": whole.replace(b"3,fine", b"3,dull", 1),
            "header": whole.replace(b"id,text,back", b"no,text,back"),
            "shorter": whole[:-5],
            "empty": b"text,id,back\n",
        }[changed]
    )
    check_refused(stopped, "the interrupted run differs in columns" if changed in {"header", "empty"} else "has changed since")
    source.write_bytes(whole)
    check_it_goes_on(stopped)


@pytest.mark.parametrize(
    ("options", "differs"),
    [
        (["--format", "jsonl"], "format"),
        (["--format", "tsv"], "format"),
        (["--text-column", "back"], "column of texts"),
        (["--encoding", "cp1252"], "form of the input"),
    ],
)
def test_other_options_are_refused(stopped: Path, options: list[str], differs: str) -> None:
    check_refused(stopped, f"the interrupted run differs in {differs}", *options)
    check_it_goes_on(stopped)


def test_another_engine_is_refused(stopped: Path) -> None:
    pytest.importorskip("openvino", reason="needs the extra openvino")
    bundle = Path(__file__).parents[2] / "data" / "bundle-format-2"
    (stopped / "out.csv.part").unlink()
    assert resume(stopped, "--engine", "onnxruntime", bundle=bundle)[0] == 1
    check_refused(stopped, "the interrupted run differs in engine", "--engine", "openvino", bundle=bundle)


def test_another_bundle_is_refused(stopped: Path, bundle_folder: Path) -> None:
    edit_manifest(bundle_folder, labels=["bad", "good"])
    moved = bundle_folder.rename(stopped.parent / f"{stopped.name}-bundle")
    check_refused(stopped, "the interrupted run differs in bundle", bundle=moved)
    check_it_goes_on(stopped)


@pytest.mark.parametrize(
    "journal",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"version": 1}',
        b'{"version": 99}',
        b'{"version": 1, "identity": {}, "position": {}}',
    ],
)
def test_a_damaged_journal_is_refused(stopped: Path, journal: bytes) -> None:
    path = stopped / "out.csv.part.json"
    whole = path.read_bytes()
    path.write_bytes(journal)
    check_refused(stopped, f"{path}: no journal that this version can read")
    path.write_bytes(whole)
    check_it_goes_on(stopped)


@settings(max_examples=20)
@given(data=st.data())
def test_a_journal_that_is_cut_short_or_altered(
    classifier: Classifier, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    source, target, journal = folder / "a.csv", folder / "out.csv", folder / "out.csv.part.json"
    source.write_bytes(table("csv", [(text, "") for text in TEXTS * 3]))
    run = Runs(classifier, source, "csv")
    run(target, stop=10)
    written = journal.read_bytes()
    if data.draw(st.booleans()):
        journal.write_bytes(written[: data.draw(st.integers(0, len(written) - 1))])
    else:
        entries = json.loads(written)
        place = data.draw(st.sampled_from(["rows", "input_bytes", "input_sha256", "tally", "output_bytes"]))
        entries["position"][place] = data.draw(st.sampled_from([None, "x", [], {}, -1, 10**9, 1.5]))
        journal.write_text(json.dumps(entries))
    before = contents_of(folder)
    with pytest.raises(InputError) as caught:
        run(target, resume=True)
    assert "leave `resume` out to start anew" in str(caught.value)
    assert contents_of(folder) == before


@pytest.mark.parametrize("lost", [1, 100, 10**6])
def test_an_unfinished_file_that_is_shorter_than_its_journal_says(stopped: Path, lost: int) -> None:
    part = stopped / "out.csv.part"
    held = json.loads((stopped / "out.csv.part.json").read_text())["position"]["output_bytes"]
    whole = part.read_bytes()
    part.write_bytes(whole[: max(0, held - lost)])
    check_refused(stopped, f"{part}: shorter than its journal says")
    part.write_bytes(whole)
    check_it_goes_on(stopped)
