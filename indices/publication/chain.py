"""The chains of hashes over what was published: a changed, missing or added print breaks them, and is named."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import polars as pl

from tenorgrid.data.tables.publication import Prints
from tenorgrid.indices.publication.layouts import LATEST, LAYOUTS, covered, layout_of, uncovered

LINKS = ("content_hash", "audit_hash", "previous", "before", "hash")
LINK_COLUMNS = ("index", "methodology", "start", "revision", "number", "publication", "prints", *LINKS)
NOTHING = ""  # what the first print and the first publication follow
CLOCK = "%Y-%m-%dT%H:%M:%S.%fZ"


def sha(text: str) -> str:
    """SHA-256 of a text in UTF-8.

    >>> sha("")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def content_hash(row: dict[str, Any]) -> str:
    """SHA-256 of a print's content as canonical JSON: names in order, no spaces, numbers by their shortest exact text, times in UTC.

    The content is that of the print's layout. Raises `KeyError` for a layout that this version does not know.
    """
    content = {name: _plain(value) for name, value in covered(row).items()}
    return sha(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def print_hash(row: dict[str, Any]) -> str:
    """SHA-256 of a print's own hashes and of what it follows, a line each."""
    return sha("\n".join(row[name] for name in LINKS[:-1]))


def publication_hash(before: str, hashes: list[str]) -> str:
    """SHA-256 of a publication: of the one before it and of its prints in the order of their hashes, a line each.

    >>> publication_hash("", ["b", "a"]) == publication_hash("", ["a", "b"])
    True
    """
    return sha("\n".join([before, *sorted(hashes)]))


def linked(rows: pl.DataFrame, *, after: pl.DataFrame) -> pl.DataFrame:
    """`Prints`: rows without number, publication and hashes, put at the end of both chains.

    Args:
        rows: what is published together, at most one revision of a mark.
        after: `Prints` that were published before.
    """
    publication, before = (0, NOTHING) if after.is_empty() else (_last_publication(after) + 1, head(after))
    ends = {row["index"]: (row["number"], row["hash"]) for row in after.sort("number").iter_rows(named=True)}
    found = []
    for row in rows.sort("index", "methodology", "start", "revision").iter_rows(named=True):
        number, previous = ends.get(row["index"], (-1, NOTHING))
        row |= {
            "layout": LATEST,
            "number": number + 1,
            "publication": publication,
            "prints": rows.height,
            "previous": previous,
            "before": before,
        }
        row |= {"content_hash": content_hash(row), "audit_hash": sha(row["audit"])}
        row["hash"] = print_hash(row)
        ends[row["index"]] = (row["number"], row["hash"])
        found.append(row)
    schema = {name: column.dtype for name, column in Prints.columns().items()}
    return pl.DataFrame(found, schema=schema)


def head(prints: pl.DataFrame) -> str:
    """Hash of the last publication: who keeps it can tell that nothing before it was changed or taken away. Empty for no print."""
    if prints.is_empty():
        return NOTHING
    last = prints.filter(pl.col("publication") == _last_publication(prints))
    return publication_hash(str(last["before"][0]), last["hash"].to_list())


def heads(prints: pl.DataFrame) -> list[str]:
    """Hash of every publication, in their order."""
    grouped = prints.sort("publication").group_by("publication", maintain_order=True).agg(pl.col("before").first(), "hash")
    return [publication_hash(before, hashes) for _, before, hashes in grouped.iter_rows()]


def broken(prints: pl.DataFrame, *, anchor: str | None = None) -> tuple[str, ...]:
    """What is wrong with the chains, a sentence each; empty where they are whole.

    Args:
        prints: `Prints`, all that there are.
        anchor: hash of a publication that was noted down earlier, by which a history that was cut off or written anew is found out.

    >>> broken(Prints.create_empty())
    ()
    """
    return (*changed(prints.sort("index", "number").to_dicts()), *broken_links(prints, anchor=anchor))


def broken_links(links: pl.DataFrame, *, anchor: str | None = None) -> tuple[str, ...]:
    """What is wrong with the chains where only the hashes of the prints are at hand, as in an evidence pack of some indices.

    Args:
        links: the columns `LINK_COLUMNS` of `Prints`, of all prints.
        anchor: hash of a publication that was noted down earlier.
    """
    rows = links.sort("index", "number").to_dicts()
    unlike = [
        f"{label(row)}: its hash is not that of its content, its audit and what it follows"
        for row in rows
        if print_hash(row) != row["hash"]
    ]
    found = [*unlike, *_numbers(rows), *_publications(links)]
    if anchor is not None and anchor not in heads(links):
        found.append(f"no publication has the hash {anchor}: what was published up to it was changed or taken away")
    return tuple(found)


def label(row: dict[str, Any]) -> str:
    """How a print is called: `H100-SXM.US.FIRM 2026-02-26T00:00Z revision 0 (print 3)`."""
    return f"{row['index']} {row['start']:%Y-%m-%dT%H:%MZ} revision {row['revision']} (print {row['number']})"


def changed(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Prints whose content or audit is not what their hashes say, a sentence each."""
    for row in rows:
        if layout_of(row) not in LAYOUTS:
            yield f"{label(row)} has the layout {layout_of(row)}, which this version of tenorgrid does not know"
            continue
        if beyond := uncovered(row):
            yield f"{label(row)} was changed: its hash does not cover what it says in {', '.join(beyond)}"
        if content_hash(row) != row["content_hash"]:
            yield f"{label(row)} was changed: its content has not the hash that it was published with"
        if sha(row["audit"]) != row["audit_hash"]:
            yield f"{label(row)}: its audit was changed"


def _numbers(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["number"] == 0 and row["previous"] != NOTHING:
            yield f"{label(row)} is the first of its index and says that it follows another"
    firsts = {row["index"]: row["number"] for row in reversed(rows)}
    for index, first in firsts.items():
        if first != 0:
            yield from (f"print {number} of {index} is missing" for number in range(first))
    for one, other in pairwise(rows):
        if one["index"] != other["index"]:
            continue
        if other["number"] > one["number"] + 1:
            yield from (f"print {number} of {one['index']} is missing" for number in range(one["number"] + 1, other["number"]))
        elif other["number"] == one["number"]:
            yield f"{label(other)}: its index has two prints of this number"
        elif other["previous"] != one["hash"]:
            yield f"{label(other)} does not follow the print before it as that stands now"


def _publications(prints: pl.DataFrame) -> Iterator[str]:
    grouped = prints.sort("publication").group_by("publication", maintain_order=True)
    told = grouped.agg(pl.col("prints").unique().sort(), pl.col("before").unique().sort(), "hash", pl.col("before").first().alias("first"))
    before, expected = NOTHING, 0
    for count, said, follows, hashes, first in told.iter_rows():
        yield from (f"publication {missing} is missing" for missing in range(expected, count))
        if said != [len(hashes)]:
            yield f"publication {count} has {len(hashes)} prints and says {' and '.join(map(str, said))}"
        if count == expected and follows != [before]:
            yield f"publication {count} does not follow the one before it as that stands now"
        before, expected = publication_hash(first, hashes), count + 1


def _last_publication(prints: pl.DataFrame) -> int:
    return int(prints.select(pl.col("publication").max()).item())


def _plain(value: Any) -> Any:
    return value.strftime(CLOCK) if isinstance(value, datetime) else value
