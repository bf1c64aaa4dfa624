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
    as_json: AsJson = False,
) -> None:
    """Factor models by maximum likelihood, with errors, factors through time and volatility by time to delivery.

    Example: tenorgrid factors panel.csv --model schwartz-smith --out out-factors
    """
    from tenorgrid.factor_models import fit_factors

    refuse_over(out, source)
    made = fit_factors(source, model=model, index=index, form=form, window=window)
    made.save(out, inputs={source.name: source})
    done: dict[str, object] = {
        "out": str(out), "model": str(made.model), "log_likelihood": made.log_likelihood, "converged": made.converged,
        "tests": made.tests, "parameters": made.parameters.to_dicts(),
    }  # fmt: skip
    told = [f"{row['parameter']}: {row['value']:.5g} ({_error(row['robust_error'])})" for row in made.parameters.iter_rows(named=True)]
    ended = "" if made.converged else "; the search ended elsewhere than at an optimum"
    say(done, as_json, "\n".join([*told, f"log-likelihood {made.log_likelihood:.3f}{ended}; {out}"]))


def _error(value: float | None) -> str:
    return "at a bound, no error" if value is None else f"robust error {value:.2g}"
