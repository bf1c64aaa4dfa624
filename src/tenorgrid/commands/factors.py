"""`tenorgrid factors`: what moves a curve or a price, and how fast it comes back."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, say


def factors(
    source: Annotated[Path, typer.Argument(help="Panel of futures (day, maturity, price) for schwartz-smith, marks for the others.")],
    out: Out,
    model: Annotated[str, typer.Option("--model", help="schwartz-smith, ou, ou-jumps or spread.")] = "schwartz-smith",
    index: Annotated[list[str] | None, typer.Option("--index", help="Of marks; a spread takes two, the numerator first.")] = None,
    form: Annotated[str, typer.Option("--form", help="logarithmic, or arithmetic for prices of any sign.")] = "logarithmic",
    window: Annotated[
        int | None, typer.Option("--window", help="Days that a mark averages over; 1 takes marks as they are.", min=1)
    ] = None,
    estimated: Annotated[bool, typer.Option("--estimated", help="Of a spread: estimate β instead of 1.")] = False,
    future: Annotated[list[float] | None, typer.Option("--future", help="Price a futures of so many years; may be given again.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Price EXPIRY:MATURITY:STRIKE:call or put, times in years; may be given again.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Flat discount rate a year of options; default none.")] = None,
    as_json: AsJson = False,
) -> None:
    """Factor models by maximum likelihood, with errors, factors through time and volatility by time to delivery.

    Example: tenorgrid factors panel.csv --model schwartz-smith --future 0.5 --option 0.25:0.5:2.60:call --out out-factors
    """
    from tenorgrid.curves.discount import flat
    from tenorgrid.factor_models import fit_factors

    refuse_over(out, source)
    options = [_option(text) for text in option or []]
    if rate is not None and not options:
        raise typer.BadParameter("--rate is of options: give --option too")
    made = fit_factors(source, model=model, index=index, form=form, window=window, estimated=estimated)
    if future or options:
        made = made.priced(future or [], options, discount=None if rate is None else flat(rate))
    made.save(out, inputs={source.name: source})
    done: dict[str, object] = {
        "out": str(out), "model": str(made.model), "log_likelihood": made.log_likelihood, "converged": made.converged,
        "tests": made.tests, "parameters": made.parameters.to_dicts(), "prices": [] if made.prices is None else made.prices.to_dicts(),
    }  # fmt: skip
    told = [f"{row['parameter']}: {row['value']:.5g} ({_error(row['robust_error'])})" for row in made.parameters.iter_rows(named=True)]
    for row in [] if made.prices is None else made.prices.iter_rows(named=True):
        terms = "" if row["strike"] is None else f" at {row['strike']:g} in {row['expiry']:g} years on"
        told.append(f"{row['contract']}{terms} {row['maturity']:g} years: {row['price']:.6g}")
    ended = "" if made.converged else "; the search ended elsewhere than at an optimum"
    say(done, as_json, "\n".join([*told, f"log-likelihood {made.log_likelihood:.3f}{ended}; {out}"]))


def _option(text: str) -> tuple[float, float, float, bool]:
    parts = text.split(":")
    try:
        expiry, maturity, strike = (float(part) for part in parts[:3])
        return expiry, maturity, strike, {"call": True, "put": False}[parts[3]]
    except (ValueError, IndexError, KeyError) as error:
        raise typer.BadParameter(f"--option {text}: expected EXPIRY:MATURITY:STRIKE:call or put, such as 0.25:0.5:2.60:call") from error


def _error(value: float | None) -> str:
    return "at a bound, no error" if value is None else f"robust error {value:.2g}"
