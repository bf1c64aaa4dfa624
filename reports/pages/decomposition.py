"""The page of `tenorgrid mark --against`: why two methodologies print different values of the same indices."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.data.wording import counted
from tenorgrid.reports.figures import decomposition as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "why.html"
MOST = 12  # indices with figures of their own, those with the largest gaps; the tables have all
LEAD = (
    "Every coalition of the differing rules is a methodology of its own, made into a print with its own fallback. A rule's share is what "
    "it adds, averaged over all orders in which the rules can be exchanged; shares sum to the gap."
)
Frames = Mapping[str, pl.DataFrame]


def render(tables: Frames, *, refused: Mapping[str, str]) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: gaps, rules and coalitions as `tenorgrid mark --against` writes them; at least one gap.
        refused: indices whose gap cannot be split, and why.
    """
    gaps = tables["gaps"].sort(pl.col("gap").abs(), "index", descending=[True, False])
    first = gaps.row(0, named=True)
    shown = gaps.head(MOST)
    keys = _keys(first, gaps, tables)
    return compose(
        title=f"Why {first['methodology']} and {first['against']} differ",
        subtitle=f"The same observations by two methodologies, {first['when']}.",
        keys=keys,
        sections=[_all(gaps, refused), *(_index(row, tables, place) for place, row in enumerate(shown.iter_rows(named=True), start=1))],
        note="",
    )


def _keys(first: dict[str, object], gaps: pl.DataFrame, tables: Frames) -> list[Key]:
    one, other, gap = (gaps[name][0] for name in ("value", "value_against", "gap"))
    made = tables["coalitions"].filter(pl.col("index") == first["index"]).height
    return [
        Key(label=str(first["methodology"]), value=number(one, ",.6g"), note=f"{first['index']}, {first['status']}"),
        Key(label=str(first["against"]), value=number(other, ",.6g"), note=f"{first['index_against']}, {first['status_against']}"),
        Key(label="Gap", value=number(gap, "+,.6g"), note=f"{first['unit']}, {number(100 * gap / other, '+.1f') if other else '–'} %"),
        Key(label="Coalitions", value=f"{made:,}", note="each a methodology with a print"),
    ]


def _all(gaps: pl.DataFrame, refused: Mapping[str, str]) -> Section:
    columns = [
        Column(name="index", head="Index"),
        Column(name="value", head=str(gaps["methodology"][0]), form=",.6g"),
        Column(name="value_against", head=str(gaps["against"][0]), form=",.6g"),
        Column(name="gap", head="Gap", form="+,.6g"),
        Column(name="unit", head="Unit"),
        Column(name="status", head="Status"),
        Column(name="status_against", head="Of the other"),
    ]
    texts = gaps.with_columns(pl.col("status", "status_against").cast(pl.String))
    blocks = [
        Listing(name="gaps", title="Prints and gaps", table=table(texts, columns, name="gaps-table"), caption="The largest gap first.")
    ]
    if refused:
        rows = pl.DataFrame({"index": list(refused), "why": list(refused.values())})
        wide = [Column(name="index", head="Index"), Column(name="why", head="Why")]
        title = f"{counted(len(refused), 'gap')} that cannot be split"
        blocks.append(Listing(name="refused", title=title, table=table(rows, wide, name="refused-table"), caption="Refused by name."))
    return Section(name="all", title="All indices", lead=LEAD, blocks=blocks)


def _index(row: dict[str, object], tables: Frames, place: int) -> Section:
    rules = tables["rules"].filter(pl.col("index") == row["index"])
    names, unit = (str(row["methodology"]), str(row["against"])), str(row["unit"])
    prints = (_number(row["value"]), _number(row["value_against"]))
    columns = [
        Column(name="rule", head="Rule"),
        Column(name="meaning", head="What it says"),
        Column(name="share", head="Share", unit=unit, form="+,.6f"),
        Column(name="lowest", head="Least", form="+,.6f"),
        Column(name="highest", head="Most", form="+,.6f"),
        Column(name="alone", head="Alone", form="+,.6f"),
        Column(name="last", head="Last", form="+,.6f"),
        Column(name="note", head="Note"),
    ]
    ordered = rules.sort(~pl.col("exchanged"), pl.col("share").abs(), "rule", descending=[False, True, False])
    listing = Listing(
        name=f"rules-{place}",
        title="Every rule in which the files differ",
        table=table(ordered, columns, name=f"rules-{place}-table"),
        caption="Alone: beside the other's rules. Last: beside the one's. What has a note was not exchanged, or not by itself.",
    )
    drawings = [
        Drawing(
            name=f"waterfall-{place}",
            title=f"From {names[1]} to {names[0]}",
            figure=figures.waterfall(rules, names=names, prints=prints, unit=unit),
            caption="A bar a rule, the largest share first; its order is for reading alone, as a share is of all orders.",
        ),
        Drawing(
            name=f"ranges-{place}",
            title="How much depends on the other rules",
            figure=figures.ranges(rules, unit=unit),
            caption="A line that crosses zero is of a rule that raises the print beside some rules and lowers it beside others.",
        ),
    ]
    moved = figures.told(rules).height
    return Section(
        name=f"index-{place}", title=str(row["index"]), lead=str(row["sentence"]), blocks=[*(drawings if moved else []), listing]
    )


def _number(value: object) -> float:
    return float(str(value))
