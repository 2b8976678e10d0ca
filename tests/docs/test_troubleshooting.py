"""docs/troubleshooting.md has every message that a user can meet, and none that is gone. The source is read, not imported."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools.messages import VARIES, Message, messages, web_messages

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/troubleshooting.md"
SOURCE = [ROOT / "runtimes", ROOT / "export", ROOT / "sentiment_edge"]
WEB_PAGE = ROOT / "sentiment_edge/web/page"

NO_MESSAGES = {
    "export/sentiment_edge_export/families/padding.py": "a text that is tried",
    "export/sentiment_edge_export/parity/texts.py": "texts that the gate measures",
    "runtimes/sentiment_edge_runtimes/engines/telemetry.py": "reasons in a line of doctor",
    "runtimes/sentiment_edge_runtimes/machine/cpu.py": "keys of /proc/cpuinfo",
    "sentiment_edge/diagnosis/": "the lines of doctor, which docs/bench.md shows",
    "sentiment_edge/evaluation/figures.py": "names of figures",
    "sentiment_edge/evaluation/page.py": "a line of a report; its reason is on the page",
    "sentiment_edge/evaluation/text.py": "a heading of a table",
    "sentiment_edge/explanation/": "notes below an explanation, which are no faults",
    "sentiment_edge/parity/page.py": "headings of a report",
    "sentiment_edge/server/openapi.py": "descriptions in /openapi.json",
}
"""Places of texts that the reader of the source takes for messages, each with what they are."""
NO_MESSAGE = {
    "measuring parity": "a stage of progress",
    "measuring parity of fp32": "a stage of progress",
    "quantizing, … of … weights in fp32": "a stage of progress",
    "ranking … weights by the drift that each causes in int8": "a stage of progress",
    "running the original in torch": "a stage of progress",
    "latency, up to … s": "a stage of progress",
    "throughput, up to … s": "a stage of progress",
    "cold start, up to … s": "a stage of progress",
    "serving … on …": "said by a server that is up",
    "where it was built": "the name of a condition",
    "padded to …": "the name of a condition",
    "tokenizer.json itself": "the name of a tokenizer",
    "its base's tokenizer.json": "what varies in a message",
    "the length of texts": "what varies in a message",
    "another release": "what varies in a message",
    "since its start": "what varies in a message",
    "none stated": "what varies in a message",
    "no object": "what varies in a message",
    "… and … more": "the end of a list",
    ", and … more": "the end of a list",
    " and the ": "between items of a list",
    "Disallowed CORS ": "cut off from what a library says",
    "Cannot instantiate Tokenizer from buffer: ": "cut off from what a library says",
    "format_version … is not known": "becomes a message about a newer format",
    "config.json names no architectures": "the beginning of two messages, which are there",
}
"""Other texts of that kind."""
STAND_FOR = {
    "`engines`": "`engine`",
    "`mapping`": "`map`",
    "`": "",
    "--": "",
    "_": "-",
    "FOLDER": VARIES,
    "%s": VARIES,
    "|": VARIES,
}
"""Where the page has another form: flags for options, some of another name, and `…` for places and for what ends a cell."""
TABLE = re.compile(r"^\| (?:message|reason)[^|]*\|[^\n]*\n\|[-|]+\|\n((?:\|[^\n]*\n)+)", re.MULTILINE)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
WORDS = re.compile(r"[^\W\d_]{2,}.*\s.*[^\W\d_]{2,}")


def test_every_message_is_on_the_page() -> None:
    page = [plain(message) for message in on_the_page()]
    absent = [f"{place} {text!r}" for text, place in in_the_source() if not is_held(text, page)]
    assert not absent, "not in docs/troubleshooting.md:\n" + "\n".join(absent)


def test_every_message_on_the_page_is_in_the_source() -> None:
    page = on_the_page()
    whole = "\n".join(map(plain, page))
    texts = [fixed for fixed in map(fixed_parts, set(all_texts())) if all(part in whole for part in fixed)]
    stale = [f"{message}\n    {'; '.join(left)}" for message in page if (left := unexplained(plain(message), texts))]
    assert not stale, "no longer in the source:\n" + "\n".join(stale)


def test_a_new_message_and_a_changed_one_are_seen(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        "class SentimentEdgeError(Exception): ...\n"
        "class OwnError(SentimentEdgeError):\n"
        "    def __init__(self, name, problem):\n"
        '        super().__init__(f"{name}: {problem}; paint it again")\n'
        'COLOUR = "bright red"\n'
        'def advice(cold): return "warm it first" if cold else "cool it first"\n'
        "def fail(path, problem):\n"
        '    raise OwnError(path, f"the paint is {COLOUR} ({problem})")\n'
        "def paint(path, cold):\n"
        '    fail(path, f"{advice(cold)}, or wait")\n'
        '    raise ValueError("this is told to nobody")\n'
    )
    found = [text for text, _ in messages([tmp_path], tmp_path)]
    expected = ["…, or wait", "…: …; paint it again", "cool it first", "the paint is bright red (…)", "warm it first"]
    assert sorted(found) == sorted(expected)
    assert is_held("the paint is bright red (…)", ["wall: the paint is bright red (it drips); paint it again"])
    assert not is_held("the paint is bright red (…)", ["wall: the paint is dark red (it drips); paint it again"])
    texts = [fixed_parts(text) for text in found]
    assert not unexplained("wall: the paint is bright red (warm it first, or wait); paint it again", texts)
    assert unexplained("wall: the paint is bright red (heat it first, or wait); paint it again", texts) == ["heat it first"]


def test_what_is_left_out_is_there() -> None:
    found = everything()
    gone = [place for place in NO_MESSAGES if not any(each.place.startswith(place) for each in found)]
    gone += NO_MESSAGE.keys() - {each.text for each in found}
    assert not gone


@cache
def everything() -> list[Message]:
    return messages(SOURCE, ROOT)


def in_the_source() -> Iterator[tuple[str, str]]:
    """Yield the messages that a user can meet, and where each comes from."""
    for text, place in everything():
        if text not in NO_MESSAGE and not place.startswith(tuple(NO_MESSAGES)):
            yield text, place
    yield from web_messages(WEB_PAGE, ROOT)


def on_the_page() -> list[str]:
    """Return the code spans in the first column of the tables of messages and reasons."""
    tables = TABLE.findall(PAGE.read_text("utf-8"))
    cells = [row.split("|")[1] for table in tables for row in table.splitlines()]
    return [span for cell in cells for _, span in SPAN.findall(cell)]


def plain(text: str) -> str:
    """Return a text in the form in which texts are compared: what names an option looks like its flag."""
    for name, shown in STAND_FOR.items():
        text = text.replace(name, shown)
    return " ".join(text.split())


def fixed_parts(text: str) -> list[str]:
    return [part.strip() for part in plain(text).split(VARIES)]


def is_held(text: str, page: list[str]) -> bool:
    """Tell whether the fixed parts of a text are in one of the page's messages, in their order."""
    fixed = fixed_parts(text)
    return any(places(fixed, message) is not None for message in page)


def places(fixed: list[str], message: str) -> list[tuple[int, int]] | None:
    """Return where the fixed parts of a text are in a message, in their order; None if they are not."""
    found, at = [], 0
    for part in fixed:
        start = message.find(part, at)
        if start < 0:
            return None
        at = start + len(part)
        found.append((start, at))
    return found


def unexplained(message: str, texts: list[list[str]]) -> list[str]:
    """Return what is left of a message on the page, two words or more, that no text of the source has which is whole in it."""
    left = message
    for start, end in (place for fixed in texts for place in places(fixed, message) or ()):
        left = left[:start] + VARIES * (end - start) + left[end:]
    return [part.strip() for part in re.split(rf"{VARIES}+", left) if WORDS.search(part)]


def all_texts() -> Iterator[str]:
    """Yield all that the source may say: the messages, and every other text of two words that is no docstring."""
    yield from (text for text, _ in (*everything(), *web_messages(WEB_PAGE, ROOT)))
    yield from re.findall(r">([^<>\n]+)<", (WEB_PAGE / "index.html").read_text("utf-8"))
    for path in (path for folder in SOURCE for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            text = ""
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else VARIES for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                text = node.value
            if WORDS.search(text):
                yield text
