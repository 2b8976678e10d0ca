"""The README.md of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentiment_edge_export.parity.report import ParityReport
    from sentiment_edge_runtimes.bundle import Manifest


def model_card(name: str, manifest: Manifest, report: ParityReport, about: str) -> str:
    """Return the card: the bundle's contents, an example of its use, parity with torch, licence; then `about`, if not empty."""
    source = manifest.source
    licence = source.licence or "not stated by the source"
    rows = "\n".join(
        f"| {condition.engine}, {condition.precision}, {condition.name} | {condition.texts} | {condition.agreement:.2%} | "
        f"{condition.mean_drift:.5f} | {condition.p99_drift:.5f} | {condition.max_drift:.5f} | "
        f"{condition.max_logit_difference:.2g} |"
        for condition in report.conditions
    )
    return f"""---
license: {(source.licence or "unknown").lower()}
pipeline_tag: text-classification
---
# {name}

Sentiment classifier `{source.id}` ({manifest.family}) in {manifest.precision}, exported by sentiment-edge.
Labels: {", ".join(manifest.labels)}. Reads the first {manifest.max_length} tokens of a text.

```python
from sentiment_edge import load

classifier = load("{name}")
print(classifier("I love this restaurant!"))
```

Against the original in torch, on the exporter's parity texts:

| condition | texts | same label | mean drift | 99 % of drifts | largest drift | largest logit difference |
|---|---|---|---|---|---|---|
{rows}

Drift of a text: the largest absolute change of a class probability. The logits of a text alone and in any batch differ
by at most {report.batch_difference:.2g}.{_unpadded(manifest)}{_in_fp32(manifest)}

Licence of the source: {licence}.
{_below(about)}"""


def _below(about: str) -> str:
    return f"\n{about}\n" if about else ""


def _unpadded(manifest: Manifest) -> str:
    told = "The model's answers depend on padding, so nothing is padded: only texts with as many tokens share a batch."
    return f"\n\n{told}" if manifest.grid is None else ""


def _in_fp32(manifest: Manifest) -> str:
    kept = {engine: [f"`{each.weight}`" for each in recipe.fp32] for engine, recipe in manifest.quantization.items()}
    return "".join(
        f"\n\nIn fp32 for {engine}, because int8 changed the answers too much: {', '.join(names)}."
        for engine, names in kept.items()
        if names
    )
