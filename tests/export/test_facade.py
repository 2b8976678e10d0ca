from __future__ import annotations

from types import ModuleType

import sentiment_edge.export


def test_what_is_public_is_listed() -> None:
    names = vars(sentiment_edge.export).items()
    exposed = {name for name, value in names if not name.startswith("_") and not isinstance(value, ModuleType)}
    assert set(sentiment_edge.export.__all__) == exposed
