"""The steps of docs/raspberry-pi.md, as `make raspberry-pi` takes them from the page."""

from __future__ import annotations

from pathlib import Path

from tools.emulation.page import Step, steps

PAGE = (Path(__file__).parents[1] / "docs/raspberry-pi.md").read_text("utf-8")
TEXT = """# A page

<!-- on the pc -->
```console
$ one | two
printed
and more
$ three
```

```console
$ not a step
```

<!-- on the pi -->
```console
$ four
error: no
```
"""


def test_commands_with_what_they_print() -> None:
    assert steps(TEXT) == [
        Step("pc", "one | two", ("printed", "and more")),
        Step("pc", "three", ()),
        Step("pi", "four", ("error: no",)),
    ]
    assert [step.refused for step in steps(TEXT)] == [None, None, "error: no"]


def test_the_page_installs_copies_verifies_and_measures() -> None:
    found = [(step.machine, step.command.split()[0:2]) for step in steps(PAGE)]
    for step in (
        ("pi", ["pip", "install"]),
        ("pi", ["sentiment-edge", "doctor"]),
        ("pc", ["sentiment-edge", "export"]),
        ("pc", ["scp", "-r"]),
        ("pi", ["sentiment-edge", "verify"]),
        ("pi", ["sentiment-edge", "bench"]),
    ):
        assert step in found
    assert [step.refused for step in steps(PAGE) if step.refused] == ["error: externally-managed-environment"]
