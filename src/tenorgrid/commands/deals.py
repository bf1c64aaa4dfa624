"""`tenorgrid deals`: bilateral deals at the prices of a run."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import refuse_over, say


def deals(
    run_dir: Annotated[Path, typer.Argument(help="Run folder, or the folder that clear wrote, of a case with bilaterals.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; replaced as a whole.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Contracts for differences, and recalls of listed hours with who is interrupted, at the prices of a run.

    Example: tenorgrid deals out/clear --out out-deals
    """
    from tenorgrid import folders
    from tenorgrid.data.store import writing
    from tenorgrid.settlement.deals import settle_deals

    refuse_over(out, run_dir)
    source = run_dir / "clear" if (run_dir / "clear").is_dir() else run_dir
    run = folders.read_clear(source)
    dealt = settle_deals(
        run.case, prices=run.prices, workload_prices=run.workload_prices, awards=run.awards, placements=run.placements, pricing=run.pricing
    )
    with writing(out) as folder:
        folders.write_deals(dealt, folder, inputs={"clear": source}, as_of=run.as_of)
    cash = {row["participant"]: float(row["amount"]) for row in dealt.cash().iter_rows(named=True)}
    recalled = float(dealt.recalls["recalled"].sum()) * run.case.market.hours
    done: dict[str, object] = {"out": str(out), "cash": cash, "recalled_hours": recalled}
    contracts = dealt.differences["deal_id"].n_unique()
    say(done, as_json, f"{contracts} contracts for differences, {recalled:,.1f} resource-hours recalled, into {out}")
