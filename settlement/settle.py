"""Settle the runs of a market: from published tables to positions, a balanced ledger, statements, invoices and checks."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import ChargeCode, OperatorAccount
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.cleared import DomainPrices, settles_under
from tenorgrid.data.tables.settled import Checks, Closings, Positions
from tenorgrid.settlement.awarded import NODE, POOL, awarded
from tenorgrid.settlement.coding import Coding, Runs
from tenorgrid.settlement.domains import goods
from tenorgrid.settlement.ledger import Ledger, balances
from tenorgrid.settlement.money import MICRO
from tenorgrid.settlement.multisettlement import OperatorLegs, added, cash, operator_legs
from tenorgrid.settlement.postings import Writer
from tenorgrid.settlement.published import cleared, flows
from tenorgrid.settlement.reserve import reserve
from tenorgrid.settlement.resettlement import difference_postings, run_halves, withdrawn
from tenorgrid.settlement.statements import drill_down, invoices, rounding_postings, statements

RESIDUAL_LIMIT = 1e-6  # of a run's turnover: the clearing's certificate allows as much


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What everyone is owed: the tables of `tenorgrid.data.tables.settled`, and the ledger behind them."""

    positions: pl.DataFrame = field(repr=False)
    ledger: Ledger = field(repr=False)
    statements: pl.DataFrame = field(repr=False)
    invoices: pl.DataFrame = field(repr=False)
    closings: pl.DataFrame = field(repr=False)
    checks: pl.DataFrame
    timezone: str

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by its public name."""
        names = ("positions", "statements", "invoices", "closings", "checks")
        return {"ledger": self.ledger.frame} | {name: getattr(self, name) for name in names}

    def statement(self, participant: str) -> pl.DataFrame:
        """Lines of one participant. Raises InputError for one that has none."""
        lines = self.statements.filter(pl.col("participant") == participant)
        if lines.is_empty():
            raise InputError.of("statements", "a participant that has been settled", column="participant", value=participant)
        return lines

    def drill_down(self, participant: str) -> pl.DataFrame:
        """Every posting behind the statement of one participant, with its position."""
        self.statement(participant)
        return drill_down(self.ledger.frame, self.positions, participant=participant, timezone=self.timezone)


def settle(
    case: Case,
    *,
    prices: pl.DataFrame,
    workload_prices: pl.DataFrame,
    awards: pl.DataFrame,
    placements: pl.DataFrame,
    headroom: pl.DataFrame,
    binding: pl.DataFrame,
    recorded_at: datetime,
    domain_prices: pl.DataFrame | None = None,
    pricing: PricingRule | None = None,
    version: str = "initial",
    before: Settlement | None = None,
) -> Settlement:
    """Settle every run that prices were published of; what `before` has posted already is not posted again.

    A version other than those that have posted a run posts the differences to their sum, so that over all versions together everyone
    has what the last one says.

    Args:
        case: its market and static tables (locations, tiers, workloads, recipes, links); of offers only the
            scale-up domains, where those are priced; bids are not read.
        prices, workload_prices, awards, placements, headroom, binding: as clearing published them.
        domain_prices: as clearing published them; None is none.
        recorded_at: when this is done, UTC: the ledger's record time.
        pricing: rule whose prices settle; None is the market's own.
        version: initial, final, ...
        before: an earlier settlement of the same case, whose ledger is appended to.

    Raises InputError for awards that name nothing known or are there twice, and for a ledger that would not balance;
    NotPublishedError where a position has no price. (Market design, section 7.)
    """
    rule = PricingRule(pricing or case.market.pricing).value
    hours = case.market.hours
    mine = prices.filter(settles_under(rule))
    work = workload_prices.filter(settles_under(rule))
    runs, nodes, pools = Runs.of(mine, case.market), Coding.of(mine, *NODE), Coding.of(work, *POOL)
    market = cleared(prices=mine, workload_prices=work, binding=binding, runs=runs, case=case, nodes=nodes, pools=pools)
    premia = DomainPrices.create_empty() if domain_prices is None else domain_prices.filter(settles_under(rule))
    priced = goods(nodes, market.price, premia, runs=runs)
    held = awarded(awards, runs=runs, case=case, nodes=nodes, pools=pools, priced=priced)
    moved = flows(placements, runs=runs, case=case, nodes=nodes, pools=pools, priced=priced)
    kept = reserve(headroom, horizon=case.market.horizons[-1].name, runs=runs, hours=hours)
    writer = Writer(case, runs, version=version, recorded_at=recorded_at)

    sides = [(held.sales, priced.price), (held.virtuals, market.price), (held.work, market.work_price)]
    amounts = [cash(side, price, hours=hours) for side, price in sides]
    run, amount = np.concatenate([side.run for side, _ in sides]), np.concatenate(amounts)
    paid, count = added(run, amount, runs=runs), np.bincount(run, minlength=runs.count)
    legs = operator_legs(held, moved, market, priced=priced, pricing=PricingRule(rule), runs=runs, hours=hours, paid=paid, count=count)

    reserves = [(kept.holding, "reserve-held"), (kept.using, "reserve-used")]
    events = [writer.held(side, price) for side, price in sides]
    events += [writer.reserve(side, kept.coding, kind=kind) for side, kind in reserves]
    positions = pl.concat(events)
    everyone = writer.of_participants(positions, np.concatenate([*amounts, *(side.amount for side, _ in reserves)]))
    moved_money = np.flatnonzero((count > 0) | np.any([amount != 0 for amount in legs.amounts.values()], axis=0))
    operator = [
        writer.of_operator(account, amount[moved_money], moved_money, charge_code=ChargeCode.ENERGY)
        for account, amount in legs.amounts.items()
    ]
    unpaid = np.flatnonzero(kept.unpaid)
    operator.append(writer.of_operator(OperatorAccount.SHORTFALL, kept.unpaid[unpaid], unpaid, charge_code=ChargeCode.RESERVE))
    turnover = np.bincount(run, weights=np.abs(amount), minlength=runs.count) / MICRO
    closings = _closings(legs, runs, turnover=turnover, version=version)
    postings = pl.concat([everyone, *operator])
    if before is not None:
        halves = run_halves(runs.frame, case=case.market.name, versions={*before.ledger.frame["version"], version})
        postings = difference_postings(postings, before.ledger.frame, halves, version=version)
        gone = postings.join(positions, on="event_id", how="anti")
        positions = pl.concat([positions, withdrawn(gone, before.positions, halves, version=version, recorded_at=recorded_at)])
    return _settlement(case, positions, postings, closings, before=before, recorded_at=recorded_at)


def _settlement(
    case: Case,
    positions: pl.DataFrame,
    postings: pl.DataFrame,
    closings: pl.DataFrame,
    *,
    before: Settlement | None,
    recorded_at: datetime,
) -> Settlement:
    market = case.market
    ledger = (before.ledger if before else Ledger()).append(postings)
    if before is not None:
        new = positions.join(before.positions.select("event_id"), on="event_id", how="anti", maintain_order="left")
        positions = pl.concat([before.positions, new])
        keys = ["horizon", "start", "version"]
        closings = pl.concat([before.closings, closings.join(before.closings, on=keys, how="anti", maintain_order="left")])
    owed = invoices(ledger.frame, interval=market.interval)
    rounded = rounding_postings(owed, ledger.frame, interval=market.interval, recorded_at=recorded_at)
    ledger = ledger.append(rounded)
    return Settlement(
        positions=Positions.validate(positions),
        ledger=ledger,
        statements=statements(ledger.frame, positions, timezone=market.timezone),
        invoices=owed,
        closings=closings,
        checks=_checks(ledger, closings, owed),
        timezone=market.timezone,
    )


def _closings(legs: OperatorLegs, runs: Runs, *, turnover: np.ndarray[tuple[int], np.dtype[np.float64]], version: str) -> pl.DataFrame:
    named = {
        "transfer": OperatorAccount.TRANSFER,
        "congestion": OperatorAccount.CONGESTION,
        "substitution": OperatorAccount.SUBSTITUTION,
        "shortfall": OperatorAccount.SHORTFALL,
    }
    return Closings.validate(
        runs.frame.select(
            "horizon",
            "start",
            version=pl.lit(version),
            turnover=pl.Series(turnover),
            **{name: pl.Series(legs.amounts[account] / MICRO) for name, account in named.items()},
            residual=pl.Series(legs.residual),
            rounding=pl.Series(legs.amounts[OperatorAccount.ROUNDING]),
            bound=pl.Series(legs.postings / 2.0),
            postings=pl.Series(legs.postings),
        )
    )


def _checks(ledger: Ledger, closings: pl.DataFrame, owed: pl.DataFrame) -> pl.DataFrame:
    """The checks that a reader looks at first; the details of each run stand in `closings`."""
    sums = balances(ledger.frame)
    share = (closings["residual"].abs() / closings["turnover"].clip(1e-9)).max()
    rows = [
        ("largest sum of a charge code, interval and version over all accounts", sums["amount"].abs().max(), 0.0, "micro-USD"),
        ("sum of all postings", sums["amount"].sum(), 0.0, "micro-USD"),
        (
            "largest rounding of a run against half a micro-dollar a posting",
            (closings["rounding"].abs() / closings["bound"]).max(),
            1.0,
            "1",
        ),
        ("largest residual of the solver in a run against its turnover", share, RESIDUAL_LIMIT, "1"),
        ("largest rounding of an invoice", owed["rounding"].cast(pl.Float64).abs().max(), 0.005, "USD"),
    ]
    found = [(name, float(amount or 0.0), bound, unit) for name, amount, bound, unit in rows]  # type: ignore[arg-type]  # numbers or null
    return Checks.validate(
        pl.DataFrame(
            [(name, amount, bound, unit, abs(amount) <= bound) for name, amount, bound, unit in found],
            schema=["check", "amount", "bound", "unit", "passed"],
            orient="row",
        )
    )
