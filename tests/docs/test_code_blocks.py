"""Every code block of the documentation is run as it stands, or says why not; `helpers/code_blocks/page.py` has the marks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from helpers.code_blocks.page import Block, blocks, pages
from helpers.code_blocks.running import Outcome, PageRun

_BLOCKS = [block for page in pages() for block in blocks(page)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], dict[str, Outcome]]:
    """Run a page once, whole, as its blocks build on each other."""

    @cache
    def run(page: Path) -> dict[str, Outcome]:
        with PageRun(page, tmp_path_factory.mktemp(page.stem)) as running:
            return {str(block): running.run(block) for block in _BLOCKS if block.page == page}

    return run


@pytest.mark.parametrize("block", _BLOCKS, ids=str)
def test_the_block_does_what_the_page_shows(outcomes: Callable[[Path], dict[str, Outcome]], block: Block) -> None:
    faults, skipped = outcomes(block.page)[str(block)]
    if skipped:
        pytest.skip(skipped)
    assert not faults, "\n".join(faults)
