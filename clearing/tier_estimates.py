"""Tables of what a pool may promise: β with its error, credits of its suppliers, nested tiers, and what any sale would mean."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.autocorrelation import MeanError, mean_error
from tenorgrid.clearing.availability import Panel
from tenorgrid.clearing.pooling import chance_of_recall, credits, interruption, largest_sale, nested, prove_bound
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import PromiseVerdict
from tenorgrid.data.tables.tiering import Declared

Vector = npt.NDArray[np.float64]

FIRM = "firm"
LEAST = 1e-6  # β below which a tier has nothing to sell
GRID = 121  # points of the promise curve


def check_promises(promises: Mapping[str, float]) -> None:
    """Raises `InputError` with every promise that is none: a name twice over, firm, or π outside (0, 1).

    >>> check_promises({"spot": 1.2})
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: tiers, column interruption_probability: found spot 1.2, expected a promise above 0 and below 1
    """
    faults = [
        Fault(file="tiers", column="interruption_probability", value=f"{tier} {promise:g}", expected="a promise above 0 and below 1")
        for tier, promise in promises.items()
        if not 0 < promise < 1
    ]
    if FIRM in promises:
        faults.append(Fault(file="tiers", column="tier", value=FIRM, expected="a name other than firm, which is never interrupted"))
    if not promises:
        faults.append(Fault(file="tiers", expected="at least one promise"))
    if faults:
        raise InputError(faults)


def excess(record: Panel, sold: float, promise: float) -> Vector:
    """Interruptions in each segment less those promised, over what is listed on average, (segments,): its mean is G(b) − π b."""
    total = record.total
    scale = float(record.hours @ total / record.hours.sum())
    return np.asarray(total / scale * (np.maximum(sold - record.share, 0.0) - promise * sold))


def overcommit_error(record: Panel, sold: float, promise: float) -> MeanError | None:
    r"""Error of β by the delta method: β solves E[(β − x)⁺] = π β, so it moves by the error of that mean over P(x < β) − π."""
    slope = chance_of_recall(sold, record.share, record.weight) - promise
    if sold <= LEAST or slope <= 0:
        return None
    error = mean_error(excess(record, sold, promise), record.hours)
    return None if error is None else MeanError(value=error.value / slope, degrees=error.degrees)


def estimate_table(record: Panel, promises: Mapping[str, float]) -> pl.DataFrame:
    """`TierEstimates` of one pool, the most reliable tier first. Raises RuntimeError for an estimate that breaks the bound: a bug."""
    share, weight = record.share, record.weight
    a, listed = float(weight @ share), float(record.inventory.sum())
    rows = []
    for tier, promise in ordered(promises):
        sold = largest_sale(promise, share, weight)
        prove_bound(sold, promise, availability=a)
        error = overcommit_error(record, sold, promise)
        margin = None if error is None else error.margin()
        rows.append(
            {
                "pool": record.pool, "tier": tier, "promise": promise, "listed": listed, "sold": sold * listed, "overcommit": sold,
                "standard_error": None if error is None else error.value,
                "lower": None if margin is None else max(sold - margin, 0.0),
                "upper": None if margin is None else min(sold + margin, 1 / (1 - promise)),
                "chance_of_recall": chance_of_recall(sold, share, weight), "bound": a / (1 - promise),
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(("standard_error", "lower", "upper"), pl.Float64))


def credit_table(record: Panel, promises: Mapping[str, float]) -> pl.DataFrame:
    """`Credits` of every supplier and tier of one pool."""
    share, weight = record.share, record.weight
    parts = []
    for tier, promise in ordered(promises):
        sold = largest_sale(promise, share, weight)
        found = credits(
            sold, promise, share=share, weight=weight, present=record.present, listed=record.listed, hours=record.hours
        )  # fmt: skip
        parts.append(
            pl.DataFrame(
                {
                    "pool": record.pool, "tier": tier, "supplier": list(record.suppliers), "listed": record.inventory,
                    "availability": np.minimum(record.availability, 1.0), "credit": found, "average": sold,
                }
            )
        )  # fmt: skip
    return pl.concat(parts)


def nested_table(record: Panel, promises: Mapping[str, float], *, stakes: Mapping[str, float] | None = None) -> pl.DataFrame:
    """`Nested` tiers of one pool, lower ones interrupted first.

    Args:
        record: of the pool.
        promises: π by tier.
        stakes: share of the listed hours behind each tier, summing to 1; None is the same for all.

    Raises `InputError` where stakes and promises do not name the same tiers, or stakes do not sum to 1.
    """
    tiers = ordered(promises)
    share = dict.fromkeys(promises, 1 / len(promises)) if stakes is None else dict(stakes)
    _check_stakes(share, promises)
    behind = np.array([share[tier] for tier, _ in tiers])
    wanted = np.array([promise for _, promise in tiers])
    sold, hit = nested(wanted, record.share, record.weight, stakes=behind)
    return pl.DataFrame(
        {
            "pool": record.pool, "tier": [tier for tier, _ in tiers], "promise": wanted, "share": behind, "sold": sold,
            "cumulative": np.cumsum(sold), "interruption": pl.Series(hit).fill_nan(None),
            "overcommit": np.where(behind > 0, sold / np.where(behind > 0, behind, 1.0), 0.0),
            "alone": [largest_sale(promise, record.share, record.weight) for promise in wanted],
        }
    )  # fmt: skip


def declared_table(record: Panel, tiers: pl.DataFrame) -> pl.DataFrame:
    """`Declared`: the interruptible tiers of a case at their own β, had this pool sold them alone.

    Args:
        record: of the pool.
        tiers: `Tiers` of the case; firm is passed over.
    """
    share, weight = record.share, record.weight
    rows = []
    for tier, promise, sold in (
        tiers.select("tier", "interruption_probability", "overcommit").sort("interruption_probability", "tier").iter_rows()
    ):
        if tier == FIRM:
            continue
        met = interruption(sold, share, weight)
        error = mean_error(excess(record, sold, met) / sold, record.hours)
        margin = None if error is None else error.margin()
        lower = None if margin is None else max(met - margin, 0.0)
        rows.append(
            {
                "pool": record.pool, "tier": tier, "promise": promise, "overcommit": sold, "interruption": met,
                "standard_error": None if error is None else error.value, "lower": lower,
                "upper": None if margin is None else min(met + margin, 1.0), "chance_of_recall": chance_of_recall(sold, share, weight),
                "largest": largest_sale(promise, share, weight) if promise > 0 else None,
                "verdict": verdict(met, promise, lower=lower).value,
            }
        )  # fmt: skip
    columns = {name: column.dtype for name, column in Declared.columns().items()}
    return pl.DataFrame(rows, schema_overrides=columns).cast(columns) if rows else Declared.create_empty()  # type: ignore[arg-type]


def verdict(realised: float, promise: float, *, lower: float | None) -> PromiseVerdict:
    """Whether a promise held, by the realised share and the lower end of its interval.

    >>> str(verdict(0.12, 0.10, lower=0.09)), str(verdict(0.12, 0.10, lower=0.11)), str(verdict(0.10, 0.10, lower=0.05))
    ('unclear', 'broken', 'kept')
    """
    if realised <= promise:
        return PromiseVerdict.KEPT
    return PromiseVerdict.BROKEN if lower is None or lower > promise else PromiseVerdict.UNCLEAR


def promise_curve(record: Panel) -> pl.DataFrame:
    """`PromiseCurve`: π and P(A < S) over sales from next to nothing to 1.25 per listed hour."""
    share, weight = record.share, record.weight
    sales = np.linspace(0.0, 1.25, GRID + 1)[1:]
    return pl.DataFrame(
        {
            "pool": record.pool,
            "overcommit": sales,
            "interruption": [interruption(sold, share, weight) for sold in sales],
            "chance_of_recall": [chance_of_recall(sold, share, weight) for sold in sales],
        }
    )


def case_tiers(estimates: pl.DataFrame) -> pl.DataFrame:
    """The `tiers` table of a market case: firm, then every tier of the estimates that has something to sell; over pools the least β.

    Args:
        estimates: with tier, promise and overcommit, of one pool or several.
    """
    least = (
        estimates.group_by("tier", "promise").agg(pl.col("overcommit").min()).filter(pl.col("overcommit") > LEAST).sort("promise", "tier")
    )
    table = least.select("tier", pl.col("promise").alias("interruption_probability"), "overcommit", pl.lit(0.0).alias("reserve_share"))
    firm = pl.DataFrame({"tier": [FIRM], "interruption_probability": [0.0], "overcommit": [1.0], "reserve_share": [0.0]})
    return pl.concat([firm, table])


def ordered(promises: Mapping[str, float]) -> list[tuple[str, float]]:
    """Tiers and their promises, the most reliable first, equal ones by name."""
    return sorted(promises.items(), key=lambda item: (item[1], item[0]))


def _check_stakes(stakes: Mapping[str, float], promises: Mapping[str, float]) -> None:
    if set(stakes) != set(promises):
        raise InputError.of("tiers", f"a share for each of {', '.join(sorted(promises))}", column="share", value=", ".join(sorted(stakes)))
    if any(not 0 <= share <= 1 for share in stakes.values()) or abs(sum(stakes.values()) - 1) > 1e-9:
        found = ", ".join(f"{tier} {share:g}" for tier, share in stakes.items())
        raise InputError.of("tiers", "shares in [0, 1] that sum to 1", column="share", value=found)
