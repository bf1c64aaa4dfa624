"""`tenorgrid publish`: a publisher's day, from a draft to what is published."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, refuse_over, say
from tenorgrid.commands.publish_record import compact, compare, evidence, explain, replay
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.wording import counted

publish_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A publisher's day: draft, check, approve, publish, answer.")

Observed = Annotated[Path, typer.Argument(help="Observed prices; of a basket its marks: a table, a folder or a history.")]
DraftFolder = Annotated[Path, typer.Argument(help="Folder that publish run or publish restate wrote.")]
HistoryFolder = Annotated[Path, typer.Option("--history", help="Folder of the history, with the Delta table prints.")]
By = Annotated[str, typer.Option("--by", help="Who does it.")]
At = Annotated[str | None, typer.Option("--at", help="Moment, such as 2026-03-05T17:00Z; default now.")]
DraftOut = Annotated[Path, typer.Option("--out", help="Folder of the draft; replaced as a whole.")]
Day = Annotated[str, typer.Option("--date", help="Day in the index's own time zone.")]
Reader = Annotated[str | None, typer.Option("--format", help="Reader, where the header does not tell.")]
MostMove = Annotated[float, typer.Option("--most-move", help="Largest change against the last print, as a share of it.")]
MostExcluded = Annotated[float, typer.Option("--most-excluded", help="Largest share of the observations of a mark that its rules exclude.")]


@publish_app.command()
def run(
    observations: Observed,
    out: DraftOut,
    date: Day,
    by: By,
    method: Annotated[
        str, typer.Option("--method", help="A shipped methodology, basket or basket of workloads, or a TOML file.")
    ] = "house",
    until: Annotated[str | None, typer.Option("--to", help="Last day, where the draft is of several.")] = None,
    index: Annotated[list[str] | None, typer.Option("--index", help="Only this index; may be given again.")] = None,
    affiliations: Annotated[Path | None, typer.Option("--affiliations", help="Table of contributors and their groups.")] = None,
    at: At = None,
    reader: Reader = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft: marks, audits, input and methodology of a day in one folder.

    Example: tenorgrid publish run listings.csv.gz --method ccir-1.1.1 --date 2026-03-04 --by ann --out draft
    """
    from tenorgrid import folders, publishing
    from tenorgrid.data.readers.formats import read_observations
    from tenorgrid.data.tables.publication import Affiliations
    from tenorgrid.indices.publication.draft import draft_hash
    from tenorgrid.mark_tables import read_marks

    refuse_over(out, observations, affiliations)
    day, last = publishing.day(date), publishing.day(until or date, name="--to")
    parties = None if affiliations is None else folders.read_file(affiliations, Affiliations)
    moment = publishing.moment(at)
    of_marks = publishing.of_marks(method)
    draft = publishing.make_draft(
        read_marks(observations, as_of=moment) if of_marks else read_observations(observations, format=reader),
        methodology=method,
        first=day,
        end=last + timedelta(days=1),
        by=by,
        at=moment,
        indices=index or None,
        affiliations=parties,
    )
    draft.write(out)
    told = [publishing.plain(row) for row in draft.marks.select("index", "start", "value", "status").iter_rows(named=True)]
    done: dict[str, object] = {"out": str(out), "draft": draft_hash(out), "marks": told}
    lines = "\n".join(f"  {row['index']} {row['start'][:10]}: {row['value']}, {row['status']}" for row in told)
    say(done, as_json, f"draft of {counted(len(told), 'mark')} by {draft.made_by} in {out}, not published\n{lines}")


@publish_app.command()
def check(
    history: HistoryFolder,
    draft: Annotated[Path | None, typer.Argument(help="Folder of a draft; default the history itself is checked.")] = None,
    most_move: MostMove = 0.10,
    most_excluded: MostExcluded = 0.50,
    anchor: Annotated[str | None, typer.Option("--anchor", help="Hash of a publication that was noted down when it was made.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a draft before its approval, or the whole history: hashes, and every print recomputed. Exit code 1 where a check fails.

    Example: tenorgrid publish check draft --history history
    """
    from tenorgrid import publishing

    if draft is None:
        _check_history(history, anchor=anchor, as_json=as_json)
        return
    if anchor is not None:
        raise typer.BadParameter("--anchor cannot be given with a draft")
    known = publishing.open_history(history, new=True)
    limits = publishing.Limits(move=most_move, excluded=most_excluded)
    checks = publishing.check_draft(publishing.read_draft(draft), known, limits=limits)
    wrong = publishing.failed(checks)
    lines = [
        f"{'pass' if row['passed'] else 'FAIL'}  {' '.join(filter(None, (row['check'], row['index'], row['date'])))}: {row['finding']}"
        for row in checks.iter_rows(named=True)
    ]
    say({"passed": wrong.is_empty(), "checks": checks.to_dicts()}, as_json, "\n".join(lines))
    if wrong.height:
        raise InputError(
            Fault(
                file=draft.name,
                column=" ".join(filter(None, (row["check"], row["index"], row["date"]))),
                value=row["finding"],
                expected="this check to pass",
            )
            for row in wrong.iter_rows(named=True)
        )


@publish_app.command()
def approve(
    draft: DraftFolder,
    history: HistoryFolder,
    by: By,
    judgement: Annotated[
        list[str] | None, typer.Option("--judgement", help="'CHECK=REASON' or 'CHECK INDEX=REASON': accept a failed check.")
    ] = None,
    most_move: MostMove = 0.10,
    most_excluded: MostExcluded = 0.50,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Approve a draft that somebody else made; the approval binds its hash.

    Example: tenorgrid publish approve draft --history history --by bob
    """
    from tenorgrid import publishing

    found = publishing.approve(
        draft,
        publishing.open_history(history, new=True),
        by=by,
        at=publishing.moment(at),
        judgements=dict(_judged(text) for text in judgement or []),
        limits=publishing.Limits(move=most_move, excluded=most_excluded),
    )
    done: dict[str, object] = {
        "draft": found.draft_hash,
        "approved_by": found.approved_by,
        "accepted": [asdict(part) for part in found.accepted],
    }
    say(done, as_json, f"{found.approved_by} approves draft {found.draft_hash[:16]}")


@publish_app.command("publish")
def publish_draft(draft: DraftFolder, history: HistoryFolder, at: At = None, as_json: AsJson = False) -> None:
    """Append an approved draft to the history, whole or not at all; a second time changes nothing.

    Example: tenorgrid publish publish draft --history history
    """
    from tenorgrid import publishing

    found = publishing.publish(draft, history, at=publishing.moment(at))
    number = int(found.prints["publication"][0])
    done: dict[str, object] = {"prints": found.prints.height, "publication": number, "fresh": found.fresh, "head": found.history.head}
    count = counted(found.prints.height, "print")
    told = f"{count} published as publication {number}" if found.fresh else f"publication {number} has {count} already, nothing changed"
    say(done, as_json, f"{told}; head {found.history.head}")


@publish_app.command()
def restate(
    observations: Observed,
    history: HistoryFolder,
    out: DraftOut,
    date: Day,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands beside the print for good.")],
    by: By,
    index: Annotated[list[str] | None, typer.Option("--index", help="Only this index; default every one that moves.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="Of several with prints of that day, the name of the one.")] = None,
    at: At = None,
    reader: Reader = None,
    as_json: AsJson = False,
) -> None:
    """A draft that replaces prints of a day, where their methodology's restatement rule allows it; the old print stays readable.

    Example: tenorgrid publish restate mended.csv.gz --history history --date 2026-03-04 --reason "unit error" --by ann --out draft
    """
    from tenorgrid import publishing
    from tenorgrid.data.readers.formats import read_observations
    from tenorgrid.mark_tables import read_marks

    refuse_over(out, observations, history)
    known, moment = publishing.open_history(history), publishing.moment(at)
    of_marks = publishing.restates_marks(known, publishing.day(date), methodology=method)
    draft = publishing.restate(
        read_marks(observations, as_of=moment) if of_marks else read_observations(observations, format=reader),
        known,
        day=publishing.day(date),
        reason=reason,
        by=by,
        at=moment,
        indices=index or None,
        methodology=method,
    )
    draft.write(out)
    told = [publishing.plain(row) for row in draft.marks.select("index", "start", "revision", "value").iter_rows(named=True)]
    lines = "\n".join(f"  {row['index']} revision {row['revision']}: {row['value']}" for row in told)
    say(
        {"out": str(out), "marks": told, "rule": draft.rule},
        as_json,
        f"draft of {counted(len(told), 'restated mark')} in {out}, not published\n{lines}",
    )


publish_app.command()(explain)
publish_app.command()(replay)
publish_app.command()(compare)
publish_app.command()(evidence)
publish_app.command()(compact)


def _judged(text: str) -> tuple[str, str]:
    name, sign, reason = text.partition("=")
    if not (name and sign and reason.strip()):
        raise typer.BadParameter(f"--judgement {text}: expected CHECK=REASON")
    return name, reason.strip()


def _check_history(folder: Path, *, anchor: str | None, as_json: bool) -> None:
    """Follow every hash of a history and make every print again; refuse it with all that is wrong."""
    from tenorgrid import publishing

    known = publishing.open_history(folder)
    chains = known.broken(anchor=anchor)
    again = publishing.verify_prints(known, known.prints)
    wrong = [*chains, *map(str, again.differences)]
    if as_json or not wrong:
        told = f"{again}; the chains are whole up to {known.head}"
        say({"passed": not wrong, "prints": again.prints, "head": known.head, "faults": wrong}, as_json, told)
    if wrong:
        raise InputError(Fault(file=folder.name, value=text, expected="a history as it was published") for text in wrong)
