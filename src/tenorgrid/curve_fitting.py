"""`tg.fit_curve`: everything that `tenorgrid curve` can be asked, from Python."""

from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.curve_result import Curve, as_curve
from tenorgrid.curves.band import Band
from tenorgrid.curves.components import TENSION, Bending, Ends, Method
from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import Averages, Within, refuse_names
from tenorgrid.curves.methods.asked import Asked
from tenorgrid.curves.methods.choice import Choice
from tenorgrid.curves.season import AnyShape, month_of_year
from tenorgrid.curves.shape import shape_of_history
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.curve import HourlyHistory, Outages, Quotes
from tenorgrid.data.tables.door import checked, read_checked
from tenorgrid.results import to_day


def fit_curve(
    quotes: pl.DataFrame | Path | str,
    *,
    index: str | None = None,
    as_of: datetime | date | str | None = None,
    method: Method = "smooth",
    ends: Ends = "free",
    bending: Bending = "period",
    within: Within = "price",
    tension: float = TENSION,
    averages: Averages = "plain",
    shape: AnyShape | None = None,
    history: pl.DataFrame | None = None,
    season: pl.DataFrame | None = None,
    outages: pl.DataFrame | None = None,
    band: Band | None = None,
    discount: Discount | None = None,
) -> Curve:
    """The smoothest curve of hourly forwards that averages back to every quote of an index: min ∫ f''² with A f = p.

    Args:
        quotes: `Quotes`, or a file of them; periods may overlap and leave gaps.
        index: index; None is the only one of the quotes.
        as_of: moment of the curve; a day is its midnight in the quotes' time zone; None is that of the latest quote.
        method: what the curve is between the quotes' dates: `smooth`, `tension`, `linear` or `constant`.
        ends: `free`, or without slope: `flat`, `flat-first`, `flat-last`.
        bending: `period` measures it in each interval's own length, `time` is the published ∫ f''² dt.
        within: `price` meets every quote, `bid-ask` is smoothest between bids and asks.
        tension: how hard the method `tension` pulls straight.
        averages: `plain`, or `discounted`: hours count by their discount factor, as where a contract is paid hour by hour.
        shape: hour-of-week shape, as `run.shape(index)`, or month-of-year shape, as `tg.month_of_year(...)`.
        history: instead of it past hourly prices, `HourlyHistory`, on whose weeks up to `as_of` the shape is measured.
        season: past prices of four years or more, on whose months it is measured; with `history`, months on top of hours of the week.
        outages: `Outages`, hours taken out of the delivery of quotes.
        band: measured ahead errors, as `run.band(index)`.
        discount: `tg.flat(...)` or `tg.discount_curve(...)`; None is none.

    Raises `InputError` for names that are not known, and for quotes that contradict one another, each named with its size
    (`ArbitrageError`, whose `table` is `Arbitrages`).

    Source: Benth, Koekebakker and Ollmar (2007), Extracting and applying smooth forward curves from average-based commodity contracts.

    >>> from datetime import UTC
    >>> def month(m: int) -> datetime: return datetime(2027, m, 1, tzinfo=UTC)
    >>> quotes = pl.DataFrame({
    ...     "as_of": [month(1)] * 2, "quote_id": ["mar", "apr"], "index": ["X"] * 2, "contract": ["GPU1H27", "GPU1J27"],
    ...     "start": [month(3), month(4)], "end": [month(4), month(5)], "profile": ["base"] * 2, "price": [2.0, 2.4],
    ...     "average": ["hourly"] * 2, "timezone": ["UTC"] * 2, "source": ["broker"] * 2})
    >>> curve = fit_curve(quotes, index="X", as_of="2027-01-01", method="linear", ends="flat-last")
    >>> round(curve["GPU1J27"], 10), round(curve.average("2027-03-01", "2027-04-01"), 10)
    (2.4, 2.0)
    >>> round(curve.bump("GPU1J27", 0.05).average("2027-04-01", "2027-05-01"), 10)
    2.45
    """
    refuse_names(bending=bending, method=method, ends=ends, within=within, averages=averages, tension=tension)
    table = _quotes(quotes)
    name = _only(table) if index is None else index
    mine = table.filter(pl.col("index") == name)
    if mine.is_empty():
        raise InputError.of("quotes", "quotes of this index", column="index", value=name)
    if shape is not None and (history is not None or season is not None):
        name = "season" if history is None else "history"
        raise InputError.of("curve", f"a shape or a {name} that gives one, not both", column=name)
    moment = _moment(as_of, mine)
    if shape is None:
        shape = shape_of_past(history, season, timezone=str(mine["timezone"][0]), by=moment)
    asked = Asked(
        choice=Choice(method=method, ends=ends, bending=bending, within=within, tension=tension, averages=averages),
        shape=shape,
        outages=Outages.create_empty() if outages is None else checked(outages, Outages, name="outages"),
    )
    return as_curve(asked.fit(table, index=name, as_of=moment, band=band, discount=discount), asked=asked)


def shape_of_past(history: pl.DataFrame | None, season: pl.DataFrame | None, *, timezone: str, by: datetime) -> AnyShape | None:
    """The shape of past prices: hours of the week of `history`, months of the year of `season`, both `HourlyHistory`; None of none.

    Only what was over `by` the moment of the curve is read, so that later rows change no curve.
    """
    week = None if history is None else shape_of_history(_over(checked(history, HourlyHistory, name="history"), by), timezone=timezone)
    if season is None:
        return week
    return month_of_year(_over(checked(season, HourlyHistory, name="season"), by), timezone=timezone, week=week)


def _over(prices: pl.DataFrame, by: datetime) -> pl.DataFrame:
    """A row lasts until the next one begins, the last as long as the one before it."""
    start = pl.col("start")
    return prices.sort("start").filter(pl.coalesce(start.shift(-1), start + (start - start.shift(1)), start) <= by)


def _quotes(quotes: pl.DataFrame | Path | str) -> pl.DataFrame:
    if isinstance(quotes, pl.DataFrame):
        return quotes
    frame, faults = read_checked(Path(quotes), Quotes)
    if faults:
        raise InputError(faults)
    return frame


def _only(quotes: pl.DataFrame) -> str:
    names = quotes["index"].unique().sort().to_list()
    if len(names) != 1:
        raise InputError.of("curve", f"one of {', '.join(names[:8]) or 'no index'}", column="index", value="none named")
    return str(names[0])


def _moment(as_of: datetime | date | str | None, mine: pl.DataFrame) -> datetime:
    if isinstance(as_of, datetime):
        if as_of.tzinfo is None:
            raise InputError.of("curve", "a time with its zone", column="as_of", value=as_of)
        return as_of
    if as_of is None:
        last = mine["as_of"].max()
        if isinstance(last, datetime):
            return last
        raise InputError.of("quotes", "a time with its zone", column="as_of")
    zone = ZoneInfo(str(mine["timezone"][0]))
    return datetime.combine(to_day(as_of) or date.min, time(), zone).astimezone(ZoneInfo("UTC"))
