from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import BundleDamaged, load
from sentiment_edge_runtimes.bundle.checksums import fingerprint, format_checksums, parse_checksums

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=9).filter(
    lambda name: not name[0].isspace()
)
ONE = hashlib.sha256(b"").hexdigest()


@given(st.dictionaries(NAMES, DIGESTS, min_size=1, max_size=4))
def test_what_was_written_is_read(checksums: dict[str, str]) -> None:
    assert parse_checksums(format_checksums(checksums).encode()) == checksums


@given(st.dictionaries(NAMES, DIGESTS, min_size=1, max_size=3), st.integers(0), st.binary(max_size=3), st.integers(0, 3))
def test_only_one_spelling_is_accepted(checksums: dict[str, str], position: int, inserted: bytes, removed: int) -> None:
    contents = format_checksums(checksums).encode()
    position %= len(contents) + 1
    other = contents[:position] + inserted + contents[position + removed :]
    try:
        read = parse_checksums(other)
    except ValueError:
        assert other != contents
    else:
        assert format_checksums(read).encode() == other


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(contents: bytes) -> None:
    with pytest.raises(ValueError, match=r"is malformed|has line ends|names a file twice|is not UTF-8"):
        parse_checksums(contents)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (f"{ONE}  a\n{ONE}  b\n".replace("\n", "\r\n"), "has line ends other than LF"),
        (f"{ONE}  a\r{ONE}  b\r", "has line ends other than LF"),
        (f"{ONE}  a\n{ONE}  b", "is malformed"),
        (f"{ONE}  a\n\n{ONE}  b\n", "is malformed"),
        (f"{ONE}  a\n{ONE}  a\n", "names a file twice"),
        (f"{ONE}  a\n{'0' * 64}  a\n", "names a file twice"),
        (f"{ONE} *a\n", "is malformed"),
        (f"{ONE.upper()}  a\n", "is malformed"),
        (f"\\{ONE}  a\n", "is malformed"),
        (f"{ONE}  \n", "is malformed"),
        (f"\ufeff{ONE}  a\n", "is malformed"),
        ("", "is malformed"),
        ("\n", "is malformed"),
    ],
)
def test_another_spelling_is_named(contents: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_checksums(contents.encode())


def test_separators_other_than_lf_end_no_line() -> None:
    assert parse_checksums(f"{ONE}  a\u2028b\n".encode()) == {"a\u2028b": ONE}


def test_the_order_does_not_change_the_fingerprint() -> None:
    assert fingerprint({"a": ONE, "b": ONE}) == fingerprint({"b": ONE, "a": ONE}) != fingerprint({"a": ONE})


@pytest.mark.parametrize(
    "change",
    [
        lambda sums: sums.replace(b"\n", b"\r\n"),
        lambda sums: sums[:-1],
        lambda sums: sums + sums.splitlines(keepends=True)[0],
        lambda sums: b"\xff" + sums,
    ],
    ids=["CRLF", "no last newline", "a name twice", "not UTF-8"],
)
def test_a_bundle_with_other_checksums_is_refused(bundle_folder: Path, change: object) -> None:
    assert callable(change)
    path = bundle_folder / "SHA256SUMS"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(BundleDamaged, match="SHA256SUMS"):
        load(bundle_folder)


def test_coreutils_reads_what_is_written(tmp_path: Path) -> None:
    if not shutil.which("sha256sum"):
        pytest.skip("no coreutils here")
    (tmp_path / "a file").write_bytes(b"")
    (tmp_path / "SHA256SUMS").write_text(format_checksums({"a file": ONE}), "utf-8", newline="\n")
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
