"""Results of any benchmark in one form, and the rows of which nothing can be told."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from tenorgrid.data.benchmarks.accelerators import bundle, counts, names
from tenorgrid.data.errors import Fault
from tenorgrid.data.kinds.work import LeftOutReason
from tenorgrid.data.tables.benchmarked import Measured

SECONDS = 3600.0
MILLION, THOUSAND = 1e-6, 1e-3
GIVEN = ("row", "family", "reason", "column", "value", "detail")


@dataclass(frozen=True, kw_only=True)
class Results:
    """`Measured` rows of a file, and those left out: `LeftOut` with the column `family`."""

    measured: pl.DataFrame
    left_out: pl.DataFrame


def results(
    rows: pl.DataFrame, *, left_out: Iterable[pl.DataFrame], book: pl.DataFrame, sku: str, nodes: tuple[str, str] | None = None
) -> Results:
    """Rows in the columns of `Measured`, but for `resources`, which is told from the accelerator's name in the column `sku`.

    Args:
        rows: with `sku` and `gpus`; `domain` null is the scale-up domain that so many of these accelerators had, 1 is none. With
            `nodes`, the columns `nodes` and `per_node`, whose product must be the accelerators in all.
        left_out: rows that the reader itself leaves out, in the columns `GIVEN`.
        book: `Hosts`.
        sku: what the column of the accelerator's name is called in the file.
        nodes: what the columns of servers, and of accelerators in each, are called in the file.
    """
    out = [frame.select(GIVEN) for frame in left_out]
    gone = pl.concat([frame["row"] for frame in out]) if out else pl.Series([], dtype=pl.Int64)
    rows = rows.filter(~pl.col("row").is_in(gone.implode()))
    known = names(book)
    told = [bundle(name, number, known) for name, number in rows.select("sku", "gpus").iter_rows()]
    rows = rows.with_columns(resources=pl.Series(told, dtype=pl.String))
    expected = f"an accelerator out of {', '.join(sorted(set(known.values())))}, or a row of --hosts with this name"
    out.append(unclear(rows.filter(pl.col("resources").is_null()), column=sku, value="sku", detail=expected))
    rows = rows.filter(pl.col("resources").is_not_null())
    if nodes is not None:
        off = pl.col("nodes") * pl.col("per_node") != pl.col("gpus")
        counted = f"the accelerators of {nodes[0]} × {nodes[1]}"
        out.append(unclear(rows.filter(off), column="n_accel", value="gpus", detail=counted))
        rows = rows.filter(~off)
    scale_up = dict(book.select("resource", "scale_up").iter_rows())
    fabric = [max(min(number, scale_up[name]) for name, number in counts(resources).items()) for resources in rows["resources"]]
    domain = pl.coalesce("domain", pl.Series("fabric", fabric, dtype=pl.Int64))
    rows = rows.with_columns(domain=pl.when(domain > 1).then(domain))
    apart = pl.concat(out).sort("row").cast({"reason": pl.Enum([str(reason) for reason in LeftOutReason])})
    return Results(measured=Measured.validate(rows.select(Measured.columns().keys())), left_out=apart)


def faults(left_out: pl.DataFrame, *, file: str) -> list[Fault]:
    """A fault for every row whose unit, accelerators or their number cannot be told."""
    mine = left_out.filter(pl.col("reason") == LeftOutReason.UNCLEAR)
    return [
        Fault(file=file, row=row, column=column, value=value, expected=detail)
        for row, column, value, detail in mine.select("row", "column", "value", "detail").iter_rows()
    ]


def unclear(rows: pl.DataFrame, *, column: str, value: str, detail: str) -> pl.DataFrame:
    """Rows whose `column` cannot be told, in the columns `GIVEN`."""
    return left(rows, LeftOutReason.UNCLEAR, column=column, value=value, detail=detail)


def left(rows: pl.DataFrame, reason: LeftOutReason, *, column: str, value: str, detail: str) -> pl.DataFrame:
    """Rows that are left out for `reason`, in the columns `GIVEN`.

    Args:
        rows: with `row`, `family` and `value`.
        column: what the column is called in the file. value: what it is called here.
        detail: what was expected, or why.
    """
    return rows.select(
        "row",
        "family",
        pl.lit(str(reason)).alias("reason"),
        pl.lit(column).alias("column"),
        pl.col(value).cast(pl.String).alias("value"),
        pl.lit(detail).alias("detail"),
    )


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a file with their number, 1 below its header, in the column `row`."""
    return rows.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))


def slug(name: str) -> pl.Expr:
    """A name of a workload from the names of a source: lower case, digits, dots and hyphens.

    >>> pl.DataFrame({"model": ["ResNet-50 (batch size 64)", "llama31_405b"]}).select(slug("model")).to_series().to_list()
    ['resnet-50-batch-size-64', 'llama31-405b']
    """
    return pl.col(name).str.to_lowercase().str.replace_all(r"[^a-z0-9.]+", "-").str.strip_chars("-")
