"""`sentiment-edge export`."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.flags import with_flags
from sentiment_edge.cli.common.options import (
    CheckpointOption,
    EncodingOption,
    JsonOption,
    TextColumnOption,
    check_no_file,
    one_of,
)
from sentiment_edge.cli.common.output import check_folder, write_page
from sentiment_edge.cli.common.terminal import TerminalProgress, warn
from sentiment_edge_export.vocabulary import DEFAULT_FP32_SHARE, Norm, QuietSoftmax
from sentiment_edge_runtimes.vocabulary import (
    DEFAULT_ENGINE,
    ENGINES,
    INFERENCE_PRECISIONS,
    PADDING_CHOICES,
    QUANTIZATIONS,
    InferencePrecision,
    PaddingChoice,
    Precision,
    Quantization,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentiment_edge_export.gate import ParityError
    from sentiment_edge_export.pipeline import ExportReport


def export(
    model: Annotated[str, typer.Option(help="A name from `models`, a folder, or a Hub id (owner/name).")],
    int8: Annotated[bool, typer.Option("--int8", help="Quantize to int8. The default is fp32.")] = False,
    output: Annotated[Path | None, typer.Option(help="Folder to write. The default is ./NAME-PRECISION.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle that is there.")] = False,
    checkpoint: CheckpointOption = None,
    padding: Annotated[
        PaddingChoice | None,
        typer.Option(help=f"GRU: padding invisible to the model, or read as in training. The default is {PADDING_CHOICES[0]}."),
    ] = None,
    engines: Annotated[
        list[str] | None,  # typer takes no list of Literal
        typer.Option(
            "--engine", metavar="|".join(ENGINES), help=f"Engine to export for; repeatable. The default is {DEFAULT_ENGINE}."
        ),
    ] = None,
    quantization: Annotated[
        Quantization | None,
        typer.Option(
            help="int8 in ONNX Runtime: scales of each token, fixed ones (faster), or (for comparison) of the whole batch. "
            f"The default is {QUANTIZATIONS[0]}."
        ),
    ] = None,
    no_fusion: Annotated[bool, typer.Option("--no-fusion", help="Leave attention in its parts, for comparison.")] = False,
    fixed_length: Annotated[
        int | None, typer.Option(help="Accept texts of this many tokens only, padded. The default is any length.")
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Read at most this many tokens of a text. The default is as many as the model can.")
    ] = None,
    fixed_batch: Annotated[
        int | None, typer.Option(help="Accept this many texts at once only. The default is any number.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Names of the classes in their order: negative,positive.")] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Take the tokenizer from here: a folder, a tokenizer.json or a vocab.txt.")
    ] = None,
    heads: Annotated[int | None, typer.Option(help="Burn: attention heads, where config.json does not tell.")] = None,
    norm: Annotated[
        Norm | None, typer.Option(help="Burn: layers normalize their input or output, where config.json does not tell.")
    ] = None,
    quiet_softmax: Annotated[
        QuietSoftmax | None,
        typer.Option(help="Burn: quiet softmax as up to version 0.19 (legacy) or since. The default is as the record says."),
    ] = None,
    min_agreement: Annotated[
        float | None, typer.Option(help="Share of texts that must get torch's label. The default in int8 is 0.99.")
    ] = None,
    max_mean_drift: Annotated[
        float | None, typer.Option(help="How far probabilities may move on average. The default in int8 is 0.01.")
    ] = None,
    max_logit_difference: Annotated[
        float | None, typer.Option(help="How far a logit may be from torch's. The default in fp32 is 1e-4.")
    ] = None,
    max_fp32_share: Annotated[
        float | None,
        typer.Option(
            help=f"int8: share of the weights that may stay fp32 to meet these bounds. The default is {DEFAULT_FP32_SHARE}."
        ),
    ] = None,
    parity_data: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Your own texts to measure parity on too: one a line, or csv, tsv, jsonl."),
    ] = None,
    text_column: TextColumnOption = None,
    encoding: EncodingOption = None,
    inference_precision: Annotated[
        InferencePrecision | None,
        typer.Option(
            help="OpenVINO: compute what is not int8 in fp32, or, gated like int8, in bfloat16 where the CPU has it. "
            f"The default is {INFERENCE_PRECISIONS[0]}."
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="int8: texts like yours to fit it to: one a line, or csv, tsv, jsonl. Texts of the gate do not count.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write what the gate found, passed or not, as a self-contained page.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use only what is on this machine.")] = False,
    print_json: JsonOption = False,
) -> None:
    """Turn a trained checkpoint into a bundle, proven to give torch's answers (status 3 when it does not)."""
    if parity_data is None and calibration is None:
        check_no_file("--parity-data or --calibration", text_column, encoding)
    if report is not None:
        _check_report(report, output, (parity_data, calibration))
    from sentiment_edge_export import options

    burn = options.BurnOptions(heads, norm, quiet_softmax)
    source = options.SourceOptions(checkpoint, tokenizer, None if labels is None else _split(labels), offline, burn)
    graph = options.GraphOptions(fixed_length, fixed_batch, not no_fusion, padding, inference_precision, max_length)
    int8_options = options.Int8Options(quantization, max_fp32_share=max_fp32_share)
    gate = options.GateOptions((), min_agreement, max_mean_drift, max_logit_difference)
    precision: Precision = "int8" if int8 else "fp32"
    wanted = one_of("engines", engines or [DEFAULT_ENGINE], ENGINES)
    options.ExportOptions(precision, wanted, source, graph, int8_options, gate)  # a wrong one is named before files are read
    int8_options = replace(int8_options, calibration=_read_texts(calibration, text_column, encoding))
    gate = replace(gate, texts=_read_texts(parity_data, text_column, encoding))
    from sentiment_edge.extras import needs_extra

    with needs_extra("export"):
        from sentiment_edge_export.gate import ParityError
        from sentiment_edge_export.pipeline import export_model
    title = f"{model}, {precision}"
    try:
        with _ExportProgress() as progress:
            made = export_model(
                model,
                precision=precision,
                engines=wanted,
                output=output,
                overwrite=overwrite,
                source=source,
                graph=graph,
                int8=int8_options,
                gate=gate,
                progress=progress,
            )
    except ParityError as refusal:
        _write_refusal(report, title, refusal)
        warn(*str(refusal).split("\n"))
        raise typer.Exit(refusal.exit_status) from None
    _show(made, print_json=print_json)
    if report is not None:
        from sentiment_edge.parity.page import page

        write_page(report, page(made.parity, title, notes=[*map(with_flags, made.notes)], fp32=made.fp32))


def _split(labels: str) -> list[str]:
    return [label.strip() for label in labels.split(",")]


def _check_report(report: Path, output: Path | None, inputs: Iterable[Path | None]) -> None:
    """Refuse what would be found out after minutes, or would be regretted."""
    if output is not None and report.resolve().is_relative_to(output.resolve()):
        raise typer.BadParameter("--report lies in the bundle's folder, which holds checked files only; put it beside")
    if any(path is not None and report.resolve() == path.resolve() for path in inputs):
        raise typer.BadParameter("--report would replace --parity-data or --calibration")
    check_folder(report)


def _read_texts(path: Path | None, column: str | None, encoding: str | None) -> tuple[str, ...]:
    if path is None:
        return ()
    from sentiment_edge.data.tables.record import ReadOptions
    from sentiment_edge.data.texts import read_own_texts

    return read_own_texts(path, column, TerminalProgress(), ReadOptions(encoding=encoding))


def _write_refusal(path: Path | None, title: str, refusal: ParityError) -> None:
    """Write the page, if one was asked for; where that fails too, the refusal stays the outcome."""
    if path is None:
        return
    from sentiment_edge.parity.page import page

    try:
        notes = [*map(with_flags, refusal.report.left_out)]
        write_page(path, page(refusal.report, title, notes=notes, ranking=refusal.ranking))
    except OSError as error:
        warn(f"{path}: {error.strerror or error}")


class _ExportProgress(TerminalProgress):
    """Ends the process on a signal by unwinding it, so that nothing is left behind.

    A signal's exception is lost when it is raised inside a callback of foreign code; so the next stage asks again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._status = 0
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # which nohup relies on
                signal.signal(number, self._stop)

    def stage(self, name: str) -> None:
        """Show a stage that begins, unless a signal came."""
        if self._status:
            sys.exit(self._status)
        super().stage(name)

    def _stop(self, number: int, _: object) -> None:
        self._status = 128 + number
        sys.exit(self._status)


def _show(made: ExportReport, *, print_json: bool) -> None:
    from sentiment_edge.parity.as_json import as_json

    for note in made.notes:
        warn(note)
    fp32 = [each._asdict() for each in made.fp32]
    if not print_json:
        typer.echo(_as_text(made))
        return
    tokens = made.parity.tokenizer.as_json() if made.parity.tokenizer else None
    more = {"padding": made.bundle.manifest.padding, "tokenizer": tokens, "notes": made.notes, "fp32": fp32}
    typer.echo(as_json(made.bundle, made.parity.summary(), **more))


def _as_text(made: ExportReport) -> str:
    from sentiment_edge.parity.text import text
    from sentiment_edge.render.text import visible

    manifest = made.bundle.manifest
    size = sum(manifest.files.values()) / 1e6
    counted = ", ".join(f"{count} {kind}" for kind, count in manifest.nodes.items())
    fp32 = visible(", ".join(map(str, made.fp32)))
    kept = f"in fp32, because int8 missed its bounds: {fp32}\n" if fp32 else ""
    return (
        f"{text(made.parity.conditions)}\n"
        f"alone or in any batch: logits differ by at most {made.parity.batch_difference:.2g}\n"
        f"{kept}{visible(str(made.bundle.root))}: {manifest.precision}, {size:.1f} MB, nodes: {counted}"
    )
