"""`tenorgrid mark --against`: why two methodologies print different values of the same indices."""

from pathlib import Path

import typer

from tenorgrid.commands.output import refuse_over, say


def against_of(
    observations: Path,
    *,
    method: str,
    against: str,
    date: str | None,
    index: str | None,
    against_index: str | None,
    together: list[str] | None,
    out: Path | None,
    reader: str | None,
    as_json: bool,
) -> None:
    """Split the gaps, write the folder where one is asked for, and say each gap in a sentence."""
    from tenorgrid.data.readers.formats import read_observations
    from tenorgrid.gaps import split_gap

    if date is None:
        raise typer.BadParameter("--date is needed with --against")
    files = [path for path in (observations, Path(method), Path(against)) if path.suffix == ".toml" or path == observations]
    refuse_over(out, *files)
    found = split_gap(
        read_observations(observations, format=reader), method=method, against=against, when=date, index=index,
        index_against=against_index, together=[tuple(part.split("+")) for part in together or []],
    )  # fmt: skip
    page = None if out is None else found.save(out, inputs={path.name: path for path in files})
    sentences = found.gaps["sentence"].to_list()
    done: dict[str, object] = {
        "out": None if out is None else str(out), "page": None if page is None else str(page), "gaps": found.gaps.to_dicts(),
        "rules": found.rules.to_dicts(), "refused": dict(found.refused),
    }  # fmt: skip
    refused = [f"{name}: not split: {why}" for name, why in found.refused.items()]
    say(done, as_json, "\n".join([*sentences, *refused, *([] if page is None else [f"{page} is written"])]))
