"""The page on the packaged market says what the code does."""

from pathlib import Path

import pytest

from tenorgrid.data.sample.benchmarks import FIGURES, Figure

PAGE = Path(__file__).parents[3] / "docs" / "packaged-market.md"


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{figure.workload}-{figure.resource}")
def test_every_figure_is_on_the_page_with_its_source(figure: Figure) -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if figure.entry in line]
    assert len(lines) == 1
    assert f"{figure.value:,}" in lines[0]
    assert figure.source in lines[0]
    assert figure.resource in lines[0]
