"""The torch-free ground floor: from a bundle to predictions. Needs numpy, tokenizers and one engine."""

import sentiment_edge_runtimes.engines.telemetry  # noqa: F401 - before all others, so that no library reports
