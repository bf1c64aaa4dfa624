"""The mean of many series at once, with errors that know that they move together."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.curves.premium.hac import autocovariances, bartlett, plug_in_lags
from tenorgrid.curves.premium.verdict import ratio, verdict

HOURS = 24
EVERY = "all"


def together(values: Vector, at: Counts) -> tuple[Vector, Counts]:
    """What all series are off their pooled mean at each place in time: sums (m,) of centred rows, and the places (m,).

    >>> together(np.array([1.0, 3.0, 2.0, 2.0]), np.array([0, 0, 1, 1]))
    (array([0., 0.]), array([0, 1]))
    """
    places, where = np.unique(at, return_inverse=True)
    sums = np.bincount(where, weights=values - values.mean(), minlength=places.size)
    return np.asarray(sums, dtype=np.float64), np.asarray(places, dtype=np.int64)


def driscoll_kraay(values: Vector, at: Counts, *, lags: int) -> float:
    r"""Standard error of a pooled mean: :math:`\sqrt{\hat\Gamma(h)} / N`, :math:`h_t = \sum_i (v_{it} - \bar v)`, Bartlett weights.

    Driscoll and Kraay (1998, Review of Economics and Statistics 80): series may move together in any way at the same time and at lags; the
    panel may lack rows. With no lag it clusters by place in time.

    Args:
        values: (N,) rows of all series.
        at: (N,) whole places in time, the same for rows of the same time.
        lags: of the long-run variance.

    >>> driscoll_kraay(np.array([1.0, 1.0, 3.0, 3.0]), np.array([0, 0, 1, 1]), lags=0)
    0.7071067811865476
    """
    sums, places = together(values, at)
    return float(np.sqrt(max(float(bartlett(autocovariances(sums, places, lags=lags))), 0.0)) / values.size)


def pools(rows: pl.DataFrame, *, leads: Mapping[str, int], timezone: str, classes: Mapping[str, str] | None) -> Iterator[dict[str, object]]:
    """Rows of `PremiumPooled`: one of each horizon and class.

    Args:
        rows: `AheadReal`.
        leads: days, of each horizon; the least lags.
        timezone: whose days are the clusters.
        classes: class of each series; None pools all of them.
    """
    named = pl.lit(EVERY) if classes is None else pl.col("series").replace_strict(classes, return_dtype=pl.String)
    begin = rows["start"].min()
    hour, day = (pl.col("start") - begin).dt.total_hours(), pl.col("start").dt.convert_time_zone(timezone).dt.date().to_physical()
    told = rows.select(
        "horizon", "series", named.alias("class"), (pl.col("ahead") - pl.col("real")).alias("v"), hour.alias("h"), day.alias("d")
    )
    for (horizon, name), group in told.sort("horizon", "class", "series", "h").group_by("horizon", "class", maintain_order=True):
        values, hours, days = group["v"].to_numpy(), group["h"].to_numpy(), group["d"].to_numpy().astype(np.int64)
        if np.unique(hours).size < 2:
            continue
        lags = plug_in_lags(*together(values, hours), least=HOURS * leads[str(horizon)])
        mean, naive = float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))
        by_day, robust = driscoll_kraay(values, days, lags=0), driscoll_kraay(values, hours, lags=lags)
        naive_t, hac_t = ratio(mean, naive), ratio(mean, robust)
        yield {
            "horizon": horizon, "class": name, "series": group["series"].n_unique(), "count": values.size, "bias": mean, "lags": lags,
            "naive_error": naive, "day_error": by_day, "hac_error": robust, "naive_t": naive_t, "hac_t": hac_t,
            "naive_verdict": verdict(naive_t), "verdict": verdict(hac_t),
        }  # fmt: skip
