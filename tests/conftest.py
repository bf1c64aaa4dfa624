"""What tests of the whole share: one copy of the packages, the command line in process, and two runs that are made once a session."""

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

from tenorgrid import api, chain, folders
from tenorgrid.cli import main
from tenorgrid.data.case import PACKAGED_FOLDER, Case, make_case, read_case, write_case
from tenorgrid.data.errors import PartLeftOutWarning
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables import case as tables
from tenorgrid.data.tables.curve import Quotes
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.data.terms.market import Horizon, Market
from tenorgrid.results import Marks, Run

PACKAGES = frozenset({"data", "clearing", "indices", "curves", "derivatives", "settlement", "reports"})
START, TODAY, END = (datetime(2027, month, day, 5, tzinfo=UTC) for month, day in ((1, 11), (2, 22), (3, 1)))
INDEX = "H100-SXM.US-EAST.FIRM"
TWO = Path(__file__).parent / "data" / "cases" / "two_locations"

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


class OneCopy(MetaPathFinder):
    """Refuses `import clearing` from the repository's root, which would make a second copy of every class in it."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if path is None and fullname in PACKAGES:
            raise ImportError(f"import tenorgrid.{fullname}, not {fullname}: a second copy of its classes would not be equal to the first")
        return None


sys.meta_path.insert(0, OneCopy())


@dataclass(frozen=True)
class Outcome:
    """What a command left behind: its exit code and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """The command line in this process: `command("clear", folder, "--out", out)`. A part that is left out is told, not raised."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["tenorgrid", *map(str, arguments)])
        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("always", PartLeftOutWarning)
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        code = ended.value.code
        return Outcome(code=code if isinstance(code, int) else int(code is not None), out=said.out, err=said.err)

    return run


@pytest.fixture(scope="session")
def seven_weeks() -> Case:
    """Two locations, one GPU class and one workload for seven weeks, week-ahead and real-time: long enough for every part of the chain.

    A GPU-hour makes one unit of work, so the price of the work is that of the GPU-hour. Each location's cost follows the hour of the
    day and a random walk; real time departs from the forecast by noise. Virtual bids stand in the week ahead.
    """
    ahead = Horizon(name="week-ahead", lead=timedelta(days=7))
    market = Market(
        name="seven weeks, synthetic", interval=timedelta(hours=1), timezone="America/New_York", pricing=PricingRule.MARGINAL,
        price_floor=0.0, price_cap=100.0, voll=100.0, horizons=(ahead, Horizon(name="real-time", lead=timedelta(0))),
    )  # fmt: skip
    window = {"start": START, "end": END, "step": 1}
    who = ({"horizon": None, "participant": "carla", "home": "us-east"}, {"horizon": None, "participant": "dario", "home": "us-west"})
    bids = [one | window | {"bid_id": one["home"], "workload": "chat", "quantity": 50.0, "value": 9.0} for one in who]
    spot = {"location": "us-east", "resource": "h100-sxm", "start": TODAY + timedelta(days=2), "end": TODAY + timedelta(days=2, hours=3)}
    virtuals = [
        spot | {"horizon": "week-ahead", "bid_id": f"v-{side}", "participant": "vera", "side": side, "quantity": 5.0, "price": price}
        for side, price in (("dec", 9.0), ("inc", 0.5))
    ]
    rows: dict[str, list[dict[str, Any]]] = {
        "locations": [{"location": name, "region": name} for name in ("us-east", "us-west")],
        "resources": [{"resource": "h100-sxm", "kind": "accelerator", "unit": "GPU"}],
        "workloads": [{"workload": "chat", "class": "decode", "unit": "1e6 tokens"}],
        "recipes": [{"workload": "chat", "recipe": "one-gpu", "output_per_hour": 1.0}],
        "recipe_resources": [{"workload": "chat", "recipe": "one-gpu", "resource": "h100-sxm", "per_hour": 1.0}],
        "offers": _hourly_offers(np.random.default_rng(7)),
        "bids": bids,
        "virtuals": virtuals,
    }
    schemas = {name: getattr(tables, "".join(word.capitalize() for word in name.split("_"))) for name in rows}
    return make_case(market, {name: _frame(schemas[name], found) for name, found in rows.items()})


def _hourly_offers(rng: np.random.Generator) -> list[dict[str, Any]]:
    hours = int((END - START) / timedelta(hours=1))
    found = []
    for place in ("us-east", "us-west"):
        walk = np.repeat(np.cumsum(rng.normal(0, 0.05, hours // 24 + 1)), 24)[:hours]
        forecast = np.maximum(2.5 + 0.4 * np.sin(np.arange(hours) * np.pi / 12) + walk, 0.6)
        real = forecast * np.exp(np.repeat(rng.normal(0, 0.04, hours // 24 + 1), 24)[:hours])
        for horizon, prices in (("week-ahead", forecast), ("real-time", real)):
            found += [
                {"horizon": horizon, "offer_id": f"{place}-{hour}", "participant": f"{place}-cloud", "location": place,
                 "resource": "h100-sxm", "start": START + timedelta(hours=hour), "end": START + timedelta(hours=hour + 1), "step": 1,
                 "quantity": 100.0, "price": float(price)}
                for hour, price in enumerate(prices)
            ]  # fmt: skip
    return found


def _frame(schema: Any, rows: list[dict[str, Any]]) -> pl.DataFrame:
    types = {name: column.dtype for name, column in schema.columns().items()}
    return pl.DataFrame([dict.fromkeys(types) | row for row in rows], schema=types, orient="row")


@pytest.fixture(scope="session")
def weeks_case(seven_weeks: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seven weeks as a folder."""
    return write_case(seven_weeks, tmp_path_factory.mktemp("case") / "seven-weeks", form="parquet")


@pytest.fixture(scope="session")
def march_quotes() -> pl.DataFrame:
    """`Quotes` with one synthetic quote of March, the month that the week ahead does not reach."""
    contract = f"{INDEX}:2027-03"
    start, end = contract_dates(contract, timezone="America/New_York")
    row = {
        "as_of": TODAY, "quote_id": "march", "index": INDEX, "contract": contract, "start": start, "end": end, "profile": "base",
        "price": 2.6, "average": "hourly", "timezone": "America/New_York", "source": "synthetic broker",
    }  # fmt: skip
    return _frame(Quotes, [row])


@pytest.fixture(scope="session")
def weeks_folder(seven_weeks: Case, march_quotes: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the seven weeks, with every part; not to be written into."""
    out = tmp_path_factory.mktemp("weeks") / "out"
    chain.run_market(seven_weeks, out, as_of=date(2027, 2, 22), quotes=march_quotes)
    return out


@pytest.fixture(scope="session")
def days_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the packaged three days, which leave basis out; not to be written into."""
    out = tmp_path_factory.mktemp("days") / "out"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PartLeftOutWarning)
        chain.run_market(read_case("packaged"), out, as_of=date(2027, 3, 15), inputs={"three-days": PACKAGED_FOLDER})
    return out


@pytest.fixture(scope="session")
def two_cleared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `clear` writes of the case of two locations; not to be written into."""
    out = tmp_path_factory.mktemp("two") / "out"
    folders.write_clear(api.clear(TWO), out, form="csv", inputs={TWO.name: TWO})
    return out


@pytest.fixture(scope="session")
def weeks_run(weeks_folder: Path) -> Run:
    """The clearing of the seven weeks, as its folder holds it."""
    return folders.read_clear(weeks_folder / "clear")


@pytest.fixture(scope="session")
def weeks_marks(weeks_run: Run) -> Marks:
    """The marks of the seven weeks."""
    return chain.marks_of(weeks_run)
