"""All measures of one model."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import first_line
from suite.building import build
from suite.contestants.contestant import Unavailable
from suite.measures.processes import ModelProcess
from suite.measures.rounds import medians, ratios
from suite.measures.running import measure_bulk, measure_latency
from suite.measures.sizes import installed_bytes, model_bytes
from suite.measures.starting import measure_starts
from suite.report.results import FIRST_ANSWER, INSTALLED, MEMORY_TO_FILES, MODEL_FILES, PEAK_MEMORY, Measured, Measurements
from suite.texts import read_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from suite.contestants.contestant import Contestant
    from suite.measures.rounds import Costs
    from suite.settings import Settings
    from suite.subjects import Subject

STARTED_ON = 32
"""Lines after which the peak memory is read."""


class SubjectRun:
    """One subject, from its files to its measurements."""

    def __init__(self, subject: Subject, settings: Settings, say: Callable[[str], None]) -> None:
        self._subject, self._settings, self._say = subject, settings, say
        self._ours = {each.name for each in subject.contestants if each.ours}
        self._folders: dict[Contestant, Path] = {}
        self.measurements = Measurements(subject.title)

    def build(self) -> None:
        """Make the files; what cannot be made is left out, in so many words."""
        try:
            checkpoint = self._subject.checkpoint(self._settings)
        except Unavailable as reason:
            self._leave_out("all of it", reason)
            return
        for contestant in self._subject.contestants:
            self._say(f"files of {contestant.name}")
            with self._others_may_fail(contestant):
                self._folders[contestant] = build(self._subject, contestant, checkpoint, self._settings)

    def measure(self) -> Measurements:
        """Measure everything."""
        lasting = {each: folder for each, folder in self._folders.items() if not each.only_starts}
        if any(each.ours for each in lasting):
            self._note_choice()
            with ExitStack() as processes:
                models = {}
                for contestant, folder in lasting.items():
                    with self._others_may_fail(contestant):
                        models[contestant.name] = ModelProcess(contestant, folder, self._settings.threads)
                        processes.callback(models[contestant.name].close)
                self._measure_latency(models)
                self._measure_bulk(models)
            self._measure_starts_and_sizes(lasting)
        return self.measurements

    def _note_choice(self) -> None:
        for contestant, folder in self._folders.items():
            if contestant.options == ("auto",):
                from sentiment_edge import load  # noqa: PLC0415 - only where a bundle is measured

                self.measurements.auto = load(folder, threads=self._settings.threads).engine

    def _measure_latency(self, models: Mapping[str, ModelProcess]) -> None:
        for model in models.values() if self._subject.shapes else ():
            model.settle(*self._subject.shapes[0])
        for rows, length in self._subject.shapes:
            self._say(f"{rows}x{length}")
            costs = measure_latency(models, rows, length, self._settings.rounds)
            self.measurements.latency[f"{rows}x{length}"] = self._measured(costs)

    def _measure_bulk(self, models: Mapping[str, ModelProcess]) -> None:
        for name, count in (self._subject.texts or {}).items():
            self._say(f"texts of {name}")
            try:
                texts = read_texts(name, count, self._settings)
            except Unavailable as reason:
                self._leave_out(name, reason)
                continue
            run = measure_bulk(models, texts, self._settings.few_rounds)
            self.measurements.bulk[name] = self._measured(run.costs)
            if name == self._subject.trained_on:
                self.measurements.accuracy = run.accuracies
                self.measurements.accuracy_on = f"{len(texts.texts)} of {name}"

    def _measure_starts_and_sizes(self, lasting: Mapping[Contestant, Path]) -> None:
        sizes = {each.name: model_bytes(folder, each.options[0] if each.ours else "") for each, folder in lasting.items()}
        if self._subject.starts:
            self._say("fresh processes")
            lines = [f"A line of no great length, and with a number: {number}." for number in range(STARTED_ON)]
            starts = measure_starts(self._folders, lines, self._settings.few_rounds, self._settings)
            self._note(FIRST_ANSWER, starts.first_answer)
            self._note(PEAK_MEMORY, starts.peak_memory)
            shares = {name: [peak / sizes[name] for peak in peaks] for name, peaks in starts.peak_memory.items()}
            self._note(MEMORY_TO_FILES, shares)
        self._note(MODEL_FILES, {name: [float(size)] for name, size in sizes.items()})
        self._note(INSTALLED, {each.name: [float(installed_bytes(each.installs))] for each in lasting})

    def _note(self, measure: str, costs: Costs) -> None:
        self.measurements.other[measure] = self._measured(costs)

    def _measured(self, costs: Costs) -> Measured:
        return Measured(medians(costs), ratios(costs, self._ours))

    @contextmanager
    def _others_may_fail(self, contestant: Contestant) -> Iterator[None]:
        """Leave out a contestant that is unavailable, or that fails and is not ours."""
        try:
            yield
        except Unavailable as reason:
            self._leave_out(contestant.name, reason)
        except Exception as error:
            if contestant.ours:
                raise
            self._folders.pop(contestant, None)
            self._leave_out(contestant.name, Unavailable(f"{type(error).__name__}: {first_line(error)}"))

    def _leave_out(self, name: str, reason: Unavailable) -> None:
        self.measurements.left_out.append(f"{name}, {reason}")
        self._say(f"{name}: left out, {reason}")
