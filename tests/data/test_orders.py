"""Orders that are decided whole: what their rows must be to one another, each rule refused by file, row, column, value and rule."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tenorgrid.data.case import check_case, read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.orders import _cycles

TWO = Path(__file__).parent / "cases" / "two_locations"
HORIZONS = '\n[[horizons]]\nname = "day-ahead"\nlead = "1d"\n\n[[horizons]]\nname = "real-time"\nlead = "0h"\n'
OFFER = "horizon,offer_id,participant,location,resource,start,end,step,quantity,price,block,start_cost,min_hours,domain"
BID = "horizon,bid_id,participant,workload,home,start,end,step,quantity,value,min_share,total,exclusive_group,linked_to"


def offer(*, horizon: str = "", name: str = "o", end: int = 4, resource: str = "h100-sxm", **cells: Any) -> str:
    filled = {"step": 1, "quantity": 8, "price": 2, "block": "", "start_cost": "", "min_hours": "", "domain": ""} | cells
    window = f"2027-01-01T00:00:00Z,2027-01-01T{end:02d}:00:00Z"
    return f"{horizon},{name},acme,east,{resource},{window},{','.join(str(cell) for cell in filled.values())}"


def bid(name: str, *, horizon: str = "", participant: str = "carla", workload: str = "chat", **cells: Any) -> str:
    filled = {"step": 1, "quantity": 5, "value": 3, "min_share": "", "total": "", "exclusive_group": "", "linked_to": ""} | cells
    window = "2027-01-01T00:00:00Z,2027-01-01T04:00:00Z"
    return f"{horizon},{name},{participant},{workload},east,{window},{','.join(str(cell) for cell in filled.values())}"


def cell(column: str, value: object) -> dict[str, Any]:
    return {column: value}


Write = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Writes the case of two locations, in two horizons, with these offers and bids."""

    def write(*, offers: list[str] | None = None, bids: list[str] | None = None) -> Path:
        folder = Path(shutil.copytree(TWO, tmp_path / "case", dirs_exist_ok=True))
        (folder / "market.toml").write_text((TWO / "market.toml").read_text() + HORIZONS)
        for name, header, rows in (("offers", OFFER, offers or [offer()]), ("bids", BID, bids or [bid("b")])):
            (folder / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
        return folder

    return write


def told(folder: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_case(folder)
    return [str(fault) for fault in caught.value.faults]


def test_orders_that_are_decided_whole_read(written: Write) -> None:
    folder = written(
        offers=[
            offer(step=1, block="true", start_cost=9, min_hours=4, domain=72),
            offer(step=2, price=1, start_cost=9, min_hours=4, domain=72),
            offer(name="plain", start_cost=0, min_hours=1, domain=1),
        ],
        bids=[
            bid("a", min_share=1, exclusive_group="g"),
            bid("b", min_share=0.5, exclusive_group="g", linked_to="c"),
            bid("c", min_share=0.2),
            bid("d", linked_to="c", total=0),
        ],
    )
    case = read_case(folder)
    assert case.offers["block"].to_list() == [True, None, None]  # a block may cost more than a step after it: they are not taken in order
    assert case.bids["linked_to"].to_list() == [None, "c", None, "c"]
    assert check_case(case) == []


def test_an_empty_cell_is_what_it_means(written: Write) -> None:
    offers = [offer(step=1, start_cost=0, min_hours="", domain=1), offer(step=2, start_cost="", min_hours=1, domain="")]
    bids = [bid("b", step=1, min_share=0), bid("b", step=2, min_share="")]
    assert read_case(written(offers=offers, bids=bids)).offers.height == 2


@pytest.mark.parametrize(("column", "first", "other"), [("start_cost", 5, 6), ("min_hours", 2, 3), ("domain", 8, 72), ("domain", 8, "")])
def test_rows_of_an_offer_agree_in_what_belongs_to_the_whole(written: Write, column: str, first: object, other: object) -> None:
    (sentence,) = told(written(offers=[offer(step=1, **cell(column, first)), offer(step=2, **cell(column, other))]))
    found = "nothing" if other == "" else f"{float(str(other))}" if column == "start_cost" else other
    rule = f"the same {column} on all rows of one offer_id"
    assert sentence == f"offers.csv row 2, column {column}: found {found} (offer_id o), expected {rule}"


@pytest.mark.parametrize(
    ("column", "first", "other", "rest"),
    [
        ("min_share", 0.5, 0.4, {}),
        ("min_share", 0.5, "", {}),
        ("exclusive_group", "g", "h", {"min_share": 1}),
        ("exclusive_group", "g", "", {"min_share": 1}),
        ("linked_to", "gang", "", {}),
    ],
)
def test_rows_of_a_bid_agree_in_what_belongs_to_the_whole(
    written: Write, column: str, first: object, other: object, rest: dict[str, Any]
) -> None:
    rows = [bid("gang", min_share=1), bid("b", step=1, **rest, **cell(column, first)), bid("b", step=2, **rest, **cell(column, other))]
    (sentence,) = told(written(bids=rows))
    shown = "nothing" if other == "" else other
    assert sentence == f"bids.csv row 3, column {column}: found {shown} (bid_id b), expected the same {column} on all rows of one bid_id"


def test_a_total_belongs_to_a_step(written: Write) -> None:
    assert read_case(written(bids=[bid("b", step=1, total=4), bid("b", step=2, total="")])).bids["total"].to_list() == [4.0, None]


def test_a_total_below_nothing_is_refused(written: Write) -> None:
    assert told(written(bids=[bid("b", total=-1)])) == [
        "bids.csv row 1, column total: found -1.0, expected a number of at least 0, or nothing"
    ]


def test_a_run_longer_than_its_window_could_never_start(written: Write) -> None:
    (sentence,) = told(written(offers=[offer(min_hours=4), offer(name="p", min_hours=5)]))
    rule = "no more hours than the offer's window has"
    assert sentence == f"offers.csv row 2, column min_hours: found 5 (4.0 hours from start to end), expected {rule}"


def test_a_recipe_with_a_domain_uses_an_accelerator(written: Write) -> None:
    folder = written()
    with (folder / "resources.csv").open("a") as file:
        file.write("vcpu,cpu,vCPU\n")
    (folder / "recipes.csv").write_text("workload,recipe,output_per_hour,domain\nchat,one-gpu,1,8\nchat,no-gpu,1,1\nchat,wide,1,8\n")
    with (folder / "recipe_resources.csv").open("a") as file:
        file.write("chat,no-gpu,vcpu,1\nchat,wide,vcpu,1\n")
    assert told(folder) == ["recipes.csv row 3, column domain: found 8, expected no domain, or a recipe that uses an accelerator"]


def test_an_offer_with_a_domain_has_an_accelerator_on_some_row(written: Write) -> None:
    offers = [offer(name="rack", domain=72), offer(name="rack", resource="vcpu", domain=72), offer(name="cpus", resource="vcpu", domain=72)]
    folder = written(offers=offers)
    with (folder / "resources.csv").open("a") as file:
        file.write("vcpu,cpu,vCPU\n")
    assert told(folder) == ["offers.csv row 3, column domain: found 72, expected no domain, or an offer that has an accelerator"]


def test_the_bids_of_a_group_are_gangs_of_one_participant(written: Write) -> None:
    rows = [
        bid("a", min_share=1, exclusive_group="g"),
        bid("b", exclusive_group="g"),
        bid("c", participant="dario", min_share=1, exclusive_group="g"),
    ]
    assert told(written(bids=rows)) == [
        "bids.csv row 2, column min_share: found nothing (exclusive_group g), expected a min_share above 0, as the bids of an"
        " exclusive_group are gangs",
        "bids.csv row 3, column participant: found dario (exclusive_group g), expected the same participant on all bids of one"
        " exclusive_group",
    ]


def test_a_group_is_one_of_a_horizon(written: Write) -> None:
    two = [
        bid("a", horizon="day-ahead", min_share=1, exclusive_group="g"),
        bid("b", horizon="real-time", participant="dario", min_share=1, exclusive_group="g"),
    ]
    assert read_case(written(bids=two)).bids.height == 2
    (sentence,) = told(written(bids=[*two, bid("c", min_share=1, exclusive_group="g")]))  # c stands in both, beside dario in real time
    assert sentence.startswith("bids.csv row 3, column participant: found carla (exclusive_group g)")


@pytest.mark.parametrize(
    ("rows", "row", "found", "rule"),
    [
        ([bid("a", linked_to="moon")], 1, "moon", "a bid_id of bids.csv that stands in day-ahead"),
        ([bid("a", linked_to="a", min_share=1)], 1, "a", "a bid other than itself"),
        ([bid("a"), bid("b", linked_to="a")], 2, "a", "a gang, that is a bid with a min_share above 0"),
        ([bid("a", min_share=1, participant="dario"), bid("b", linked_to="a")], 2, "a", "a bid of the same participant"),
    ],
)
def test_a_link_that_cannot_hold_is_refused(written: Write, rows: list[str], row: int, found: str, rule: str) -> None:
    assert told(written(bids=rows))[0] == f"bids.csv row {row}, column linked_to: found {found}, expected {rule}"


def test_a_link_to_nowhere_is_told_for_each_horizon_that_lacks_the_bid(written: Write) -> None:
    rows = [bid("a", horizon="day-ahead", min_share=1), bid("b", linked_to="a"), bid("c", horizon="day-ahead", linked_to="a")]
    assert told(written(bids=rows)) == ["bids.csv row 2, column linked_to: found a, expected a bid_id of bids.csv that stands in real-time"]
    both = [*rows, bid("a", horizon="real-time", min_share=1)]
    assert read_case(written(bids=both)).bids.height == 4  # b stands in every horizon, and so does a, by two sets of rows


def test_links_in_a_circle_are_named(written: Write) -> None:
    rows = [bid("b", min_share=1, linked_to="c"), bid("c", min_share=1, linked_to="a"), bid("a", min_share=1, linked_to="b")]
    rows += [bid("d", min_share=1, linked_to="a")]
    sentences = told(written(bids=rows))
    assert sentences == [
        f"bids.csv row {row}, column linked_to: found {parent}, expected links without a circle, not a to b to c to a"
        for row, parent in ((1, "c"), (2, "a"), (3, "b"))
    ]


@pytest.mark.parametrize("seed", range(20))
def test_circles_are_the_strong_components_of_the_graph(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"n{n}" for n in range(8)]
    parent = {name: str(rng.choice([other for other in names if other != name])) for name in names if rng.random() < 0.8}
    edges = [names.index(name) for name in parent], [names.index(other) for other in parent.values()]
    _, part = connected_components(coo_array((np.ones(len(parent)), edges), shape=(8, 8)), connection="strong")
    parts = {frozenset(names[at] for at in np.flatnonzero(part == number)) for number in part}
    slow = {members for members in parts if len(members) > 1}
    found = list(_cycles(parent))
    assert {frozenset(cycle) for cycle in found} == slow
    assert len(found) == len(slow)
    assert all(parent[name] == after for cycle in found for name, after in zip(cycle, (*cycle[1:], cycle[0]), strict=True))


def test_nothing_is_refused_for_being_large_or_for_having_no_outcome_yet(written: Write) -> None:
    """A gang beyond all supply, a domain beyond any supplier's and numbers of wildly different size are matters of clearing."""
    offers = [offer(quantity=1e15, price=1e-9, start_cost=1e15, domain=10**9), offer(name="dust", quantity=1e-12)]
    bids = [bid("huge", quantity=1e18, min_share=1), bid("deadline", total=1e-12), bid("never", min_share=1, total=1)]
    case = read_case(written(offers=offers, bids=bids))
    assert case.bids["quantity"].max() == 1e18
    assert case.offers["domain"].max() == 10**9


def test_faults_do_not_depend_on_the_order_of_rows(written: Write) -> None:
    rows = [bid("b", min_share=1, linked_to="c"), bid("c", min_share=1, linked_to="b"), bid("d", linked_to="e"), bid("e")]

    def rules(order: list[str]) -> set[str]:
        return {sentence.split("column ")[1] for sentence in told(written(bids=order))}

    assert rules(rows) == rules(rows[::-1])
    assert len(rules(rows)) == 3


def test_what_is_wrong_with_the_market_file_hides_nothing(written: Write) -> None:
    folder = written(bids=[bid("a", linked_to="moon"), bid("b", horizon="real-time", min_share="", exclusive_group="g")])
    (folder / "market.toml").write_text((folder / "market.toml").read_text().replace("price_cap = 100\n", ""))
    columns = [sentence.split(": ")[0] for sentence in told(folder)]
    assert columns[0] == "market.toml, column price_cap"
    assert {"bids.csv row 1, column linked_to", "bids.csv row 2, column min_share"} <= set(columns)


def test_polars_is_given_no_list_of_lists() -> None:
    """`is_in` of structs is how bids are found again; a horizon of null has to be found too."""
    frame = pl.DataFrame({"horizon": [None, "a"], "bid_id": ["b", "b"]})
    key = pl.struct("horizon", "bid_id")
    assert frame.select(key.is_in(frame.head(1).select(key).to_series().implode())).to_series().to_list() == [True, False]
