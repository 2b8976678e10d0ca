from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from helpers.openvino_bundle import add_openvino
from helpers.support import Command, edit_manifest, put_file

from sentiment_edge import BundleInvalid, verify
from sentiment_edge_runtimes import verification
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.errors import OptionError


def rewrite_golden(folder: Path, rows: list[dict[str, object]]) -> None:
    put_file(folder, "golden.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())


def read_golden(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "golden.jsonl").read_text("utf-8").splitlines()]


def test_the_default_bundle_is_verified() -> None:
    result = verify(DEFAULT_BUNDLE)
    assert result.passed
    here, torch = result.conditions
    assert here.agreement == torch.agreement == 1
    assert here.texts >= 200
    assert here.max_drift < torch.max_drift


@pytest.mark.parametrize("options", [{"engine": "abacus"}, {"threads": 0}, {"threads": 1.5}], ids=str)
def test_options_are_checked_before_a_file_is_read(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"`{next(iter(options))}`"):
        verify(tmp_path / "nowhere", **options)


def test_each_engine_is_held_to_its_own_answers(bundle_folder: Path) -> None:
    result = verify(str(add_openvino(bundle_folder)))
    assert [(each.engine, each.name) for each in result.conditions] == [
        (engine, name) for engine in ("onnxruntime", "openvino") for name in ("where it was built", "torch")
    ]
    assert result.conditions[2].max_logit_difference <= 1e-4
    assert not any(failure.startswith("openvino: other answers") for failure in result.failures)
    assert any(failure.startswith("openvino: ") and "torch's label" in failure for failure in result.failures)


def test_other_answers_are_noticed(bundle_folder: Path, command: Command) -> None:
    rows = read_golden(bundle_folder)
    rows[3]["logits"] = [logit + sign for logit, sign in zip(rows[3]["logits"], (0.1, -0.1), strict=True)]  # type: ignore[call-overload]
    rewrite_golden(bundle_folder, rows)
    assert not verify(bundle_folder).passed
    done = command("verify", bundle_folder, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["parity"]["passed"] is False
    assert done.stderr.count(b"\n") == 1
    assert f"{rows[3]['text']!r} differs in a probability by 0.0" in done.stderr.decode()


def test_other_tokens_are_noticed(bundle_folder: Path, command: Command) -> None:
    rows = read_golden(bundle_folder)
    for row in rows:
        row["ids"] = [2, 3]
    rewrite_golden(bundle_folder, rows)
    done = command("verify", bundle_folder)
    assert done.returncode == 1
    assert "other tokens here than where it was built for 2" in done.stderr.decode()


def test_answers_that_are_not_torchs_are_noticed(bundle_folder: Path, command: Command) -> None:
    rows = read_golden(bundle_folder)
    for row in rows:
        row["torch"] = [logit + sign for logit, sign in zip(row["torch"], (0.1, -0.1), strict=True)]  # type: ignore[call-overload]
    rewrite_golden(bundle_folder, rows)
    here, torch = verify(bundle_folder).conditions
    assert here.max_drift < 1e-6
    assert torch.mean_drift > 0.01
    done = command("verify", bundle_folder)
    assert done.returncode == 1
    assert "mean drift from torch is 0.0" in done.stderr.decode()


def test_a_bound_on_the_logits_is_held(bundle_folder: Path) -> None:
    parity = Bundle.open(bundle_folder).manifest.parity
    edit_manifest(bundle_folder, parity={**parity, "bounds": {**parity["bounds"], "logit_difference": 1e-7}})
    (failure,) = verify(bundle_folder).failures
    assert re.fullmatch(r"a logit differs from torch's by 0\.\d+ here, 1e-07 is allowed", failure)


def test_products_that_saturate_are_named_as_the_likely_reason(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_golden(bundle_folder)
    rewrite_golden(bundle_folder, [{**row, "logits": [3.0, -3.0]} for row in rows])
    monkeypatch.setattr(verification, "products_saturate", lambda: True)
    (failure,) = verify(bundle_folder).failures
    assert failure.endswith("; this CPU's int8 products saturate (x86 without VNNI), and slower exact ones are in use")


def test_an_fp32_model_is_held_to_its_logits(bundle_folder: Path) -> None:
    rows = read_golden(bundle_folder)
    rewrite_golden(bundle_folder, [*rows[:3], {**rows[3], "logits": [50.0, -50.0]}, *rows[4:]])
    edit_manifest(bundle_folder, precision="fp32")
    (failure,) = verify(bundle_folder).failures
    assert f"{rows[3]['text']!r:.60} differs in a logit by " in failure
    assert failure.endswith(", 0.0001 allowed")


@pytest.mark.parametrize("parity", [{}, {"bounds": {}}, {"bounds": {"agreement": "much"}}, {"bounds": 3}], ids=range(4))
def test_bounds_that_are_none_are_named(bundle_folder: Path, parity: dict[str, object]) -> None:
    edit_manifest(bundle_folder, parity=parity)
    with pytest.raises(BundleInvalid, match="no bounds"):
        verify(bundle_folder)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"text": "x"}],
        [{"text": "x", "logits": [1, 2]}],
        [{"text": "x", "logits": [1], "torch": [1]}],
        [{"text": "x", "logits": "no", "torch": [1, 2]}],
        [{"text": "x", "logits": [10**400, 1], "torch": [1, 2]}],
        [{"text": "x", "ids": ["2"], "logits": [1, 2], "torch": [1, 2]}],
        [{"text": "x", "ids": [2], "logits": [1, 2], "torch": [1, 2]}, {"text": "y", "logits": [1, 2], "torch": [1, 2]}],
        [3],
    ],
    ids=range(9),
)
def test_golden_outputs_that_are_none_are_named(bundle_folder: Path, rows: list[dict[str, object]]) -> None:
    rewrite_golden(bundle_folder, rows)
    with pytest.raises(BundleInvalid, match=r"golden\.jsonl"):
        verify(bundle_folder)


def test_the_command_prints_the_promised_object(command: Command) -> None:
    done = command("verify", DEFAULT_BUNDLE, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert {"bundle", "precision", "engines", "files", "nodes", "parity"} <= set(answer)
    figures = {"texts", "agreement", "max_drift", "mean_drift", "p99_drift", "max_logit_difference"}
    assert {"name", "engine", "precision", *figures} == set(answer["parity"]["conditions"][0])
