"""`sentiment-edge evaluate`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.options import BundleArgument, EngineOption, JsonOption, ThreadsOption
from sentiment_edge.cli.common.output import check_folder, write_page
from sentiment_edge.cli.common.terminal import Progress, shows_progress

if TYPE_CHECKING:
    from sentiment_edge.evaluation.run import Listener


def evaluate(
    bundle: BundleArgument = None,
    data: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="Labelled texts: tsv or csv with a header, or jsonl."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Evaluate these instead of a bundle: columns label, prediction and, where known, each class's probability.",
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FROM=TO,...", help="What the data's labels stand for; FROM= leaves their rows out."),
    ] = None,
    compare: Annotated[Path | None, typer.Option(file_okay=False, help="Another bundle, to set beside the first.")] = None,
    text_column: Annotated[str | None, typer.Option(help="Column of the texts; a usual name without it.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Column of the labels; a usual name without it.")] = None,
    prediction_column: Annotated[str | None, typer.Option(help="Column of the predictions; a usual name without it.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave rows out that do not parse.")] = False,
    report: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a self-contained page, with curves.")] = None,
    digits: Annotated[int, typer.Option(min=1, max=10, help="Digits after the point.")] = 4,
    engine: EngineOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how good a bundle is on labelled texts: accuracy, F1, confusion matrix, ROC AUC, calibration, speed."""
    if predictions is not None and (data or bundle or compare or text_column):
        raise typer.BadParameter("--predictions stands alone: no bundle, no --data, no --compare, no --text-column")
    if predictions is None and prediction_column:
        raise typer.BadParameter("--prediction-column goes with --predictions")
    if report is not None:
        check_folder(report)
    from sentiment_edge.data.labelled import Selection
    from sentiment_edge.evaluation.as_json import evaluation_json
    from sentiment_edge.evaluation.run import evaluate_classifier, evaluate_stored
    from sentiment_edge.evaluation.text import evaluation_table
    from sentiment_edge_runtimes.classifier import load

    selection = Selection(text_column, label_column, prediction_column, _parse_map(mapping or []), skip_bad)
    with closing(Progress(shown=shows_progress())) as progress:
        listener = _listener(progress)
        if predictions is not None:
            result = evaluate_stored(predictions, selection, listener)
        elif data is not None:
            other = None if compare is None else load(compare, engine=engine, threads=threads)
            result = evaluate_classifier(load(bundle, engine=engine, threads=threads), data, selection, listener, other=other)
        else:
            raise typer.BadParameter("give --data FILE, or --predictions FILE")
    typer.echo(evaluation_json(result) if as_json else evaluation_table(result, digits))
    if report is not None:
        from sentiment_edge.evaluation.page import page

        write_page(report, page(result))


def _parse_map(entries: list[str]) -> dict[str, str]:
    from sentiment_edge.data.labels import parse_map
    from sentiment_edge_runtimes.errors import InputError

    try:
        return parse_map(entries)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None


def _listener(progress: Progress) -> Listener:
    from sentiment_edge.evaluation.run import Listener

    def say(remark: str) -> None:
        progress.close()
        typer.echo(f"sentiment-edge: {remark}", err=True)

    return Listener(say, progress.add)
