"""EU-CRI: every published print, with its constituents, exclusions and revisions, from the published observations."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.readers.eucri import read_eucri
from tenorgrid.data.readers.published import read_eucri_constituents, read_eucri_prints
from tenorgrid.indices.audit import verify
from tenorgrid.indices.calculation import Calculation, calculate
from tenorgrid.indices.constituents import constituents
from tenorgrid.indices.estimators import rounded
from tenorgrid.indices.marks import mark
from tenorgrid.indices.methodology import load
from tenorgrid.indices.weights import bounded_shares
from tests.indices.eucri_plainly import EUROPEAN, LARGE, MARKETS, by_provider, capacity, day_of, eligible, is_firm, printed

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"
FILES = {name: SHARED / f"eucri_{name}.csv" for name in ("observations", "daily_index", "constituents")}
FIRST, END = date(2026, 7, 18), date(2026, 8, 15)
H100, A100 = "H100-SXM.EU.FIRM", "A100-SXM.EU.FIRM"
KEY = ["series", "date", "revision"]
published = pytest.mark.skipif(not all(path.exists() for path in FILES.values()), reason="needs the observations and prints of EU-CRI")

BOTH = 'kinds = ["firm quote", "list price"]'
WEIGHT = {"0.2.0": '[[levels.require]]\ncolumn = "review_weight"', "0.3.0": '[[levels.require]]\ncolumn = "offer_weight"'}
HEADLINE = """one_of = [
    "vast.ai", "runpod", "nebius", "datacrunch", "seeweb", "scaleway", "ovhcloud", "hetzner", "genesis_cloud", "leaseweb",
]"""


def only(*providers: str) -> str:
    return f"one_of = {list(providers)}".replace("'", '"')


# how the other series of a version differ from the file that is shipped
CHANGES = {
    "0.2.0 ": ("", ""),
    "0.2.0 -MKT": (BOTH, 'kinds = ["firm quote"]'),
    "0.2.0 -CLOUD": (BOTH, 'kinds = ["list price"]'),
    "0.2.0 -SOV": (WEIGHT["0.2.0"], f'[[levels.require]]\ncolumn = "provider"\n{only(*EUROPEAN)}\n\n{WEIGHT["0.2.0"]}'),
    "0.3.0 ": ("", ""),
    "0.3.0 -MKT": (HEADLINE, only(*MARKETS)),
    "0.3.0 -NC": (HEADLINE, only(*EUROPEAN)),
    "0.3.0 -HS": (HEADLINE, only(*LARGE)),
    "0.3.0 -SOV": (HEADLINE, only(*EUROPEAN)),
}


@pytest.fixture(scope="module")
def observations() -> pl.DataFrame:
    return read_eucri(FILES["observations"])


@pytest.fixture(scope="module")
def prints() -> pl.DataFrame:
    return read_eucri_prints(FILES["daily_index"])


@pytest.fixture(scope="module")
def told() -> pl.DataFrame:
    return read_eucri_constituents(FILES["constituents"])


def rule(version: str, suffix: str, folder: Path) -> Path:
    old, new = CHANGES[f"{version} {suffix}"]
    text = (SHIPPED / f"eu-cri-{version}.toml").read_text()
    assert old in text
    path = folder / f"eu-cri-{version}{suffix}.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def series_of(version: str, suffix: str) -> list[tuple[str, str]]:
    return [(f"EU-CRI-H100{suffix}", H100)] + ([("EU-CRI-A100", A100)] if not suffix else [])


def made(observations: pl.DataFrame, version: str, suffix: str, folder: Path) -> Calculation:
    names = [index for _, index in series_of(version, suffix)]
    return calculate(observations, methodology=load(rule(version, suffix, folder)), first=FIRST, end=END, indices=names)


def by_day(calculation: Calculation, index: str) -> dict[date, float | None]:
    marks = calculation.marks.filter(index=index)
    return {start.date(): value for start, value in marks.select("start", "value").iter_rows()}


def shares(calculation: Calculation, index: str) -> dict[tuple[date, str], tuple[float, float]]:
    """Price and weight of every provider on every day that something of it counts; percent, but what it would weigh without a print."""
    (part,) = calculation.evidence
    column = pl.col(str(part.level.weights.confidence))
    whole = column.mean() if part.level.vote is not None else column.sum()
    raw = part.used.group_by("index", "start", "provider").agg(whole.alias("weight"))
    rows = constituents(calculation).join(raw, on=["index", "start", "provider"]).filter(index=index)
    values = by_day(calculation, index)
    return {
        (start.date(), who): (price, weight if values[start.date()] is None else 100 * share)
        for start, who, price, weight, share in rows.select("start", "provider", "price", "weight", "share").iter_rows()
    }


@published
@pytest.mark.parametrize("name", CHANGES)
def test_every_print_of_every_series_is_reproduced(name: str, observations: pl.DataFrame, prints: pl.DataFrame, tmp_path: Path) -> None:
    version, _, suffix = name.partition(" ")
    calculation = made(observations, version, suffix, tmp_path)
    for series, index in series_of(version, suffix):
        theirs = prints.filter(series=series, methodology_version=f"{version}-dev")
        ours = by_day(calculation, index)
        assert {day: ours[day] for day in theirs["date"]} == dict(theirs.select("date", "value_usd").iter_rows())


@published
@pytest.mark.parametrize("name", CHANGES)
def test_every_constituent_has_its_price_and_weight(
    name: str, observations: pl.DataFrame, prints: pl.DataFrame, told: pl.DataFrame, tmp_path: Path
) -> None:
    version, _, suffix = name.partition(" ")
    calculation = made(observations, version, suffix, tmp_path)
    wanted = told.join(prints.filter(methodology_version=f"{version}-dev").select(KEY), on=KEY)
    compared = 0
    for series, index in series_of(version, suffix):
        ours, values = shares(calculation, index), by_day(calculation, index)
        for row in wanted.filter(series=series).iter_rows(named=True):
            compared += 1
            found = ours.get((row["date"], row["provider"]))
            if row["exclusion_reason"] == "out_of_population":
                assert found is None
                continue
            assert found is not None
            price, weight = found
            if row["included"]:
                assert (round(price, 6), round(weight, 6)) == (round(row["price_usd"], 6), row["weight"])
            else:
                assert (row["exclusion_reason"], values[row["date"]], row["weight"]) == ("insufficient_sources", None, 0.0)
        days = set(wanted.filter(series=series)["date"])
        listed = {(row["date"], row["provider"]) for row in wanted.filter(pl.col("series") == series).iter_rows(named=True)}
        assert {key for key in ours if key[0] in days} <= listed
    assert compared == wanted.filter(pl.col("series").is_in([series for series, _ in series_of(version, suffix)])).height > 0


@published
@pytest.mark.parametrize("name", CHANGES)
def test_the_rule_in_plain_loops_gives_the_same(name: str, observations: pl.DataFrame, prints: pl.DataFrame, tmp_path: Path) -> None:
    version, _, suffix = name.partition(" ")
    rows = observations.to_dicts()
    calculation = made(observations, version, suffix, tmp_path)
    for series, index in series_of(version, suffix):
        ours, parts = by_day(calculation, index), shares(calculation, index)
        latest = prints.filter(series=series, methodology_version=f"{version}-dev").unique("date", keep="first").sort("date")
        for row in latest.iter_rows(named=True):
            day = row["date"]
            plainly = printed(rows, day, version=version, resource=index.split(".")[0].lower(), population=suffix)
            assert plainly.value == ours[day] if plainly.value is None else round(plainly.value, 6) == ours[day]
            assert (plainly.sources, plainly.firm) == (row["n_sources"], row["n_executable"])
            for who, (price, share) in plainly.parts.items():
                assert parts[day, who] == pytest.approx((price, share), rel=1e-12)


@published
@pytest.mark.parametrize("version", ["0.2.0", "0.3.0"])
def test_every_offer_that_does_not_count_is_named_with_why(version: str, observations: pl.DataFrame, tmp_path: Path) -> None:
    """Each offer of the class is used or excluded once, and the reason is the first that the rule would give."""
    calculation = made(observations, version, "", tmp_path)
    (part,) = calculation.evidence
    gone = calculation.exclusions.filter(index=H100)
    used = part.used.filter(index=H100)
    assert used.height + gone.height == observations.filter(resource="h100-sxm").height
    assert not set(used["observation_id"]) & set(gone["observation_id"])
    named = gone.join(observations, on="observation_id", suffix="_seen")
    assert named.filter(rule="country").select(pl.col("country").is_null() | (pl.col("country") == "US")).to_series().all()
    small = named.filter(rule="gpu_count")["gpu_count"].fill_null(0.0)
    assert small.max() < (8 if version == "0.2.0" else 2)  # type: ignore[operator]
    large = set(named.filter(rule="provider")["provider"])
    assert large == (set() if version == "0.2.0" else {"aws", "gcp"})
    assert set(gone["rule"]) <= {"country", "gpu_count", "provider"}


@published
def test_a_revision_never_takes_the_place_of_the_print_before_it(prints: pl.DataFrame, observations: pl.DataFrame, tmp_path: Path) -> None:
    """Of a day printed several times each revision is reproduced by the version that made it, and the first ones still stand."""
    versions = {version: by_day(made(observations, version, "", tmp_path), H100) for version in ("0.2.0", "0.3.0")}
    headline = prints.filter(series="EU-CRI-H100").sort(*KEY)
    many = headline.filter(pl.len().over("date") > 1)
    assert many["date"].n_unique() == 13
    assert many.group_by("date").len()["len"].max() == 3
    for row in many.iter_rows(named=True):
        assert versions[row["methodology_version"].removesuffix("-dev")][row["date"]] == row["value_usd"]
    again = many.filter(pl.len().over("date", "methodology_version") > 1)
    assert set(again["date"]) == {date(2026, 8, 5), date(2026, 8, 13)}  # printed twice under one version, with the same result
    assert again.group_by("date", "methodology_version").agg(pl.col("value_usd").n_unique())["value_usd"].to_list() == [1, 1]
    withdrawn = (
        many.group_by("date").agg(pl.col("value_usd").first().alias("was"), pl.col("value_usd").last().alias("now")).drop_nulls("was")
    )
    assert withdrawn.filter(pl.col("now").is_null()).height == 10  # on three of 13 days the new version has a value


@published
def test_the_seven_day_mean_is_that_of_the_prints_that_stood(prints: pl.DataFrame) -> None:
    """0.2.0 printed day by day, 0.3.0 all days in one sweep; either took the last print of each day that there was, four at least."""
    headline = prints.filter(series="EU-CRI-H100").sort(*KEY)
    rows = prints.filter(series="EU-CRI-H100-7D")
    assert rows.height == 43
    for row in rows.iter_rows(named=True):
        then = headline.filter(pl.col("date").is_between(row["date"] - timedelta(6), row["date"]))
        if row["methodology_version"] == "0.2.0-dev":
            then = then.filter(methodology_version="0.2.0-dev").filter(
                (pl.col("date") < row["date"]) | (pl.col("revision") <= row["revision"])
            )
        found = then.group_by("date").agg(pl.col("value_usd").last())["value_usd"].drop_nulls().to_list()
        mean = rounded(sum(found) / len(found), decimals=6, rule=load("eu-cri-0.2.0").rounding) if len(found) >= 4 else None
        assert (row["value_usd"], row["n_sources"]) == (mean, len(found))


@published
def test_the_composites_shares_come_of_the_same_capacities(
    prints: pl.DataFrame, told: pl.DataFrame, observations: pl.DataFrame, tmp_path: Path
) -> None:
    """EU-CRI-COMPUTE: each class's share of all capacity in the window, between 5 and 75 %; a class without a print drops out."""
    series = prints.filter(series="EU-CRI-COMPUTE")
    assert series.height == 11
    rows = observations.to_dicts()
    for version, least in (("0.2.0", 8), ("0.3.0", 2)):
        sums = np.array([capacity_of(rows, resource, least=least) for resource in ("a100-sxm", "h100-sxm")])
        limited, _ = bounded_shares(sums, np.array([0, 2]), cap=0.75, floor=0.05)
        headline = by_day(made(observations, version, "", tmp_path), H100)
        level = None
        for row in series.filter(methodology_version=f"{version}-dev").sort("date", "revision").iter_rows(named=True):
            parts = {part["provider"]: part for part in told.filter(**{name: row[name] for name in KEY}).iter_rows(named=True)}
            value = headline[row["date"]]
            assert parts["A100"]["weight"] == round(100 * limited[0], 6)
            assert parts["H100"]["weight"] == (100.0 if value is not None else round(100 * limited[1], 6))
            assert parts["H100"]["price_usd"] == (value or 0.0)
            if value is not None:
                level = 100.0 if level is None else level  # the headline stood still on every day that is linked
            assert row["value_usd"] == (level if value is not None else None)


def capacity_of(rows: Sequence[Mapping[str, Any]], resource: str, *, least: int) -> float:
    """GPUs on offer in the window of 2026-08-10, 64 at most of a marketplace, 8 of a list."""
    window = {day for day in map(day_of, rows) if date(2026, 7, 13) <= day < date(2026, 8, 10)}
    total = 0.0
    for day in window:
        offers = [row for row in rows if day_of(row) == day and row["resource"] == resource and eligible(row, least=least)]
        total += sum(capacity(group) / (2 if is_firm(group) else 1) for group in by_provider(offers).values())
    return total


@published
def test_the_prints_verify_from_their_audits(observations: pl.DataFrame, tmp_path: Path) -> None:
    run = mark(observations, methodology="eu-cri-0.2.0", first=date(2026, 8, 10), end=END, indices=[H100])
    audits = run.write_audit(tmp_path / "audit.jsonl")
    assert verify(audits, observations, marks=run.marks).confirmed
    earlier = (pl.col("time") < datetime(2026, 8, 9, tzinfo=UTC)) & (pl.col("provider") == "runpod")
    moved = observations.with_columns(gpu_count=pl.when(earlier).then(64.0).otherwise("gpu_count"))
    differences = verify(audits, moved, marks=run.marks).differences  # what a review saw weeks before is part of a print's input
    assert {difference.index for difference in differences} == {H100}
