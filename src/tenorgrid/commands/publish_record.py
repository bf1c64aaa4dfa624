"""`tenorgrid publish explain / replay / compare / evidence`: answers about what was published."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, refuse_over, say
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.wording import counted

HistoryFolder = Annotated[Path, typer.Option("--history", help="Folder of the history, with the Delta table prints.")]


def explain(
    history: HistoryFolder,
    index: Annotated[str, typer.Option("--index", help="Index, such as H100-SXM.US.FIRM.")],
    date: Annotated[str, typer.Option("--date", help="Day, or start of the period where a day has several.")],
    revision: Annotated[int | None, typer.Option("--revision", help="Default the last.", min=0)] = None,
    method: Annotated[str | None, typer.Option("--method", help="Of several of this index, the name of the one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why a print is what it is: level, inputs, exclusions, spread, fallback, who stands for it, and its revisions.

    Example: tenorgrid publish explain --history history --index H100-SXM.US.FIRM --date 2026-03-04
    """
    import json

    from tenorgrid import publishing

    known = publishing.open_history(history)
    start = publishing.period(known, index, date, methodology=method)
    row = known.of(index, start, methodology=method, revision=revision)
    done = publishing.plain(row | {"audit": json.loads(str(row["audit"]))})
    say(done, as_json, publishing.account(known, row))


def replay(
    history: HistoryFolder,
    as_of: Annotated[str, typer.Option("--as-of", help="Moment to stand at, such as 2026-03-05T17:00Z.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write the marks into; replaced as a whole.")] = None,
    index: Annotated[list[str] | None, typer.Option("--index", help="Only this index; may be given again.")] = None,
    as_json: AsJson = False,
) -> None:
    """What was known at a past moment, and each of those prints made once more from the kept input. Exit code 1 where one differs.

    Example: tenorgrid publish replay --history history --as-of 2026-03-05T17:00Z --out out/replay
    """
    from tenorgrid import publishing
    from tenorgrid.data.store import write_manifest, write_version, writing

    refuse_over(out, history)
    standing = publishing.moment(as_of, name="--as-of")
    found = publishing.replay(publishing.open_history(history), at=standing, indices=index or None)
    if not found.confirmed:
        raise InputError(Fault(file=history.name, value=text, expected="a print that comes out again") for text in found.faults)
    if out is not None:
        with writing(out) as folder:
            write_version(folder, "marks", found.marks, before=out)
            (folder / "audit.jsonl").write_text("".join(f"{audit}\n" for audit in found.prints["audit"]), encoding="utf-8")
            write_manifest(folder, command="publish replay", as_of=standing)
    told = [publishing.plain(row) for row in found.marks.select("index", "start", "revision", "value", "status").iter_rows(named=True)]
    lines = [f"  {row['index']} {row['start'][:16]} revision {row['revision']}: {row['value']}, {row['status']}" for row in told]
    sentence = f"{counted(found.marks.height, 'mark')} known at {standing:%Y-%m-%dT%H:%M:%SZ}; {found.verification}"
    say({"as_of": standing.isoformat(), "confirmed": True, "marks": told}, as_json, "\n".join([sentence, *lines]))


def compare(
    observations: Annotated[Path, typer.Argument(help="Observed prices.")],
    method: Annotated[str, typer.Option("--method", help="A shipped methodology or a TOML file.")],
    against: Annotated[str, typer.Option("--against", help="The other one.")],
    first: Annotated[str, typer.Option("--from", help="First day.")],
    last: Annotated[str, typer.Option("--to", help="Last day.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; replaced as a whole.")],
    index: Annotated[list[str] | None, typer.Option("--index", help="Only this index; may be given again.")] = None,
    reader: Annotated[str | None, typer.Option("--format", help="Reader, where the header does not tell.")] = None,
    as_json: AsJson = False,
) -> None:
    """Two methodologies over the same days: both series, their differences day by day, and a figure.

    Example: tenorgrid publish compare listings.csv.gz --method new.toml --against house --from 2026-03-01 --to 2026-03-05 --out out
    """
    from tenorgrid import publishing
    from tenorgrid.data.readers.formats import read_observations
    from tenorgrid.data.store import write_manifest, write_table, writing
    from tenorgrid.reports.pages.versions import FILE

    rules = [Path(name) for name in (method, against) if Path(name).is_file()]
    refuse_over(out, observations, *rules)
    day, end = publishing.day(first, name="--from"), publishing.day(last, name="--to")
    seen = read_observations(observations, format=reader)
    found = publishing.compare_versions(
        seen, methodology=method, against=against, first=day, end=end + timedelta(days=1), indices=index or None
    )
    names = publishing.name_of(method), publishing.name_of(against)
    page = publishing.page(found, names=names, source=observations.name)
    apart = publishing.distances(found)
    with writing(out) as folder:
        write_table(folder, "comparison", found)
        write_table(folder, "distances", apart)
        (folder / FILE).write_text(page, encoding="utf-8")
        inputs = {path.name: path for path in (observations, *rules)}
        write_manifest(folder, command="publish compare", inputs=inputs, settings={"method": names[0], "against": names[1]})
    lines = [
        f"  {row['index']}: {row['both']} printed by both"
        + ("" if row["largest"] is None else f", mean difference {row['mean']:+.6g}, largest {row['largest']:.6g}")
        + f"; only {names[0]} {row['only_one']}, only {names[1]} {row['only_other']}"
        for row in apart.iter_rows(named=True)
    ]
    told: dict[str, object] = {"out": str(out), "distances": [publishing.plain(row) for row in apart.iter_rows(named=True)]}
    say(told, as_json, "\n".join([f"{names[0]} against {names[1]} into {out}", *lines]))


def compact(history: HistoryFolder, as_json: AsJson = False) -> None:
    """Put the small files of a history together, so that a year of prints reads fast; no print and no former version is lost.

    Example: tenorgrid publish compact --history history
    """
    from tenorgrid import publishing

    found = publishing.compact(history)
    done: dict[str, object] = {"files_before": found.before, "files": found.after, "version": found.version}
    say(done, as_json, f"{counted(found.before, 'file')} of prints before, {found.after} now")


def evidence(
    history: Annotated[Path | None, typer.Option("--history", help="Folder of the history.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Zip file to write.")] = None,
    index: Annotated[list[str] | None, typer.Option("--index", help="Only this index; may be given again.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="Only periods from this day on, in UTC.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Only periods up to this day, in UTC.")] = None,
    verify: Annotated[Path | None, typer.Option("--verify", help="Recompute a pack, zipped or unpacked, instead.")] = None,
    anchor: Annotated[str | None, typer.Option("--anchor", help="With --verify: hash of a publication, noted down earlier.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Moment, such as 2026-03-05T17:00Z; default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """A zip file with prints, audits, rules, inputs and approvals that recomputes itself anywhere.

    Example: tenorgrid publish evidence --history history --out evidence.zip
    """
    from tenorgrid import publishing
    from tenorgrid.commands.output import refuse_unused

    if verify is not None:
        refuse_unused("--verify", {"--history": history, "--out": out, "--index": index, "--from": first, "--to": last, "--at": at})
        _verify(verify, anchor=anchor, as_json=as_json)
        return
    refuse_unused("--out", {"--anchor": anchor})
    if history is None or out is None:
        raise typer.BadParameter("--history and --out are needed, or --verify")
    begin, end = _edge(first, "--from"), _edge(last, "--to")
    known = publishing.open_history(history)
    path = publishing.evidence(
        known, out, at=publishing.moment(at), indices=index or None, start=begin, end=None if end is None else end + timedelta(days=1)
    )
    found = publishing.verify_evidence(path)
    if not found.confirmed:
        raise InputError(Fault(file=path.name, value=text, expected="a print that comes out again") for text in found.faults)
    say({"out": str(path), "prints": found.prints, "head": found.head}, as_json, f"{path}: {found}")


def _verify(pack: Path, *, anchor: str | None, as_json: bool) -> None:
    from tenorgrid import publishing

    found = publishing.verify_evidence(pack, anchor=anchor)
    if as_json or found.confirmed:
        done: dict[str, object] = {"confirmed": found.confirmed, "prints": found.prints, "head": found.head, "faults": list(found.faults)}
        say(done, as_json, str(found))
    if not found.confirmed:
        raise InputError(Fault(file=pack.name, value=text, expected="what the pack was made of") for text in found.faults)


def _edge(text: str | None, name: str) -> datetime | None:
    from tenorgrid import publishing

    if text is None:
        return None
    day = publishing.day(text, name=name)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
