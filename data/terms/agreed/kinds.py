"""What each kind of trade needs, what it may have, and the parameters that only it has."""

from dataclasses import dataclass, field
from typing import Literal

from tenorgrid.data.kinds.contract import Averaging, OptionModel, TradeKind

Type = Literal["number", "text", "weights"]
OPTIONAL = ("index2", "contract", "strike", "option", "expiry", "premium", "pay_date", "calendar", "missing_day")  # columns of `Trades`


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One name of `params`: of a number or one of some words; `default` None is needed, not given, unless it is `optional`."""

    type: Type = "number"
    default: float | str | None = None
    words: tuple[str, ...] = ()
    not_: tuple[str, ...] = ()
    above: float | None = None  # a number must be above it
    least: float | None = None  # or at least it
    most: float | None = None  # and at most this
    whole: bool = False  # a number without fraction
    optional: bool = False  # null where not given


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`needs` and `may` are columns of `OPTIONAL`; `days` says that what is paid on is a mean of daily marks, from midnight to midnight,
    which a `missing_day` rule may go with.
    """

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    days: bool = False
    lots: bool = False


AVERAGE = Parameter(type="text", default=str(Averaging.CALENDAR_DAY), words=tuple(map(str, Averaging)))
DAILY = Parameter(type="text", default=str(Averaging.CALENDAR_DAY), words=(str(Averaging.CALENDAR_DAY), str(Averaging.BUSINESS_DAY)))
UNIT = Parameter(type="text", default="GPU-hours")
MODEL = Parameter(type="text", default=str(OptionModel.BLACK), words=tuple(map(str, OptionModel)))
METHOD = Parameter(type="text", default="kirk", words=("kirk", "exact"))
BASKET_METHOD = Parameter(type="text", default="bound", words=("bound", "moments"))
BARRIERS = ("down-and-out", "down-and-in", "up-and-out", "up-and-in")
RATIO = Parameter(default=1.0, above=0.0)
LINEAR = {"average": AVERAGE, "unit": UNIT}
BOUGHT = ("contract", "pay_date", "premium", "calendar")
STRIP = ("contract", "pay_date", "premium")
NOTHING = Parameter(default=0.0, least=0.0)
REVERSION = Parameter(default=0.0, least=0.0)  # a year
SHARE = Parameter(default=1.0, least=0.0, most=1.0)
LOTS = Parameter(default=0.0, least=0.0, whole=True)
HOURS = Parameter(default=1.0, least=1.0, whole=True)

RULES: dict[TradeKind, Rule] = {
    TradeKind.FORWARD: Rule(needs=("strike",), may=("contract", "pay_date", "calendar"), parameters=LINEAR, days=True),
    TradeKind.SWAP: Rule(needs=("strike",), may=("contract", "calendar"), parameters=LINEAR, days=True),
    TradeKind.FUTURE: Rule(
        needs=("strike", "contract"),
        may=("calendar",),
        parameters={  # from the contract's product where not given
            "average": Parameter(type="text", optional=True, words=tuple(map(str, Averaging))),
            "lot": Parameter(above=0.0, optional=True),
        },
        days=True,
        lots=True,
    ),
    TradeKind.PERPETUAL: Rule(
        needs=("strike",),
        parameters={
            "rate": Parameter(above=0.0),
            "interest": Parameter(default=0.0),
            "marks": Parameter(type="text", optional=True),
        },
    ),
    TradeKind.SPREAD: Rule(needs=("index2", "strike"), may=("pay_date", "calendar"), parameters=LINEAR | {"ratio": RATIO}, days=True),
    TradeKind.BASKET: Rule(
        needs=("strike",), may=("pay_date", "calendar"), parameters=LINEAR | {"weights": Parameter(type="weights")}, days=True
    ),
    TradeKind.OPTION: Rule(needs=("strike", "option", "expiry"), may=BOUGHT, parameters={"average": AVERAGE, "model": MODEL}, days=True),
    TradeKind.AVERAGE: Rule(needs=("strike", "option"), may=BOUGHT, parameters={"average": DAILY}, days=True),
    TradeKind.SPREAD_OPTION: Rule(
        needs=("index2", "strike", "option", "expiry"),
        may=BOUGHT,
        parameters={"average": AVERAGE, "ratio": RATIO, "method": METHOD},
        days=True,
    ),
    TradeKind.AMERICAN: Rule(needs=("strike", "option", "expiry"), may=BOUGHT, parameters={"average": AVERAGE}, days=True),
    TradeKind.BARRIER: Rule(
        needs=("strike", "option", "expiry"),
        may=BOUGHT,
        parameters={
            "average": AVERAGE,
            "barrier": Parameter(type="text", words=BARRIERS),
            "level": Parameter(above=0.0),
            "rebate": Parameter(default=0.0, least=0.0),
            "touched": Parameter(type="text", default="no", words=("no", "yes")),
        },
        days=True,
    ),
    TradeKind.BASKET_OPTION: Rule(
        needs=("strike", "option", "expiry"),
        may=("pay_date", "premium", "calendar"),
        parameters={"average": AVERAGE, "weights": Parameter(type="weights"), "method": BASKET_METHOD},
        days=True,
    ),
    TradeKind.CAP: Rule(needs=("strike",), may=STRIP, parameters={"model": MODEL}),
    TradeKind.FLOOR: Rule(needs=("strike",), may=STRIP, parameters={"model": MODEL}),
    TradeKind.COLLAR: Rule(needs=("strike",), may=STRIP, parameters={"model": MODEL, "floor": Parameter()}),
    TradeKind.CAPACITY: Rule(needs=("strike",), may=(*STRIP, "option")),
    TradeKind.VIRTUAL: Rule(needs=("strike",), parameters={"horizon": Parameter(type="text", not_=("real-time",))}),
    TradeKind.RELIABILITY: Rule(
        needs=("strike",),
        may=STRIP,
        parameters={
            "penalty": NOTHING,
            "availability": SHARE,
            "stop_loss": Parameter(optional=True, least=0.0),
            "paid": NOTHING,
            "reversion": REVERSION,
        },
    ),
    TradeKind.TAKE_OR_PAY: Rule(
        needs=("strike",),
        may=STRIP,
        parameters={
            "minimum": NOTHING,
            "maximum": Parameter(optional=True, least=0.0),
            "shortfall": Parameter(optional=True, least=0.0),
            "taken": NOTHING,
        },
    ),
    TradeKind.SWING: Rule(
        needs=("strike",),
        may=STRIP,
        parameters={
            "rights": Parameter(least=1.0, whole=True),
            "minimum": LOTS,
            "most": Parameter(default=1.0, least=1.0, most=127.0, whole=True),
            "ramp": Parameter(optional=True, least=1.0, whole=True),
            "before": LOTS,
            "used": LOTS,
            "step": Parameter(type="text", default="day", words=("day", "hour")),
            "reversion": REVERSION,
        },
    ),
    TradeKind.TOLLING: Rule(
        needs=("index2", "strike"),
        may=STRIP,
        parameters={
            "rate": Parameter(default=1.0, least=0.0),
            "start_cost": NOTHING,
            "minimum_run": HOURS,
            "minimum_rest": HOURS,
            "minimum_output": Parameter(default=0.0, least=0.0, most=1.0),
            "before": Parameter(type="text", default="rested", words=("rested", "running", "either")),
            "method": Parameter(type="text", default="chain", words=("chain", "intrinsic")),
            "reversion": REVERSION,
            "unit": UNIT,
        },
    ),
    TradeKind.LEASE: Rule(
        needs=("strike",),
        may=STRIP,
        parameters={
            "promised": Parameter(least=0.0, most=1.0),
            "availability": Parameter(least=0.0, most=1.0),
            "concentration": Parameter(optional=True, above=0.0),
            "slope": Parameter(default=1.0, least=0.0),
            "floor": Parameter(default=0.0, least=0.0, most=1.0),
        },
    ),
    TradeKind.PREEMPTION: Rule(
        needs=("strike",),
        may=STRIP,
        parameters={
            "interruption": Parameter(least=0.0, most=1.0),
            "overcommit": RATIO,
            "availability": Parameter(optional=True, above=0.0, most=1.0),
            "reversion": REVERSION,
        },
    ),
    TradeKind.GENERATION_SWITCH: Rule(
        needs=("index2",),
        may=STRIP,
        parameters={
            "ratio": RATIO,
            "cost": NOTHING,
            "decisions": Parameter(type="text", default="start", words=("start", "monthly")),
            "reversion": REVERSION,
            "reversion2": REVERSION,
        },
    ),
}
