"""Market cases: what reads, what is refused and how, and that all faults of all files come at once."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.case import OPTIONAL, TABLES, Case, check_case, make_case, read_case, write_case
from tenorgrid.data.errors import InputError, OvercommitWarning
from tenorgrid.data.store import Form, read_manifest
from tenorgrid.data.terms.market import Horizon, Market

TWO = Path(__file__).parent / "cases" / "two_locations"
AHEAD = '\n[[horizons]]\nname = "day-ahead"\nlead = "1d"\n\n[[horizons]]\nname = "real-time"\nlead = "0h"\n'
BOUNDARY = "a boundary of the market's intervals of 1:00:00"
HOUR = "2027-01-01T00:00:00Z,2027-01-01T01:00:00Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the case of two locations, to be broken."""
    return Path(shutil.copytree(TWO, tmp_path / "case"))


def append(folder: Path, name: str, *lines: str) -> None:
    with (folder / name).open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def told(folder: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_case(folder)
    return [str(fault) for fault in caught.value.faults]


def test_the_case_of_two_locations_reads() -> None:
    case = read_case(TWO)
    assert case.market.name == "two locations"
    assert [horizon.name for horizon in case.market.horizons] == ["real-time"]
    assert case.offers.select("offer_id", "quantity", "price").rows() == [("cheap", 60.0, 1.5), ("dear", 100.0, 2.5)]
    assert case.bids["start"].to_list() == [datetime(2027, 1, 1, tzinfo=UTC)] * 2
    assert case.links.row(0) == ("west-east", "west", "east", 30.0, 0.1)
    assert check_case(case) == []


def test_without_a_tiers_file_all_is_firm_and_no_premium_means_none() -> None:
    case = read_case(TWO)
    assert case.tiers.rows() == [("firm", 0.0, 1.0, 0.0)]
    assert case.offers["firm_premium"].to_list() == [0.0, 0.0]


def test_with_a_tiers_file_firm_comes_first_and_no_premium_stays_null(folder: Path) -> None:
    (folder / "tiers.csv").write_text("tier,interruption_probability,overcommit\nspot,0.1,0.8\n")
    case = read_case(folder)
    assert case.tiers.rows() == [("firm", 0.0, 1.0, 0.0), ("spot", 0.1, 0.8, None)]
    assert case.offers["firm_premium"].to_list() == [None, None]
    (folder / "tiers.csv").write_text("tier,interruption_probability,overcommit\nspot,0.1,0.8\nfirm,0,1\n")
    assert read_case(folder).tiers["tier"].to_list() == ["firm", "spot"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_case_that_is_written_reads_back_the_same(form: Form, folder: Path, tmp_path: Path) -> None:
    (folder / "market.toml").write_text((folder / "market.toml").read_text() + AHEAD)
    (folder / "tiers.csv").write_text("tier,interruption_probability,overcommit,reserve_share\nspot,0.1,0.8,0.25\n")
    (folder / "virtuals.csv").write_text(
        f"horizon,bid_id,participant,location,resource,start,end,side,quantity,price\nday-ahead,v,vera,east,h100-sxm,{HOUR},dec,5,2.6\n"
    )
    (folder / "reserves.csv").write_text("region,resource,step,quantity,price\nus-east,h100-sxm,1,5,20\nus-east,h100-sxm,2,5,10\n")
    case = read_case(folder)
    write_case(case, tmp_path / "again", form=form, seed=3)
    again = read_case(tmp_path / "again")
    assert again.market == case.market
    for name, frame in case.tables().items():
        assert again.tables()[name].equals(frame), name
    assert read_manifest(tmp_path / "again")["seed"] == 3


def test_rows_in_another_order_are_the_same_case_up_to_order(folder: Path) -> None:
    for name in ("offers.csv", "bids.csv", "locations.csv"):
        header, *rows = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join([header, *reversed(rows)]) + "\n")
    turned, plain = read_case(folder).tables(), read_case(TWO).tables()
    for name, frame in plain.items():
        assert turned[name].sort(pl.all()).equals(frame.sort(pl.all())), name


def test_frames_from_python_make_the_same_case(folder: Path) -> None:
    read = read_case(folder)
    made = make_case(read.market, {name: frame for name, frame in read.tables().items() if name not in OPTIONAL or name == "links"})
    assert all(frame.equals(made.tables()[name]) for name, frame in read.tables().items())
    with pytest.raises(InputError, match="bids: found a missing table"):
        make_case(read.market, {name: frame for name, frame in read.tables().items() if name != "bids"})
    with pytest.raises(InputError) as caught:
        make_case(read.market, {**read.tables(), "bids": read.bids.clear(), "locations": read.locations.drop("location")})
    assert [(fault.file, fault.value) for fault in caught.value.faults] == [("locations", "a missing column"), ("bids", None)]
    with pytest.raises(InputError, match="prices: found an unlisted table"):
        make_case(read.market, {**read.tables(), "prices": read.bids})


def test_the_faults_of_all_files_come_in_one_error(folder: Path) -> None:
    append(folder, "offers.csv", f"bad,acme,north,h100-sxm,{HOUR},1,-5,2")
    append(folder, "bids.csv", f"bad,carla,chess,east,{HOUR},1,NaN,2")
    append(folder, "links.csv", "loop,east,moon,1,1")
    (folder / "market.toml").write_text((folder / "market.toml").read_text().replace("price_cap = 100\n", ""))
    assert told(folder) == [
        "market.toml, column price_cap: found a missing key, expected a number",
        "offers.csv row 3, column quantity: found -5.0, expected a number of at least 0",
        "bids.csv row 3, column quantity: found NaN, expected a number of at least 0",
        "offers.csv row 3, column location: found north, expected a location of locations.csv",
        "bids.csv row 3, column workload: found chess, expected a workload of workloads.csv",
        "links.csv row 2, column to: found moon, expected a location of locations.csv",
    ]


CASES: list[tuple[str, str, str, str]] = [
    ("offers.csv", f"x,acme,north,h100-sxm,{HOUR},1,1,2", "location", "a location of locations.csv"),
    ("offers.csv", f"x,acme,east,tpu,{HOUR},1,1,2", "resource", "a resource of resources.csv"),
    ("bids.csv", f"x,carla,chess,east,{HOUR},1,1,2", "workload", "a workload of workloads.csv"),
    ("bids.csv", f"x,carla,chat,north,{HOUR},1,1,2", "home", "a location of locations.csv"),
    ("recipes.csv", "chat,two-gpu,1", "recipe", "a recipe with resources in recipe_resources.csv"),
    ("recipe_resources.csv", "chat,three-gpu,h100-sxm,1", "recipe", "a workload and recipe of recipes.csv"),
    ("recipe_resources.csv", "chat,one-gpu,tpu,1", "resource", "a resource of resources.csv"),
    ("links.csv", "x,moon,east,1,1", "from", "a location of locations.csv"),
    ("links.csv", "x,east,east,1,1", "to", "a location other than the one it starts from"),
    ("offers.csv", f"cheap,acme,east,h100-sxm,{HOUR},2,10,1.4", "price", "a price of at least that of the step before"),
    ("bids.csv", f"east-chat,carla,chat,east,{HOUR},2,10,4.1", "value", "a value of at most that of the step before"),
    ("offers.csv", f"x,acme,east,h100-sxm,{HOUR.replace('00:00:00Z', '00:30:00Z')},1,1,2", "start", BOUNDARY),
    ("bids.csv", f"x,carla,chat,east,{HOUR.replace('01:00:00Z', '01:00:00.5Z')},1,1,2", "end", BOUNDARY),
    ("bids.csv", f"east-chat,dario,chat,east,{HOUR},2,10,3", "participant", "the same participant on all rows of one bid_id"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "row", "column", "wanted"), CASES)
def test_rows_that_do_not_fit_the_rest_are_named(folder: Path, file: str, row: str, column: str, wanted: str) -> None:
    number = len((folder / file).read_text().splitlines())
    append(folder, file, row)
    (sentence,) = told(folder)
    assert sentence.startswith(f"{file} row {number}, column {column}: found ")
    assert sentence.endswith(f"expected {wanted}")


def test_a_recipe_of_unknown_work_that_uses_nothing_has_two_faults(folder: Path) -> None:
    append(folder, "recipes.csv", "chess,one-gpu,1")
    assert told(folder) == [
        "recipes.csv row 2, column workload: found chess, expected a workload of workloads.csv",
        "recipes.csv row 2, column recipe: found one-gpu, expected a recipe with resources in recipe_resources.csv",
    ]


def test_one_offer_has_one_window(folder: Path) -> None:
    append(folder, "offers.csv", "cheap,acme,east,h100-sxm,2027-01-01T00:00:00Z,2027-01-01T02:00:00Z,2,10,1.6")
    found = "2027-01-01T02:00:00Z (offer_id cheap)"
    assert told(folder) == [f"offers.csv row 3, column end: found {found}, expected the same end on all rows of one offer_id"]


def test_the_same_id_may_stand_in_two_horizons_but_not_in_all_and_one(folder: Path) -> None:
    (folder / "market.toml").write_text((folder / "market.toml").read_text() + AHEAD)
    header = "horizon,bid_id,participant,workload,home,start,end,step,quantity,value"
    rows = [f"{horizon},b,carla,chat,east,{HOUR},1,5,{value}" for horizon, value in (("day-ahead", 3), ("real-time", 4))]
    (folder / "bids.csv").write_text("\n".join([header, *rows]) + "\n")
    assert read_case(folder).bids.height == 2
    append(folder, "bids.csv", f",b,carla,chat,east,{HOUR},1,5,2")
    assert [sentence.split(":")[0] for sentence in told(folder)] == [f"bids.csv row {row}, column horizon" for row in (1, 2)]


def test_tiers_of_a_bid_are_known_ones(folder: Path) -> None:
    (folder / "tiers.csv").write_text("tier,interruption_probability,overcommit\nspot,0.1,0.8\n")
    header, first, second = (folder / "bids.csv").read_text().splitlines()
    (folder / "bids.csv").write_text("\n".join([f"{header},tiers", f"{first},firm;spot", f"{second},firm;gold"]) + "\n")
    assert told(folder) == ["bids.csv row 2, column tiers: found firm;gold, expected tiers out of firm, spot, separated by `;`"]


def test_the_tier_firm_is_what_it_is(folder: Path) -> None:
    (folder / "tiers.csv").write_text("tier,interruption_probability,overcommit\nfirm,0.1,1\n")
    assert told(folder) == ["tiers.csv row 1, column interruption_probability: found 0.1, expected 0, as the tier firm is fixed"]


def test_a_tier_that_no_pool_can_keep_is_warned_of(folder: Path) -> None:
    (folder / "tiers.csv").write_text("tier,interruption_probability,overcommit\nspot,0.1,1.2\nhalf,0.5,2\n")
    with pytest.warns(OvercommitWarning, match="tier spot") as caught:
        read_case(folder)
    assert len(caught) == 1  # 0.5 of 2 is just what there is


def test_horizons_are_those_of_the_market_and_virtual_bids_stand_ahead(folder: Path) -> None:
    (folder / "market.toml").write_text((folder / "market.toml").read_text() + AHEAD)
    header = "horizon,bid_id,participant,location,resource,start,end,side,quantity,price"
    nodes = [("real-time", "east,h100-sxm"), ("week-ahead", "east,h100-sxm"), ("day-ahead", "moon,h100-sxm"), ("day-ahead", "east,tpu")]
    rows = [f"{horizon},v,vera,{node},{HOUR},inc,5,2" for horizon, node in nodes]
    rows[3] = rows[3].replace(",v,", ",w,")
    (folder / "virtuals.csv").write_text("\n".join([header, *rows]) + "\n")
    assert told(folder) == [
        "virtuals.csv row 3, column location: found moon, expected a location of locations.csv",
        "virtuals.csv row 4, column resource: found tpu, expected a resource of resources.csv",
        "virtuals.csv row 1, column horizon: found real-time, expected an ahead horizon of market.toml: day-ahead",
        "virtuals.csv row 2, column horizon: found week-ahead, expected an ahead horizon of market.toml: day-ahead",
    ]


def test_a_virtual_bid_needs_a_node_that_some_bid_may_use(folder: Path) -> None:
    (folder / "market.toml").write_text((folder / "market.toml").read_text() + AHEAD)
    append(folder, "resources.csv", "b200-sxm,accelerator,GPU")
    header = "horizon,bid_id,participant,location,resource,start,end,side,quantity,price"
    (folder / "virtuals.csv").write_text(f"{header}\nday-ahead,v,vera,east,b200-sxm,{HOUR},inc,5,2\n")
    assert told(folder) == ["virtuals.csv row 1, column resource: found b200-sxm, expected a resource that a recipe of some bid uses"]


def test_reserves_are_held_on_accelerators_of_known_regions(folder: Path) -> None:
    append(folder, "resources.csv", "vcpu,cpu,vCPU")
    rows = ["us-east,vcpu,1,5,20", "moon,h100-sxm,1,5,20", "us-west,h100-sxm,1,5,10", "us-west,h100-sxm,2,5,20"]
    (folder / "reserves.csv").write_text("\n".join(["region,resource,step,quantity,price", *rows]) + "\n")
    assert told(folder) == [
        "reserves.csv row 2, column region: found moon, expected a region of locations.csv",
        "reserves.csv row 1, column resource: found vcpu, expected an accelerator: scarcity is held on these only",
        "reserves.csv row 4, column price: found 20.0, expected a price of at most that of the step before",
    ]


def test_the_scarcity_curve_is_given_once(folder: Path) -> None:
    (folder / "reserves.csv").write_text("region,resource,step,quantity,price\nus-east,h100-sxm,1,5,20\n")
    text = (folder / "market.toml").read_text()
    (folder / "market.toml").write_text(f"{text}\n[scarcity]\nreference_price = 2\ncontingency = 5\nmean = 0\nsd = 10\nsteps = 4\n")
    assert told(folder) == ["market.toml, column scarcity: found [scarcity] and reserves.csv, expected one of the two"]


@pytest.mark.parametrize(("value", "refused"), [("100", False), ("100.01", True)])
def test_a_bid_may_not_ask_for_a_price_above_the_cap(folder: Path, value: str, refused: bool) -> None:
    append(folder, "bids.csv", f"x,carla,chat,east,{HOUR},1,1,{value}")
    if not refused:
        assert read_case(folder).bids.height == 3
        return
    (sentence,) = told(folder)
    assert sentence == (
        "bids.csv row 3, column value: found 100.01, expected a value of at most 100: with recipe one-gpu a higher one could put h100-sxm "
        "above the price_cap of 100"
    )


def test_the_cap_holds_for_the_recipe_and_resource_that_reach_highest(folder: Path) -> None:
    append(folder, "resources.csv", "vcpu,cpu,vCPU")
    append(folder, "recipes.csv", "chat,lean,2")
    append(folder, "recipe_resources.csv", "chat,lean,h100-sxm,1", "chat,lean,vcpu,0.05")
    sentences = told(folder)  # 2 / 0.05 = 40 vCPU-hours' worth a unit: 4 · 40 = 160 and 3 · 40 = 120 are above 100
    assert [sentence.split(", expected")[1][:29] for sentence in sentences] == [" a value of at most 2.5: with"] * 2
    assert all("recipe lean" in sentence and "put vcpu above" in sentence for sentence in sentences)


@pytest.mark.parametrize("name", sorted(set(TABLES) - OPTIONAL))
def test_a_missing_table_is_named_and_nothing_else(folder: Path, name: str) -> None:
    (folder / f"{name}.csv").unlink()
    assert told(folder) == [f"{name}.csv: found a missing file, expected a file of this name, or {name}.parquet"]


def test_a_case_without_bids_is_refused(folder: Path) -> None:
    (folder / "bids.csv").write_text((folder / "bids.csv").read_text().splitlines()[0] + "\n")
    assert told(folder) == ["bids.csv: expected at least one row"]


def test_an_empty_file_is_refused(folder: Path) -> None:
    (folder / "bids.csv").write_text("")
    assert told(folder) == ["bids.csv: found an empty file, expected a header with the table's columns"]


def test_a_missing_column_is_told_once_and_not_once_a_row(folder: Path) -> None:
    lines = (folder / "locations.csv").read_text().splitlines()
    (folder / "locations.csv").write_text("\n".join(line.split(",", 1)[1] for line in lines) + "\n")
    assert told(folder) == [
        "locations.csv, column location: found a missing column, expected this column: Name of the cluster or data-centre region"
    ]


def test_files_that_look_misspelt_or_double_are_refused(folder: Path) -> None:
    (folder / "links.csv").rename(folder / "link.csv")
    assert told(folder) == ["link.csv: found an unlisted file, expected links.csv, or a name that is less like it"]
    (folder / "link.csv").rename(folder / "links.csv")
    read_case(folder).bids.write_parquet(folder / "bids.parquet")
    assert told(folder) == ["bids.csv: found bids.csv and bids.parquet, expected one file for the table bids"]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the folder of a market case"):
        read_case(tmp_path / "nowhere")


def test_intervals_are_counted_from_local_midnight() -> None:
    case = read_case(TWO)
    kolkata = Case(**{**vars(case), "market": _moved(case, "Asia/Kolkata")})
    assert {fault.column for fault in check_case(kolkata)} == {"start", "end"}  # its midnight is at 18:30 UTC
    shifted = {name: case.tables()[name].with_columns(pl.col("start", "end") - timedelta(minutes=30)) for name in ("offers", "bids")}
    assert check_case(Case(**{**vars(kolkata), **shifted})) == []
    assert check_case(Case(**{**vars(case), "market": _moved(case, "America/New_York")})) == []


def _moved(case: Case, timezone: str) -> Market:
    return replace(case.market, timezone=timezone)


def slow_order(rows: pl.DataFrame) -> set[int]:
    """Rows whose price is below that of the step before, one by one."""
    wrong = set()
    for number, row in enumerate(rows.iter_rows(named=True), start=1):
        earlier = [other for other in rows.iter_rows(named=True) if other["offer_id"] == row["offer_id"] and other["step"] < row["step"]]
        if earlier and max(earlier, key=lambda other: other["step"])["price"] > row["price"]:
            wrong.add(number)
    return wrong


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_steps_is_judged_as_a_slow_reading_does(seed: int, offers: Callable[[int], pl.DataFrame]) -> None:
    case = read_case(TWO)
    rows = offers(seed)
    faults = check_case(Case(**{**vars(case), "offers": rows}))
    assert {fault.row for fault in faults} == slow_order(rows)
    assert faults


@pytest.fixture
def offers() -> Callable[[int], pl.DataFrame]:
    """Offers of several steps with prices at random, rows shuffled."""

    def drawn(seed: int) -> pl.DataFrame:
        one = read_case(TWO).offers.head(1)
        steps = pl.DataFrame({"offer_id": [f"o{n // 4}" for n in range(40)], "step": [n % 4 + 1 for n in range(40)]})
        prices = pl.Series("price", range(40)).sample(fraction=1, shuffle=True, seed=seed).cast(pl.Float64)
        return (
            steps.with_columns(prices)
            .join(one.drop("offer_id", "step", "price"), how="cross")
            .select(one.columns)
            .sample(fraction=1, shuffle=True, seed=seed)
        )

    return drawn


def test_horizons_come_longest_lead_first(folder: Path) -> None:
    first, second = AHEAD.strip().split("\n\n")
    (folder / "market.toml").write_text((folder / "market.toml").read_text() + f"\n{second}\n\n{first}\n")
    assert read_case(folder).market.horizons == (
        Horizon(name="day-ahead", lead=timedelta(days=1)),
        Horizon(name="real-time", lead=timedelta(0)),
    )
