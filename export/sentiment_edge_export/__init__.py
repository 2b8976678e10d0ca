"""From a trained checkpoint to a bundle, proven against torch. Needs the extra `export`."""

import sentiment_edge_runtimes  # noqa: F401 - before all others, so that no library reports
