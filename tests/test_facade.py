"""`import tenorgrid as tg`: every public name is there, and importing one thing imports no other."""

import subprocess
import sys

import pytest

import tenorgrid as tg

HEAVY = ("polars", "numpy", "scipy", "pandas", "plotly", "highspy", "statsmodels", "pyomo", "typer", "rich")


def loaded(code: str) -> set[str]:
    """The heavy libraries that a fresh Python has imported after `code`."""
    asked = f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    return set(subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("name", tg.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    assert name in dir(tg)
    assert callable(getattr(tg, name))
    assert getattr(tg, name).__doc__


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'tenorgrid' has no attribute 'crystal_ball'"):
        tg.crystal_ball  # noqa: B018


def test_the_names_of_the_example_flow_are_public() -> None:
    flow = {"read_case", "clear", "concat", "read_listings", "mark", "fit_curve", "flat", "fit_volatility", "Exposure", "hedge", "value",
            "settle", "report", "InputError"}  # fmt: skip
    assert flow <= set(tg.__all__)


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import tenorgrid", set()),
        ("import tenorgrid.cli", {"typer", "rich"}),
        ("import tenorgrid; tenorgrid.read_case, tenorgrid.flat", {"polars", "numpy"}),
        ("import tenorgrid; tenorgrid.clear, tenorgrid.settle", {"polars", "numpy", "scipy", "highspy"}),
    ],
)
def test_importing_one_thing_imports_no_other(code: str, allowed: set[str]) -> None:
    assert loaded(code) <= allowed
