"""`tenorgrid recipes`: workloads and recipes from published benchmarks."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tenorgrid.commands.output import refuse_over, say
from tenorgrid.data.wording import counted


def recipes(
    benchmark: Annotated[Path, typer.Argument(help="MLPerf inference or training results, ML.ENERGY or Gavel throughputs.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; replaced as a whole.")],
    model: Annotated[list[str] | None, typer.Option("--model", help="Only this model; may be given again.")] = None,
    accelerator: Annotated[list[str] | None, typer.Option("--accelerator", help="Only results on this; may be given again.")] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit", help="Scenario; minutes to train; tokens a second of a user; steps a second of a job; or none. May be given again."
        ),
    ] = None,
    hosts: Annotated[
        Path | None, typer.Option("--hosts", help="Table of accelerators: names, scale-up domain, vCPU, memory, network.")
    ] = None,
    domains: Annotated[Literal["measured", "none"], typer.Option("--domains", help="Scale-up domains that recipes need.")] = "measured",
    unclear: Annotated[
        Literal["refuse", "leave-out"], typer.Option("--unclear", help="Rows whose unit or accelerators cannot be told.")
    ] = "refuse",
    rename: Annotated[
        list[str] | None, typer.Option("--rename", help="WORKLOAD=NAME, as a market calls it already; may be given again.")
    ] = None,
    into: Annotated[str | None, typer.Option("--into", help="Market case (or packaged) to write with these rows added.")] = None,
    offers: Annotated[
        Path | None, typer.Option("--offers", help="Table of further offers for --into, such as those of a new chip.")
    ] = None,
    worth: Annotated[Path | None, typer.Option("--worth", help="Folder that clear wrote: what each chip is worth at its prices.")] = None,
    reader: Annotated[str | None, typer.Option("--format", help="Reader, where the header does not tell.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Workloads and recipes from a benchmark: its Pareto frontier by model and limit.

    Example: tenorgrid recipes mlperf_training.csv --model llama2-70b-lora-train --limit 20 --out out-recipes
    """
    from tenorgrid import folders
    from tenorgrid.benchmark import recipes as make
    from tenorgrid.data.case import PACKAGED, read_case
    from tenorgrid.data.tables.case import Offers
    from tenorgrid.progress import steps

    if offers is not None and into is None:
        raise typer.BadParameter("--offers needs --into")
    names = dict(_pair(text) for text in rename or [])
    market = None if into is None or into == PACKAGED else Path(into)
    given = [path for path in (market, hosts, offers, worth) if path is not None]
    refuse_over(out, benchmark, *given)
    made = make(
        benchmark, format=reader, models=model or (), accelerators=accelerator or (), limits=limit or (), hosts=hosts, domains=domains,
        unclear=unclear, names=names,
    )  # fmt: skip
    case = None
    if into is not None:
        case = made.into(read_case(into), None if offers is None else folders.read_file(offers, Offers))
    valued = None if worth is None else made.worth(folders.read_clear(worth))
    with steps() as bar:
        bar.begin("drawing the page", at=0.0)
        page = made.save(out, case=case, worth=valued, inputs={path.name: path for path in given})
    reasons = dict(made.left_out["reason"].value_counts(sort=True).rows())
    done: dict[str, object] = {
        "out": str(out), "page": str(page), "format": str(made.format), "workloads": made.workloads.height, "recipes": made.recipes.height,
        "left_out": reasons,
    }  # fmt: skip
    left = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    count = f"{counted(made.recipes.height, 'recipe')} of {counted(made.workloads.height, 'workload')}"
    say(done, as_json, f"{count} into {out}; rows left out: {left or 'none'}")


def _pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise typer.BadParameter(f"--rename {text}: expected WORKLOAD=NAME")
    return old, new
