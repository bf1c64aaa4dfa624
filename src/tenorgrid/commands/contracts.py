"""`tenorgrid contracts`: what contract codes stand for, and what is listed."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, say


def contracts(
    codes: Annotated[list[str] | None, typer.Argument(help="Codes such as GPU1J27 or INDEX:2027-04; none lists the products.")] = None,
    products: Annotated[Path | None, typer.Option("--products", help="Listed products of your own: TOML or a table.")] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="Of the indices' days.")] = "America/New_York",
    as_json: AsJson = False,
) -> None:
    """What contract codes stand for: lots, ticks, dates, averaging and rules; without a code, the listed products.

    Example: tenorgrid contracts GPU1J27 HPRJ27
    """
    from tenorgrid.data.terms.specifications.listed import contracts as spelled
    from tenorgrid.data.terms.specifications.products import listing, read_products

    own = None if products is None else read_products(products)
    table = spelled(codes, timezone=timezone, products=own) if codes else listing(own)
    rows = table.rows(named=True)
    told = ["\n".join(f"{name:>14}  {value}" for name, value in row.items() if value is not None) for row in rows]
    say({"contracts" if codes else "products": rows}, as_json, "\n\n".join(told))
