"""The README.md of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentiment_edge_export.parity import ParityReport


def model_card(name: str, manifest: dict[str, Any], report: ParityReport) -> str:
    """Return the card: what the bundle is, how close it is to torch, how to use it, whose it is."""
    source = manifest["source"]
    licence = source["licence"] or "not stated by the source"
    rows = "\n".join(
        f"| {condition.name} | {condition.texts} | {condition.agreement:.2%} | {condition.mean_drift:.5f} | "
        f"{condition.max_drift:.5f} | {condition.max_logit_difference:.2g} |"
        for condition in report.conditions
    )
    return f"""---
license: {(source["licence"] or "unknown").lower()}
pipeline_tag: text-classification
---
# {name}

Sentiment classifier `{source["id"]}` ({manifest["family"]}) in {manifest["precision"]}, exported by sentiment-edge.
Labels: {", ".join(manifest["labels"])}. Reads the first {manifest["max_length"]} tokens of a text.

```python
from sentiment_edge import load

classifier = load("{name}")
print(classifier("I love this restaurant!"))
```

Against the original in torch, on the exporter's parity texts:

| condition | texts | same label | mean drift | largest drift | largest logit difference |
|---|---|---|---|---|---|
{rows}

Drift of a text: the largest absolute change of a class probability. The logits of a text alone and in any batch differ
by at most {report.batch_difference:.2g}.

Licence of the source: {licence}.
"""
