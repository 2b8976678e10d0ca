"""The app that is frozen. It answers a bundle's golden texts and writes what came of it, as JSON, to the file it is given.

app.py FILE             the default bundle
app.py FILE bundle      the bundle that lies beside this program, as its data
"""

import json
import sys
from pathlib import Path

import sentiment_edge_runtimes
from sentiment_edge import SentimentEdgeError, load, verify

HOME = Path(sys.prefix) if getattr(sys, "frozen", False) else Path(__file__).parent
"""The folder of this program's data, in every kind of app."""


def answer(bundle: Path | None) -> dict[str, object]:
    """Return the answers, and what `verify` says of them: whether they are torch's, within the bundle's bounds."""
    classifier = load(bundle)
    root = classifier.bundle.root
    texts = [json.loads(line)["text"] for line in (root / "golden.jsonl").read_text("utf-8").split("\n") if line]
    return {
        "logits": classifier.logits(texts).tolist(),
        "verified": verify(root).passed,
        "engine": classifier.engine,
        "package": sentiment_edge_runtimes.__file__,
        "windowed": sys.stdout is None,
    }


def main() -> None:
    """Answer, or write our error's message: it must be one line that says what to do."""
    file, *names = sys.argv[1:]
    try:
        found = answer(HOME / names[0] if names else None)
    except SentimentEdgeError as error:
        found = {"error": str(error)}
    Path(file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
