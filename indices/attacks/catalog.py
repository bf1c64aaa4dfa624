"""The attacks by name: what each does, what its size is of, and the sizes that are tried."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.indices.attacks.asks import parked_ask, placeholders
from tenorgrid.indices.attacks.scene import Planted, Scene, Unsuited
from tenorgrid.indices.attacks.spoiled import divided_twice, stale_quotes, totals
from tenorgrid.indices.attacks.volume import late_block, one_contributor
from tenorgrid.indices.attacks.wash import wash_ring, wash_trades

SHARE, MOVE, TIMES, ROWS, NAMES = "share", "market move", "times the mark", "rows", "names"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One way to move a mark, in growing sizes, of which `usual` is the one by which methodologies are compared; `strike` is a pure
    function of the scene and a size."""

    name: str
    does: str
    unit: str
    sizes: tuple[float, ...]
    usual: float
    strike: Callable[[Scene, float], Planted | Unsuited]


ATTACKS = (
    Attack(
        name="one contributor",
        does="the largest contributor has this share of all that is shown, at 1.5 times the mark",
        unit=SHARE,
        sizes=(0.1, 0.3, 0.5, 0.7, 0.9),
        usual=0.5,
        strike=one_contributor,
    ),
    Attack(
        name="late block",
        does="the same share a minute before the cut-off, in one trade",
        unit=SHARE,
        sizes=(0.1, 0.3, 0.5, 0.7, 0.9),
        usual=0.5,
        strike=late_block,
    ),
    Attack(
        name="wash trades",
        does="two related names sell to each other this share of the volume, at 1.5 times the mark",
        unit=SHARE,
        sizes=(0.1, 0.3, 0.5, 0.7, 0.9),
        usual=0.5,
        strike=wash_trades,
    ),
    Attack(
        name="wash ring",
        does="this many related names trade 240 times in a ring, as much as the market, at 1.5 times the mark",
        unit=NAMES,
        sizes=(2, 3, 4, 6, 8),
        usual=4,
        strike=wash_ring,
    ),
    Attack(
        name="stale quotes",
        does="a third of the contributors did not follow a rise of the market by this much",
        unit=MOVE,
        sizes=(0.05, 0.1, 0.25, 0.5, 1.0),
        usual=0.25,
        strike=stale_quotes,
    ),
    Attack(
        name="parked ask",
        does="the smallest contributor parks one ask at this multiple of the mark",
        unit=TIMES,
        sizes=(2, 5, 10, 30, 100),
        usual=100,
        strike=parked_ask,
    ),
    Attack(
        name="placeholders",
        does="the smallest contributor shows this many rows at 0.50 USD",
        unit=ROWS,
        sizes=(1, 3, 10, 30, 100),
        usual=100,
        strike=placeholders,
    ),
    Attack(
        name="totals for units",
        does="this share of the contributors show the total of a machine as the price of a GPU",
        unit=SHARE,
        sizes=(0.1, 0.25, 0.5, 0.75, 1.0),
        usual=0.25,
        strike=totals,
    ),
    Attack(
        name="divided twice",
        does="this share of the contributors show a GPU's price divided by the number of GPUs once more",
        unit=SHARE,
        sizes=(0.1, 0.25, 0.5, 0.75, 1.0),
        usual=0.25,
        strike=divided_twice,
    ),
)


def attacks_named(names: Sequence[str] | None) -> tuple[Attack, ...]:
    """The attacks of these names, in the catalog's order; None is all. Raises `InputError` naming every unknown one.

    >>> [one.name for one in attacks_named(["parked ask", "late block"])]
    ['late block', 'parked ask']
    """
    if names is None:
        return ATTACKS
    known = [one.name for one in ATTACKS]
    if wrong := [name for name in names if name not in known]:
        raise InputError(Fault(file="attacks", value=name, expected=f"one of {', '.join(known)}") for name in wrong)
    if not names:
        raise InputError.of("attacks", f"at least one of {', '.join(known)}")
    return tuple(one for one in ATTACKS if one.name in names)


def size_text(size: float, unit: str) -> str:
    """A size with its unit, as short as a figure needs it.

    >>> size_text(0.3, "share"), size_text(100, "times the mark"), size_text(3, "names"), size_text(1, "rows")
    ('30 %', '×100', '3 names', '1 row')
    """
    if unit in (SHARE, MOVE):
        return f"{100 * size:g} %"
    if unit == TIMES:
        return f"×{size:g}"
    return f"{size:g} {unit.removesuffix('s') if size == 1 else unit}"
