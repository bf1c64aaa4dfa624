"""`tenorgrid explain`: who set a price, and why."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import say
from tenorgrid.data.kinds.market import PricingRule


def explain(
    run_dir: Annotated[Path, typer.Argument(help="Run folder, or the folder that clear wrote.")],
    node: Annotated[str, typer.Option("--node", help="RESOURCE/LOCATION/TIER, such as h100-sxm/us-east/firm.")],
    at: Annotated[str, typer.Option("--at", help="First instant of the interval, such as 2027-03-01T18:00Z.")],
    horizon: Annotated[str | None, typer.Option("--horizon", help="Default the nearest to delivery that has the price.")] = None,
    pricing: Annotated[PricingRule | None, typer.Option("--pricing", help="Default the rule that settles.")] = None,
    case: Annotated[Path | None, typer.Option("--case", help="Market case with the orders, where the run folder has none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Who set the price of a node in an interval, in a sentence whose parts add up to it.

    Example: tenorgrid explain out --node h100-sxm/us-east/firm --at 2027-03-01T18:00Z
    """
    from tenorgrid.data.errors import InputError
    from tenorgrid.insight import read_run

    parts = node.split("/")
    if len(parts) != 3:
        raise InputError.of("--node", "RESOURCE/LOCATION/TIER, such as h100-sxm/us-east/firm", value=node)
    run = read_run(run_dir, case=case)
    found = run.explain(parts[0], parts[1], parts[2], at, horizon=horizon, pricing=pricing)
    done: dict[str, object] = {
        "sentence": found.sentence,
        "horizon": found.horizon,
        "pricing": str(found.pricing),
        "start": f"{found.start:%Y-%m-%dT%H:%MZ}",
        "node": node,
        "price": found.price,
        "set_by": str(found.set_by),
        "facts": found.facts.to_dicts(),
        "limits": found.limits.to_dicts(),
        "chain": list(found.chain),
    }
    say(done, as_json, found.sentence)
