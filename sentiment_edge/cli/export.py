"""`sentiment-edge export`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sentiment_edge.cli.common.options import JsonOption, one_of
from sentiment_edge.cli.common.output import check_folder, write_page
from sentiment_edge.cli.common.terminal import shows_progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentiment_edge.export import ExportReport, ParityError


def export(
    model: Annotated[str, typer.Option(help="A name from `models`, a folder, or a Hub id (owner/name).")],
    int8: Annotated[bool, typer.Option("--int8", help="Quantize to int8; fp32 without it.")] = False,
    output: Annotated[Path | None, typer.Option(help="Folder to write; ./NAME-PRECISION without it.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle that is there.")] = False,
    checkpoint: Annotated[Path | None, typer.Option(help="Take the model's files from this folder.")] = None,
    padding: Annotated[
        Literal["packed", "padded"], typer.Option(help="GRU: padding invisible to the model, or read as in training.")
    ] = "packed",
    engines: Annotated[
        list[str] | None,  # typer takes no list of Literal
        typer.Option(
            "--engine", metavar="onnxruntime|openvino", help="What to export for; repeatable. onnxruntime without it."
        ),
    ] = None,
    quantization: Annotated[
        Literal["per-token", "per-tensor"],
        typer.Option(
            help="int8 in ONNX Runtime: a scale for each token, or (for comparison) the classical one for a whole batch."
        ),
    ] = "per-token",
    no_fusion: Annotated[bool, typer.Option("--no-fusion", help="Leave attention in its parts, for comparison.")] = False,
    fixed_length: Annotated[
        int | None, typer.Option(min=1, help="Take texts of this many tokens only, padded; any length without it.")
    ] = None,
    fixed_batch: Annotated[
        int | None, typer.Option(min=1, help="Take this many texts at once only; any number without it.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Names of the classes in their order: negative,positive.")] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Take the tokenizer from here: a folder, a tokenizer.json or a vocab.txt.")
    ] = None,
    heads: Annotated[int | None, typer.Option(min=1, help="Burn: attention heads, where config.json does not tell.")] = None,
    norm: Annotated[
        Literal["first", "last"] | None, typer.Option(help="Burn: norms before or after, where config.json does not tell.")
    ] = None,
    quiet_softmax: Annotated[
        Literal["off", "legacy", "softmax1"] | None,
        typer.Option(help="Burn: attention weights as up to version 0.19 (legacy) or since; as the record says without it."),
    ] = None,
    min_agreement: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of texts that must get torch's label; 0.99 in int8 without it.")
    ] = None,
    max_mean_drift: Annotated[
        float | None, typer.Option(min=0, max=1, help="How far probabilities may move, on average; 0.01 in int8 without it.")
    ] = None,
    max_logit_difference: Annotated[
        float | None, typer.Option(min=0, help="How far any logit may be from torch's; 1e-4 in fp32 without it.")
    ] = None,
    max_fp32_share: Annotated[
        float, typer.Option(min=0, max=1, help="int8: share of the weights that may stay fp32 to meet these bounds.")
    ] = 0.25,
    parity_data: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Texts of your own to measure parity on too: a line each, or csv, tsv, jsonl."),
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column of these texts; the only one, or a usual name without it.")
    ] = None,
    inference_precision: Annotated[
        Literal["f32", "bf16"],
        typer.Option(help="OpenVINO: what is not int8 in fp32, or, gated like int8, in bfloat16 where the CPU has it."),
    ] = "f32",
    calibration: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="int8: texts like yours to fit it to, a line each, or csv, tsv, jsonl; the gate's do not count.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write what the gate found, passed or not, as a self-contained page.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use only what is on this machine.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Turn a trained checkpoint into a bundle, proven to give torch's answers (status 3 when it does not)."""
    from sentiment_edge_runtimes.vocabulary import ENGINES

    if text_column is not None and parity_data is None and calibration is None:
        raise typer.BadParameter("--text-column goes with --parity-data or --calibration")
    if report is not None:
        _check_report(report, output, (parity_data, calibration))
    wanted = one_of("--engine", engines or ["onnxruntime"], ENGINES)
    texts = _own_texts(parity_data, text_column)
    calibration_texts = _own_texts(calibration, text_column)
    from sentiment_edge.export import BurnOptions, GateOptions, ParityError, export_model
    from sentiment_edge.parity.as_json import bundle_json

    precision: Literal["int8", "fp32"] = "int8" if int8 else "fp32"
    try:
        made = export_model(
            model,
            precision=precision,
            engines=wanted,
            output=output,
            overwrite=overwrite,
            checkpoint=checkpoint,
            quantization=quantization,
            padding=padding,
            fusion=not no_fusion,
            fixed_length=fixed_length,
            fixed_batch=fixed_batch,
            labels=None if labels is None else [label.strip() for label in labels.split(",")],
            tokenizer=tokenizer,
            burn=BurnOptions(heads, None if norm is None else norm == "first", quiet_softmax),
            gate=GateOptions(texts, min_agreement, max_mean_drift, max_logit_difference, max_fp32_share),
            inference_precision=inference_precision,
            calibration=calibration_texts,
            offline=offline,
            progress=_Stages(),
        )
    except ParityError as refusal:
        if report is not None:
            _report_refusal(report, f"{model}, {precision}", refusal)
        raise
    for note in made.notes:
        typer.echo(f"note: {note}", err=True)
    fp32 = [each._asdict() for each in made.fp32]
    as_object = bundle_json(made.bundle, made.parity.summary(), notes=made.notes, fp32=fp32)
    typer.echo(as_object if as_json else _as_text(made))
    if report is not None:
        from sentiment_edge.parity.page import page

        write_page(report, page(made.parity, f"{model}, {precision}", fp32=made.fp32))


def _check_report(report: Path, output: Path | None, inputs: Iterable[Path | None]) -> None:
    """Refuse what would be found out after minutes, or would be regretted."""
    if output is not None and report.resolve().is_relative_to(output.resolve()):
        raise typer.BadParameter("--report lies in the bundle's folder, which holds checked files only; put it beside")
    if any(path is not None and report.resolve() == path.resolve() for path in inputs):
        raise typer.BadParameter("--report would replace --parity-data or --calibration")
    check_folder(report)


def _own_texts(path: Path | None, column: str | None) -> tuple[str, ...]:
    if path is None:
        return ()
    from sentiment_edge.data.texts import read_own_texts

    return read_own_texts(path, column, lambda remark: typer.echo(f"sentiment-edge: {remark}", err=True))


def _report_refusal(path: Path, title: str, refusal: ParityError) -> None:
    """Write the page; where that fails too, the refusal stays the outcome."""
    from sentiment_edge.parity.page import page

    try:
        write_page(path, page(refusal.report, title, ranking=refusal.ranking))
    except OSError as error:
        typer.echo(f"sentiment-edge: {path}: {error.strerror or error}", err=True)


class _Stages:
    """Shows each stage on a terminal, and ends the process on a signal by unwinding it, so that nothing is left behind.

    What a signal raises inside a callback of foreign code is lost; so the next stage asks again.
    """

    def __init__(self) -> None:
        self._status = 0
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # which nohup relies on
                signal.signal(number, self._stop)

    def __call__(self, stage: str) -> None:
        if self._status:
            sys.exit(self._status)
        if shows_progress():
            typer.echo(f"{stage} ...", err=True)

    def _stop(self, number: int, _: object) -> None:
        self._status = 128 + number
        sys.exit(self._status)


def _as_text(report: ExportReport) -> str:
    from sentiment_edge.parity.text import parity_table

    bundle = report.bundle
    size = sum(bundle.manifest.files.values()) / 1e6
    counted = ", ".join(f"{count} {kind}" for kind, count in bundle.manifest.nodes.items())
    kept = f"in fp32, for int8 missed its bounds: {', '.join(map(str, report.fp32))}\n" if report.fp32 else ""
    return (
        f"{parity_table(report.parity.conditions)}\n"
        f"alone or in any batch: logits differ by at most {report.parity.batch_difference:.2g}\n"
        f"{kept}{bundle.root}: {bundle.manifest.precision}, {size:.1f} MB, nodes: {counted}"
    )
