"""Progress: a bar on a terminal, silence elsewhere."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from tenorgrid.progress import Bar, Silent, steps


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_off_a_terminal_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with steps() as bar:
        assert isinstance(bar, Silent)
        bar.begin("clearing", at=0.0)
        bar.reach(0.5)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_the_step_under_way_stands_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with steps() as bar:
        assert isinstance(bar, Bar)
        bar.begin("clearing", at=0.25)
    assert "clearing" in screen.getvalue()
    assert "25%" in screen.getvalue()
    assert capsys.readouterr().out == ""


def test_a_bar_moves_to_where_it_is_told() -> None:
    progress = Progress(console=Console(file=io.StringIO()))
    bar = Bar(progress)
    bar.begin("marks", at=0.65)
    assert (progress.tasks[0].description, progress.tasks[0].completed) == ("marks", 0.65)
    bar.reach(0.94)
    assert (progress.tasks[0].completed, progress.tasks[0].total) == (0.94, 1.0)
