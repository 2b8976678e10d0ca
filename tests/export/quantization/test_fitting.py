"""Fitting weights to activations: the rounding, the Gram matrices, and what calibrations share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from helpers.tiny_encoders import tiny_model, write_encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.options import ExportOptions, GraphOptions
from sentiment_edge_export.pipeline import trace_graph
from sentiment_edge_export.quantization.calibration import collect_activation_stats
from sentiment_edge_export.quantization.fitting import fit_to, quantize_fitted, quantize_symmetric
from sentiment_edge_export.quantization.gram import Gram
from sentiment_edge_export.quantization.sharing import SharedStats
from sentiment_edge_export.quantization.static import static_params
from sentiment_edge_export.quantization.weights import products, round_matrices
from sentiment_edge_export.quantization.workers import each_on_one_thread
from sentiment_edge_export.targets import find_targets

if TYPE_CHECKING:
    from pathlib import Path

    import onnx_ir as ir
    from torch import Tensor

    from sentiment_edge_export.quantization.calibration import Batches
    from sentiment_edge_runtimes.vocabulary import EngineName

ENGINES: tuple[EngineName, ...] = ("onnxruntime", "openvino")


def correlated(tokens: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.eye(width) + torch.randn(width, width, generator=generator) / 2
    return torch.randn(tokens, width, generator=generator) @ mixing


def gptq(matrix: Tensor, gram: Tensor) -> Tensor:
    """Round a matrix as the paper on GPTQ has it: each row's error moves all rows after it at once."""
    damped = gram.double() + 0.01 * gram.double().diagonal().mean() * torch.eye(len(gram))
    upper = torch.linalg.cholesky(torch.linalg.inv(damped), upper=True)
    remaining = matrix.double().clone()
    values = torch.empty_like(remaining)
    for row in range(len(matrix)):
        values[row] = remaining[row].round().clamp(-127, 127)
        remaining[row:] -= torch.outer(upper[row, row:], (remaining[row] - values[row]) / upper[row, row])
    return values


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(0, 999))
def test_rounding_is_that_of_gptq(rows: int, columns: int, seed: int) -> None:
    vectors = correlated(3 * rows, rows, seed)
    gram = vectors.T @ vectors
    matrix = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)).numpy()
    values, scales = quantize_fitted(matrix, fit_to(gram, smooth=False))
    expected = gptq(torch.from_numpy(matrix / scales), gram).numpy()
    assert (values != expected).mean() <= 0.02  # in fp32 a tie may fall to either side, and move what follows
    assert np.abs(values - expected).max() <= 2


def test_a_fitted_product_errs_less() -> None:
    vectors = correlated(600, 96, seed=1)
    matrix = torch.randn(96, 24, generator=torch.Generator().manual_seed(2)).numpy()
    values, scales = quantize_fitted(matrix, fit_to(vectors.T @ vectors, smooth=False))
    plain, steps = quantize_symmetric(matrix, axis=0)
    fitted_error, plain_error = (vectors.numpy() @ (each - matrix) for each in (values * scales, plain * steps))
    assert np.square(fitted_error).sum() < 0.8 * np.square(plain_error).sum()


@pytest.mark.parametrize("width", [1, 511, 512, 1100])
def test_a_gram_matrix_has_both_triangles(width: int) -> None:
    first, second = correlated(5, width, 1) / width**0.5, correlated(8, width, 2) / width**0.5
    gram = Gram(width)
    gram.add(first)
    gram.add(second)
    torch.testing.assert_close(gram.whole(), first.T @ first + second.T @ second, atol=1e-4, rtol=1e-4)
    gram.add(torch.full((1, width), 1e30))
    assert not gram.is_finite()


def test_workers_leave_the_number_of_threads_and_the_order() -> None:
    threads = torch.get_num_threads()
    assert each_on_one_thread(lambda item: (item, torch.get_num_threads()), range(9)) == [(item, 1) for item in range(9)]
    with pytest.raises(ZeroDivisionError):
        each_on_one_thread(lambda item: 1 // item, [0])
    assert torch.get_num_threads() == threads


@pytest.fixture(scope="module")
def albert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose layers share their matrices."""
    return write_encoder(tmp_path_factory.mktemp("shared") / "albert", tiny_model("albert"))


def graph_of(folder: Path, engine: EngineName, graph: GraphOptions | None = None) -> ir.Model:
    options = ExportOptions("int8", (engine,), graph=graph or GraphOptions())
    classifier = load_classifier(find_checkpoint(str(folder), options.source), options)
    (target,) = find_targets(options)
    return trace_graph(classifier, classifier.make_form(target.FUSES_ATTENTION), target, options)


def batches_of(rows: int) -> Batches:
    """Batches in which only the first text counts, padded by two tokens."""
    generator = np.random.default_rng(0)
    batches = []
    for length in (4, 9, 4, 7, 9, 9):
        ids, mask = generator.integers(4, 20, (rows, length)), np.ones((rows, length), np.int64)
        ids[:, -2:] = mask[:, -2:] = 0
        batches.append((ids, mask))
    return batches


class TestCalibration:
    def test_texts_that_run_together_count_as_alone(self, albert: Path) -> None:
        graph, batches = graph_of(albert, "openvino"), batches_of(1)
        values = products(graph)
        together = collect_activation_stats(graph, values, batches)
        alone = [collect_activation_stats(graph, values, [batch]) for batch in batches]
        for name, stats in together.items():
            grams = torch.stack([each[name].gram.whole() for each in alone])
            torch.testing.assert_close(stats.gram.whole(), grams.sum(dim=0), atol=1e-3, rtol=1e-4)
            np.testing.assert_allclose(stats.least, np.min([each[name].least for each in alone], axis=0), atol=1e-5)
            np.testing.assert_allclose(stats.greatest, np.max([each[name].greatest for each in alone], axis=0), atol=1e-5)

    def test_a_fixed_batch_counts_its_first_text(self, albert: Path) -> None:
        fixed, free = graph_of(albert, "openvino", GraphOptions(fixed_batch=3)), graph_of(albert, "openvino")
        batches = batches_of(3)
        expected = collect_activation_stats(free, products(free), [(ids[:1], mask[:1]) for ids, mask in batches])
        found = collect_activation_stats(fixed, products(fixed), batches)
        for stats, other in zip(found.values(), expected.values(), strict=True):
            torch.testing.assert_close(stats.gram.whole(), other.gram.whole(), atol=1e-3, rtol=1e-4)
            assert stats.balance == pytest.approx(other.balance, rel=1e-4)

    def test_the_second_engine_needs_no_run_and_rounds_alike(self, albert: Path) -> None:
        shared, batches = SharedStats(), batches_of(1)
        first, second = (graph_of(albert, engine) for engine in ENGINES)
        assert shared.lacks(first)
        shared.of(first, batches)
        assert not shared.lacks(second)
        stats = shared.of(second, [])  # nothing to run
        own = collect_activation_stats(second, products(second), batches)
        assert stats.keys() == own.keys()
        for name, each in own.items():
            torch.testing.assert_close(stats[name].gram.whole(), each.gram.whole(), atol=1e-3, rtol=1e-3)
        assert len({id(each) for each in stats.values()}) == len(stats)  # layers that share matrices have different inputs
        shared.forget()
        assert shared.lacks(second)

    def test_static_ranges_are_those_of_the_values(self, albert: Path) -> None:
        graph, batches = graph_of(albert, "openvino"), batches_of(1)
        stats = collect_activation_stats(graph, products(graph), batches)
        matrices = round_matrices(graph, stats, smooth_all=True)
        known, measured = static_params(graph, matrices, stats, batches), static_params(graph, matrices, {}, batches)
        assert known.keys() == measured.keys() and known
        for name, params in known.items():
            assert params.scale == pytest.approx(measured[name].scale, rel=1e-3)
            assert abs(int(params.zero) - int(measured[name].zero)) <= 1
