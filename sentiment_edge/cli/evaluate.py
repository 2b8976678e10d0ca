"""`sentiment-edge evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentiment_edge.cli.common.options import (
    BundleArgument,
    EncodingOption,
    EngineOption,
    JsonOption,
    TextColumnOption,
    ThreadsOption,
)
from sentiment_edge.cli.common.output import check_folder, write_page
from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge.data.tables.record import InputFormat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentiment_edge.evaluation.result import EvaluationResult


def _data_file(text: str) -> Any:  # noqa: ANN401 - as typer.Option has it
    """Return an option for a file to read, or `-` for stdin; `text` is its help."""
    return typer.Option(exists=True, dir_okay=False, readable=True, allow_dash=True, help=text)


def evaluate(
    bundle: BundleArgument = None,
    data: Annotated[
        Path | None, _data_file("Labelled texts: csv, tsv, jsonl, JSON or Parquet, also compressed; - is stdin.")
    ] = None,
    predictions: Annotated[
        Path | None,
        _data_file("Evaluate these instead of a bundle: columns label, prediction and, if known, each class's probability."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FROM=TO,...", help="The model's label for the data's; FROM= leaves its rows out."),
    ] = None,
    compare: Annotated[Path | None, typer.Option(file_okay=False, help="Another bundle, to compare with the first.")] = None,
    text_column: TextColumnOption = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the labels; the default is the first one with a usual name.")
    ] = None,
    prediction_column: Annotated[
        str | None, typer.Option(help="Column of the predictions; the default is the first one with a usual name.")
    ] = None,
    input_format: Annotated[
        InputFormat | None, typer.Option(help="Format of the file; the default is what its ending or its content tells.")
    ] = None,
    encoding: EncodingOption = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out rows that cannot be used.")] = False,
    report: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a self-contained page, with curves.")] = None,
    digits: Annotated[int, typer.Option(min=1, max=10, help="Digits after the point.")] = 4,
    engine: EngineOption = "auto",
    threads: ThreadsOption = None,
    print_json: JsonOption = False,
) -> None:
    """Evaluate a bundle on labelled texts: accuracy, F1, confusion matrix, ROC AUC, calibration, speed."""
    _check_usage(predictions, (data, bundle, compare, text_column), prediction_column)
    if report is not None:
        check_folder(report)
    from sentiment_edge.data.labelled import Selection
    from sentiment_edge.data.labels import parse_map
    from sentiment_edge.evaluation.run import evaluate_classifier, evaluate_predictions
    from sentiment_edge_runtimes.classifier import load

    columns = (text_column, label_column, prediction_column)
    selection = Selection(*columns, parse_map(mapping or []), skip_bad, input_format, encoding)
    with TerminalProgress() as progress:
        if predictions is not None:
            result = evaluate_predictions(predictions, selection, progress)
        elif data is not None:
            other = None if compare is None else load(compare, engine=engine, threads=threads)
            result = evaluate_classifier(load(bundle, engine=engine, threads=threads), data, selection, progress, other=other)
        else:
            raise typer.BadParameter("give --data FILE, or --predictions FILE")
    _show(result, digits, report, print_json=print_json)


def _check_usage(predictions: Path | None, of_bundles: Iterable[object], prediction_column: str | None) -> None:
    """Refuse options of bundles with predictions, and the other way round."""
    if predictions is not None and any(of_bundles):
        raise typer.BadParameter("--predictions stands alone: no bundle, no --data, no --compare, no --text-column")
    if predictions is None and prediction_column:
        raise typer.BadParameter("--prediction-column goes with --predictions")


def _show(result: EvaluationResult, digits: int, report: Path | None, *, print_json: bool) -> None:
    from sentiment_edge.evaluation.as_json import as_json
    from sentiment_edge.evaluation.page import page
    from sentiment_edge.evaluation.text import text

    typer.echo(as_json(result) if print_json else text(result, digits))
    if report is not None:
        write_page(report, page(result))
