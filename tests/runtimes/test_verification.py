from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import Command, edit_manifest, reseal

from sentiment_edge import BundleInvalid, verify
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE


def rewrite_golden(folder: Path, rows: list[dict[str, object]]) -> None:
    path = folder / "golden.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    reseal(folder, path.name)
    files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    edit_manifest(folder, files={**files, path.name: path.stat().st_size})


def read_golden(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "golden.jsonl").read_text("utf-8").splitlines()]


def test_the_default_bundle_is_verified() -> None:
    result = verify(DEFAULT_BUNDLE)
    assert result.passed
    assert result.condition.agreement == 1
    assert result.condition.texts >= 40


def test_other_answers_are_noticed(bundle_folder: Path, command: Command) -> None:
    rows = read_golden(bundle_folder)
    rows[3]["logits"] = [logit + sign for logit, sign in zip(rows[3]["logits"], (0.1, -0.1), strict=True)]  # type: ignore[call-overload]
    rewrite_golden(bundle_folder, rows)
    assert not verify(bundle_folder).passed
    done = command("verify", bundle_folder, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["parity"]["passed"] is False
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"text": "x"}],
        [{"text": "x", "logits": [1]}],
        [{"text": "x", "logits": "no"}],
        [{"text": "x", "logits": [10**400, 1]}],
        [3],
    ],
    ids=range(6),
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
    assert {"name", "texts", "agreement", "max_drift", "mean_drift", "max_logit_difference"} == set(
        answer["parity"]["conditions"][0]
    )
