"""The page of attacks: a figure a methodology of how far each attack moves the mark, and methodologies side by side."""

import polars as pl

from tenorgrid.indices.attacks.catalog import size_text
from tenorgrid.indices.attacks.stress import Stress
from tenorgrid.reports.figures import attacks as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, table

READ = (
    "Each cell: the size of the attack, and how far it moves the mark; darker is further, blue is a mark that is withheld or carried. Of "
    "several days the one that moves furthest. An empty row: the attack has nothing to work on."
)
MOVED = 0.01


def render(run: Stress, *, note: str = "") -> str:
    """The page as one HTML text that loads nothing from anywhere.

    Args:
        note: added to every caption, for example that the data is synthetic.
    """
    struck = run.moves.filter(pl.col("size").is_not_null())
    prints = struck.select("methodology", "index", "start").unique().height
    gone = struck.filter(pl.col("status_after").is_in(figures.UNUSUAL)).height
    far = struck.filter(pl.col("move").abs() > MOVED, ~pl.col("status_after").is_in(figures.UNUSUAL))
    free = far.filter(pl.col("cash_cost") == 0).height
    keys = [
        Key(label="Prints", value=f"{prints:,}", note=f"methodologies: {len(run.methodologies)}"),
        Key(label="Attacks", value=f"{struck.height:,}", note="each marked again by the same rule"),
        Key(label="Move the mark", value=f"{far.height:,}", note=f"by more than 1 %; {free:,} of them cost no cash"),
        Key(label="Silence it", value=f"{gone:,}", note="the mark is withheld or carried"),
    ]
    sections = [_side_by_side(run), _figures(run), _costs(run), *([_left_out(run)] if not run.left_out.is_empty() else [])]
    return compose(
        title="Attacks on marks",
        subtitle="How far the mark moves when somebody adds rows, or spoils them.",
        keys=keys,
        sections=sections,
        note=note,
    )


def _side_by_side(run: Stress) -> Section:
    rows = run.usual()
    texts = ["–" if row["unsuited"] else figures.moved_text(row["move"], row["status_after"]) for row in rows.iter_rows(named=True)]
    keys = ["methodology", "index", "date", "before", "level_before"]
    named = rows.select(*keys, "attack", pl.Series("text", texts, dtype=pl.String))
    wide = named.pivot("attack", index=keys, values="text", aggregate_function="first")
    columns = [
        Column(name="methodology", head="Methodology"),
        Column(name="index", head="Index"),
        Column(name="date", head="Day"),
        Column(name="before", head="Mark", form=",.6g"),
        *(
            Column(name=attack.name, head=attack.name.capitalize(), unit=size_text(attack.usual, attack.unit))
            for attack in run.attacks
            if attack.name in wide.columns
        ),
        Column(name="level_before", head="Made of"),
    ]
    listing = Listing(
        name="attacks-table",
        title="How far the mark moves",
        table=table(wide, columns, name="attacks-side-by-side"),
        caption="One size an attack, named in the head. A dash: nothing to work on.",
    )
    told = pl.DataFrame({"attack": [one.name for one in run.attacks], "does": [one.does for one in run.attacks]})
    does = Listing(
        name="attacks-told",
        title="The attacks",
        table=table(told, [Column(name="attack", head="Attack"), Column(name="does", head="What is done")], name="attacks-told-table"),
        caption="Names that an attack adds are new, but where it says that a contributor does it.",
    )
    return Section(name="side-by-side", title="Side by side", lead="Every methodology at one size of each attack.", blocks=[listing, does])


def _figures(run: Stress) -> Section:
    found = run.moves.select("methodology", "index", "level_before").unique(["methodology", "index"], keep="first", maintain_order=True)
    blocks = [
        Drawing(
            name=f"attacks-{place}",
            title=f"{methodology}: {index}, made of {level}",
            figure=figures.moves(figures.reached(run.moves.filter(methodology=methodology, index=index)), run.attacks),
            caption=READ,
        )
        for place, (methodology, index, level) in enumerate(found.iter_rows(), start=1)
    ]
    return Section(name="methodologies", title="Methodology by methodology", lead="Sizes grow to the right.", blocks=blocks)


def _costs(run: Stress) -> Section:
    worst = run.worst()
    texts = [figures.moved_text(row["move"], row["status_after"]) for row in worst.iter_rows(named=True)]
    sizes = [size_text(row["size"], row["unit"]) for row in worst.iter_rows(named=True)]
    shown = worst.with_columns(pl.Series("text", texts, dtype=pl.String), pl.Series("shown", sizes, dtype=pl.String))
    columns = [
        Column(name="methodology", head="Methodology"),
        Column(name="index", head="Index"),
        Column(name="attack", head="Attack"),
        Column(name="shown", head="Size"),
        Column(name="text", head="Move"),
        Column(name="status_after", head="Status"),
        Column(name="rows", head="Rows", form=",d"),
        Column(name="used", head="Count", form=",d"),
        Column(name="excluded", head="Excluded", form=",d"),
        Column(name="rules", head="By"),
        Column(name="unseen", head="Not looked at", form=",d"),
        Column(name="told", head="Told by checks", form=",d"),
        Column(name="notional", head="Notional", unit="USD", form=",.0f"),
        Column(name="cash_cost", head="Cash cost", unit="USD", form=",.0f"),
    ]
    listing = Listing(
        name="attacks-worst",
        title="The furthest move of each attack",
        table=table(shown, columns, name="attacks-worst-table"),
        caption=(
            "Cash cost is what the attacker pays above the mark and loses: nothing for quotes, and nothing where related parties pay each "
            "other. Told by checks: trades that a publisher's check of related parties names before a print is approved."
        ),
    )
    return Section(
        name="costs", title="What it takes", lead="Who counts, which rule takes the attacker out, and what it costs.", blocks=[listing]
    )


def _left_out(run: Stress) -> Section:
    columns = [Column(name="methodology", head="Methodology"), Column(name="reason", head="Why")]
    listing = Listing(
        name="attacks-left-out",
        title="Methodologies that these observations do not suit",
        table=table(run.left_out, columns, name="attacks-left-out-table"),
        caption="They are no weaker or stronger for it.",
    )
    return Section(name="left-out", title="Left out", lead="What these observations cannot show.", blocks=[listing])
