"""The labelled texts that bulk runs label."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from measuring import read_sentences

from suite.contestants.contestant import Unavailable

if TYPE_CHECKING:
    from suite.settings import Settings

FILES = {"SST-2": "data/sst2/dev.tsv", "tweets": "data/tweet-sentiment/test.csv", "reviews": "data/imdb/test-1000.tsv"}


class Texts(NamedTuple):
    """Some of a data set."""

    texts: list[str]
    labels: list[str]

    def accuracy(self, classes: list[int]) -> float:
        """Return the share of classes that are the labels, where those are the numbers of the classes."""
        return sum(str(each) == label for each, label in zip(classes, self.labels, strict=True)) / len(classes)


def read_texts(name: str, count: int, settings: Settings) -> Texts:
    """Return so many texts, evenly from the whole file, in its order."""
    path = settings.shared / FILES[name]
    if not path.is_file():
        raise Unavailable(f"there is no {FILES[name]} in the shared folder")
    rows = read_sentences(path)
    wanted = min(len(rows), max(8, round(count * settings.share)))
    chosen = [rows[index * len(rows) // wanted] for index in range(wanted)]
    return Texts([text for text, _ in chosen], [label for _, label in chosen])
