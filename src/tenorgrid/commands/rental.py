"""`tenorgrid rental`: the forwards in rental rates."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, refuse_unused, say

if TYPE_CHECKING:
    import polars as pl

    from tenorgrid.curves.discount import Discount


def rental(
    rates: Annotated[
        Path, typer.Argument(help="Rental rates by tenor, or their bids and asks; CCIR's term structure; list prices with their terms.")
    ],
    out: Out,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Day of the rates, such as 2026-07-30; default the last.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Flat discount rate a year; default none.")] = None,
    discount: Annotated[Path | None, typer.Option("--discount", help="Table of deposits and overnight swaps.")] = None,
    payment: Annotated[str, typer.Option("--payment", help="By the month, arrears or advance.")] = "arrears",
    reference: Annotated[str | None, typer.Option("--reference", help="Index that others are tied to.")] = None,
    performance: Annotated[list[str] | None, typer.Option("--performance", help="INDEX=work over the reference's.")] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Of list prices: columns that name an index; default resource,region,tier.")
    ] = None,
    where: Annotated[list[str] | None, typer.Option("--where", help="Of list prices: COLUMN=VALUE; may be given again.")] = None,
    as_json: AsJson = False,
) -> None:
    """Forwards between tenors, how fast they age, and what generations of GPUs cost beside one another.

    Example: tenorgrid rental rates.csv --rate 0.04 --out out-rental
    """
    from tenorgrid.curves.discount import flat
    from tenorgrid.data.tables.rental import DiscountRates
    from tenorgrid.folders import read_file
    from tenorgrid.renting import BY, rental_curve, two_sided

    if discount is not None:
        refuse_unused("--discount", {"--rate": rate})
    refuse_over(out, rates, discount)
    day = None if as_of is None else _day(as_of)
    money: Discount | None = None if rate is None else flat(rate)
    if discount is not None:
        from tenorgrid.curves.discount_quantlib import discount_curve

        if day is None:
            raise typer.BadParameter("--discount needs --as-of, the day that its rates are of")
        money = discount_curve(read_file(discount, DiscountRates), as_of=day)
    given = {path.name: path for path in (rates, discount) if path is not None}
    if (sides := two_sided(rates)) is not None:
        unused = {"--reference": reference, "--performance": performance, "--by": by, "--where": where}
        refuse_unused("a table of bids and asks", unused)
        _between(sides, out, as_json, day=day, money=money, payment=payment, inputs=given, settings={"rate": rate, "payment": payment})
        return
    ratios = {name: _number(text, value) for text in performance or [] for name, value in [_pair(text, "--performance")]}
    made = rental_curve(
        rates,
        as_of=day,
        discount=money,
        payment=payment,  # type: ignore[arg-type]  # refused where it is neither
        performance=ratios or None,
        reference=reference,
        by=tuple(by.split(",")) if by else BY,
        where=dict(_pair(text, "--where") for text in where or []),
    )
    settings = {"rate": rate, "payment": payment, "reference": reference, "performance": ratios, "by": by, "where": where}
    page = made.save(out, inputs=given, settings=settings)
    count = made.curve["index"].n_unique()
    done: dict[str, object] = {"out": str(out), "page": str(page), "as_of": made.as_of, "forwards": made.curve.to_dicts()}
    say(done, as_json, f"{made.curve.height} forwards of {count} indices on {made.as_of}; {page}")


def _between(
    sides: "pl.DataFrame", out: Path, as_json: bool, *, day: date | None, money: "Discount | None", payment: str,
    inputs: dict[str, Path], settings: dict[str, object],
) -> None:  # fmt: skip
    from tenorgrid.renting_bands import rental_band

    source = next(iter(inputs))
    made = rental_band(sides, source=source, as_of=day, discount=money, payment=payment)  # type: ignore[arg-type]  # refused where it is neither
    page = made.save(out, inputs=inputs, settings=settings)
    done: dict[str, object] = {"out": str(out), "page": str(page), "as_of": made.as_of, "bands": made.bands.to_dicts()}
    count = made.bands["index"].n_unique()
    say(done, as_json, f"forwards of {made.bands.height} periods between bids and asks of {count} indices on {made.as_of}; {page}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--as-of {text}: expected a day such as 2026-07-30") from error


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.rpartition("=")
    if not (name and sign and value):
        raise typer.BadParameter(f"{option} {text}: expected NAME=VALUE")
    return name, value


def _number(text: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise typer.BadParameter(f"--performance {text}: expected INDEX=number") from error
