"""`tenorgrid far`: long-dated marks joined to near quotes."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, moment_of, refuse_over, say


def far(
    quotes: Annotated[Path, typer.Argument(help="Near quotes.")],
    marks: Annotated[Path, typer.Argument(help="Long-dated marks: quote_id, index, start, end, price (or bid, ask), kind.")],
    index: Annotated[str, typer.Option("--index", help="Index that both are of.")],
    as_of: Annotated[str, typer.Option("--as-of", help="Moment that the marks are known at, such as 2027-03-16T04:00Z.")],
    out: Out,
    timezone: Annotated[str | None, typer.Option("--timezone", help="Of the marks' days; default that of the quotes.")] = None,
    floor: Annotated[float, typer.Option("--floor", help="Least hourly forward.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Quotes for `tenorgrid curve` out to the far end; a mark that contradicts the near quotes is named and refused.

    Example: tenorgrid far quotes.csv leases.csv --index H100-SXM.US.FIRM --as-of 2027-03-16T04:00Z --out out-far
    """
    from tenorgrid.curves.far import join_far
    from tenorgrid.data.store import write_manifest, write_table, writing
    from tenorgrid.data.tables.curve import Quotes
    from tenorgrid.data.tables.rental import FarMarks
    from tenorgrid.folders import read_file

    refuse_over(out, quotes, marks)
    moment = moment_of(as_of, "--as-of")
    if moment is None:
        raise typer.BadParameter("--as-of is needed")
    near, long = read_file(quotes, Quotes), read_file(marks, FarMarks)
    made = join_far(near, long, index=index, as_of=moment, timezone=timezone, floor=floor)
    with writing(out) as folder:
        write_table(folder, "quotes", made.quotes)
        write_table(folder, "limits", made.limits)
        settings = {"index": index, "timezone": timezone, "floor": floor, "as_of": as_of}
        write_manifest(folder, command="far", inputs={path.name: path for path in (quotes, marks)}, settings=settings)
    joined = made.limits["status"].cast(str).to_list().count("joined")
    rest = ", the others are implied" if joined < made.limits.height else ""
    done: dict[str, object] = {"out": str(out), "quotes": made.quotes.height, "limits": made.limits.to_dicts()}
    say(done, as_json, f"{joined} of {made.limits.height} marks joined{rest}; {made.quotes.height} quotes in {out}")
