"""market.toml: every unknown, missing or bad key at once, and the same terms back."""

from datetime import timedelta
from pathlib import Path

import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.market_file import market_of, read_market, write_market
from tenorgrid.data.terms.market import Horizon, Market, Scarcity

GOOD: dict[str, object] = {
    "name": "one",
    "interval": "1h",
    "timezone": "America/New_York",
    "pricing": "marginal",
    "price_floor": -1,
    "price_cap": 100.0,
    "voll": 90,
}


def told(**changes: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        market_of({**GOOD, **changes})
    return [str(fault) for fault in caught.value.faults]


def test_terms_are_what_the_file_says() -> None:
    market = market_of({**GOOD, "horizons": [{"name": "rt", "lead": "0h"}, {"name": "da", "lead": "1d"}]})
    assert (market.interval, market.pricing, market.price_floor, market.hours) == (timedelta(hours=1), PricingRule.MARGINAL, -1.0, 1.0)
    assert market.horizons == (Horizon(name="da", lead=timedelta(days=1)), Horizon(name="rt", lead=timedelta(0)))
    assert market_of({**GOOD, "interval": "15m"}).hours == 0.25


@pytest.mark.parametrize(
    "scarcity", [None, Scarcity(reference_price=2.0, contingency=1e-7, mean=0.0, sd=14.5, steps=8)], ids=["no scarcity", "scarcity"]
)
def test_terms_that_are_written_read_back_the_same(scarcity: Scarcity | None, tmp_path: Path) -> None:
    market = Market(
        name='a "quoted" \\ name\twith ü',
        interval=timedelta(minutes=30),
        timezone="Europe/Stockholm",
        pricing=PricingRule.CONVEX_HULL,
        price_floor=-0.1,
        price_cap=1e16,
        voll=100.0,
        horizons=(
            Horizon(name="month-ahead", lead=timedelta(days=30)),
            Horizon(name="intraday", lead=timedelta(minutes=90)),
            Horizon(name="real-time", lead=timedelta(0)),
        ),
        scarcity=scarcity,
    )
    write_market(market, tmp_path)
    assert read_market(tmp_path) == market


def test_every_bad_key_is_told_at_once() -> None:
    faults = told(interval="60", timezone="Mars/Olympus", pricing="fair", price_cap=True, voll=float("nan"), colour="red", horizons=[])
    assert faults == [
        'market.toml, column interval: found \'60\', expected a length of time like "30d", "1h" or "15m"',
        "market.toml, column timezone: found 'Mars/Olympus', expected an IANA time zone like \"America/New_York\"",
        'market.toml, column pricing: found \'fair\', expected "marginal" or "convex-hull"',
        "market.toml, column price_cap: found True, expected a number",
        "market.toml, column voll: found nan, expected a number",
        "market.toml, column colour: found an unlisted key, expected only the keys name, interval, timezone, pricing, price_floor, "
        "price_cap, voll, horizons, scarcity",
        "market.toml, column horizons: found [], expected one [[horizons]] table or more, or none at all",
    ]


def test_what_stands_in_tables_is_named_with_the_table() -> None:
    scarcity = {"reference_price": 2, "contingency": 1, "mean": 0, "sd": 1, "steps": 2.5, "slope": 1}
    faults = told(horizons=[{"name": "rt"}, {"name": "", "lead": "1 day", "gate": 1}], scarcity=scarcity)
    assert [fault.split(":")[0].removeprefix("market.toml, column ") for fault in faults] == [
        "horizons[1].lead",
        "horizons[2].name",
        "horizons[2].lead",
        "horizons[2].gate",
        "scarcity.steps",
        "scarcity.slope",
    ]
    assert told(scarcity=3) == ["market.toml, column scarcity: found 3, expected a [scarcity] table"]
    assert told(scarcity={**scarcity, "steps": 2, "sd": 0} | {"slope": 1})[0].startswith("market.toml, column scarcity.slope")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"price_floor": 200}, "a price_floor below the price_cap"),
        ({"voll": 200}, "a voll between price_floor and price_cap"),
        ({"interval": "7h"}, "an interval that divides a day"),
        ({"interval": "0h"}, "an interval that divides a day"),
        ({"horizons": [{"name": "a", "lead": "1d"}, {"name": "a", "lead": "0h"}]}, "horizons of different names"),
        ({"horizons": [{"name": "a", "lead": "1d"}, {"name": "b", "lead": "24h"}]}, "horizons of different leads"),
        ({"scarcity": {"reference_price": 2, "contingency": 1, "mean": 0, "sd": 0, "steps": 2}}, "a standard deviation above 0"),
    ],
)
def test_terms_that_contradict_each_other_are_refused(changes: dict[str, object], wanted: str) -> None:
    (fault,) = told(**changes)
    assert fault.endswith(f"expected {wanted}")


def test_a_file_that_is_missing_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file of this name"):
        read_market(tmp_path)
    (tmp_path / "market.toml").write_text("name = one\n")
    with pytest.raises(InputError, match="TOML"):
        read_market(tmp_path)


def test_lengths_of_time_finer_than_a_minute_are_not_written(tmp_path: Path) -> None:
    market = Market(
        name="fine",
        interval=timedelta(seconds=30),
        timezone="UTC",
        pricing=PricingRule.MARGINAL,
        price_floor=0,
        price_cap=1,
        voll=1,
    )
    with pytest.raises(ValueError, match="whole minutes"):
        write_market(market, tmp_path)
