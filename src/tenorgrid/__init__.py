"""tenorgrid: the market in computing power, cleared, indexed, priced, settled and reported.

>>> import tenorgrid as tg
>>> tg.flat(0.04).rate
0.04
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenorgrid.api import clear as clear
    from tenorgrid.api import clear_rolling as clear_rolling
    from tenorgrid.api import fit_volatility as fit_volatility
    from tenorgrid.api import hedge as hedge
    from tenorgrid.api import mark as mark
    from tenorgrid.api import mark_work as mark_work
    from tenorgrid.api import settle as settle
    from tenorgrid.api import value as value
    from tenorgrid.attacking import attack as attack
    from tenorgrid.basketing import basket as basket
    from tenorgrid.benchmark import recipes as recipes
    from tenorgrid.book_risk import risk as risk
    from tenorgrid.booking import Book as Book
    from tenorgrid.chain import report as report
    from tenorgrid.clearing.reference import reference_model as reference_model
    from tenorgrid.clearing.reference_solution import solve_model as solve_model
    from tenorgrid.clearing.search import Limits as Limits
    from tenorgrid.curve_fitting import fit_curve as fit_curve
    from tenorgrid.curve_store import curve_history as curve_history
    from tenorgrid.curves.discount import flat as flat
    from tenorgrid.curves.discount_quantlib import discount_curve as discount_curve
    from tenorgrid.curves.discount_quantlib import from_quantlib as from_quantlib
    from tenorgrid.curves.discount_quantlib import to_quantlib as to_quantlib
    from tenorgrid.curves.far import join_far as join_far
    from tenorgrid.curves.many import fit_curves as fit_curves
    from tenorgrid.curves.season import month_of_year as month_of_year
    from tenorgrid.curves.volatility.smile.fit import fit_smiles as fit_smiles
    from tenorgrid.curves.volatility.windows import unwindowed as unwindowed
    from tenorgrid.data.case import make_case as make_case
    from tenorgrid.data.case import read_case as read_case
    from tenorgrid.data.case import write_case as write_case
    from tenorgrid.data.errors import InputError as InputError
    from tenorgrid.data.errors import NotPublishedError as NotPublishedError
    from tenorgrid.data.errors import SolverError as SolverError
    from tenorgrid.data.errors import TenorgridError as TenorgridError
    from tenorgrid.data.readers.daily import read_daily as read_daily
    from tenorgrid.data.readers.formats import read_observations as read_observations
    from tenorgrid.data.readers.listings import read_listings as read_listings
    from tenorgrid.data.readers.rows import concat as concat
    from tenorgrid.data.readers.summaries import read_provider_summaries as read_provider_summaries
    from tenorgrid.data.readers.summaries import read_summaries as read_summaries
    from tenorgrid.data.readers.traces import read_traces as read_traces
    from tenorgrid.data.terms.exposure import Exposure as Exposure
    from tenorgrid.data.terms.specifications.fallbacks import settlement_fixings as settlement_fixings
    from tenorgrid.data.terms.specifications.listed import contracts as contracts
    from tenorgrid.data.terms.specifications.products import read_products as read_products
    from tenorgrid.data.terms.tickets.linear import Basket as Basket
    from tenorgrid.data.terms.tickets.linear import Forward as Forward
    from tenorgrid.data.terms.tickets.linear import Future as Future
    from tenorgrid.data.terms.tickets.linear import Perpetual as Perpetual
    from tenorgrid.data.terms.tickets.linear import Spread as Spread
    from tenorgrid.data.terms.tickets.linear import Swap as Swap
    from tenorgrid.data.terms.tickets.options import AmericanCall as AmericanCall
    from tenorgrid.data.terms.tickets.options import AmericanPut as AmericanPut
    from tenorgrid.data.terms.tickets.options import AsianCall as AsianCall
    from tenorgrid.data.terms.tickets.options import AsianPut as AsianPut
    from tenorgrid.data.terms.tickets.options import BarrierCall as BarrierCall
    from tenorgrid.data.terms.tickets.options import BarrierPut as BarrierPut
    from tenorgrid.data.terms.tickets.options import BasketCall as BasketCall
    from tenorgrid.data.terms.tickets.options import BasketPut as BasketPut
    from tenorgrid.data.terms.tickets.options import Call as Call
    from tenorgrid.data.terms.tickets.options import Put as Put
    from tenorgrid.data.terms.tickets.options import SpreadCall as SpreadCall
    from tenorgrid.data.terms.tickets.options import SpreadPut as SpreadPut
    from tenorgrid.data.terms.tickets.rights import GenerationSwitch as GenerationSwitch
    from tenorgrid.data.terms.tickets.rights import Lease as Lease
    from tenorgrid.data.terms.tickets.rights import Recall as Recall
    from tenorgrid.data.terms.tickets.rights import Reliability as Reliability
    from tenorgrid.data.terms.tickets.rights import Swing as Swing
    from tenorgrid.data.terms.tickets.rights import TakeOrPay as TakeOrPay
    from tenorgrid.data.terms.tickets.rights import Tolling as Tolling
    from tenorgrid.data.terms.tickets.rights import Virtual as Virtual
    from tenorgrid.data.terms.tickets.strips import Cap as Cap
    from tenorgrid.data.terms.tickets.strips import Capacity as Capacity
    from tenorgrid.data.terms.tickets.strips import Collar as Collar
    from tenorgrid.data.terms.tickets.strips import Floor as Floor
    from tenorgrid.derivatives.preemption.term import Promise as Promise
    from tenorgrid.explaining import explain as explain
    from tenorgrid.explaining import explain_days as explain_days
    from tenorgrid.factor_models import fit_factors as fit_factors
    from tenorgrid.gaps import split_gap as split_gap
    from tenorgrid.hedging import hedge_study as hedge_study
    from tenorgrid.insight import intelligence as intelligence
    from tenorgrid.insight import what_if as what_if
    from tenorgrid.mark_tables import read_marks as read_marks
    from tenorgrid.normalisation import normalise as normalise
    from tenorgrid.premia import premium as premium
    from tenorgrid.recall import fair_strip as fair_strip
    from tenorgrid.recall import implied_strip as implied_strip
    from tenorgrid.renting import rental_bands as rental_bands
    from tenorgrid.renting import rental_curve as rental_curve
    from tenorgrid.tiering import split_spread as split_spread
    from tenorgrid.tiering import tiers as tiers
    from tenorgrid.virtual_bidding import bid_virtuals as bid_virtuals
    from tenorgrid.volatilities import volatility as volatility
    from tenorgrid.workload_marking import workloads as workloads

# Where each public name lives: importing one thing imports no other.
_NAMES = {
    "AmericanCall": "data.terms.tickets.options",
    "AmericanPut": "data.terms.tickets.options",
    "AsianCall": "data.terms.tickets.options",
    "AsianPut": "data.terms.tickets.options",
    "BarrierCall": "data.terms.tickets.options",
    "BarrierPut": "data.terms.tickets.options",
    "Basket": "data.terms.tickets.linear",
    "BasketCall": "data.terms.tickets.options",
    "BasketPut": "data.terms.tickets.options",
    "Book": "booking",
    "Call": "data.terms.tickets.options",
    "Cap": "data.terms.tickets.strips",
    "Capacity": "data.terms.tickets.strips",
    "Collar": "data.terms.tickets.strips",
    "Exposure": "data.terms.exposure",
    "Floor": "data.terms.tickets.strips",
    "Forward": "data.terms.tickets.linear",
    "Future": "data.terms.tickets.linear",
    "GenerationSwitch": "data.terms.tickets.rights",
    "InputError": "data.errors",
    "Lease": "data.terms.tickets.rights",
    "Limits": "clearing.search",
    "NotPublishedError": "data.errors",
    "Perpetual": "data.terms.tickets.linear",
    "Promise": "derivatives.preemption.term",
    "Put": "data.terms.tickets.options",
    "Recall": "data.terms.tickets.rights",
    "Reliability": "data.terms.tickets.rights",
    "SolverError": "data.errors",
    "Spread": "data.terms.tickets.linear",
    "SpreadCall": "data.terms.tickets.options",
    "SpreadPut": "data.terms.tickets.options",
    "Swap": "data.terms.tickets.linear",
    "Swing": "data.terms.tickets.rights",
    "TakeOrPay": "data.terms.tickets.rights",
    "TenorgridError": "data.errors",
    "Tolling": "data.terms.tickets.rights",
    "Virtual": "data.terms.tickets.rights",
    "attack": "attacking",
    "basket": "basketing",
    "bid_virtuals": "virtual_bidding",
    "clear": "api",
    "clear_rolling": "api",
    "concat": "data.readers.rows",
    "contracts": "data.terms.specifications.listed",
    "curve_history": "curve_store",
    "discount_curve": "curves.discount_quantlib",
    "explain": "explaining",
    "explain_days": "explaining",
    "fair_strip": "recall",
    "fit_curve": "curve_fitting",
    "fit_curves": "curves.many",
    "fit_factors": "factor_models",
    "fit_smiles": "curves.volatility.smile.fit",
    "fit_volatility": "api",
    "flat": "curves.discount",
    "from_quantlib": "curves.discount_quantlib",
    "hedge": "api",
    "hedge_study": "hedging",
    "implied_strip": "recall",
    "intelligence": "insight",
    "join_far": "curves.far",
    "month_of_year": "curves.season",
    "make_case": "data.case",
    "mark": "api",
    "mark_work": "api",
    "normalise": "normalisation",
    "premium": "premia",
    "read_case": "data.case",
    "read_daily": "data.readers.daily",
    "read_listings": "data.readers.listings",
    "read_marks": "mark_tables",
    "read_observations": "data.readers.formats",
    "read_products": "data.terms.specifications.products",
    "read_provider_summaries": "data.readers.summaries",
    "read_summaries": "data.readers.summaries",
    "read_traces": "data.readers.traces",
    "reference_model": "clearing.reference",
    "recipes": "benchmark",
    "rental_bands": "renting",
    "rental_curve": "renting",
    "report": "chain",
    "risk": "book_risk",
    "settle": "api",
    "settlement_fixings": "data.terms.specifications.fallbacks",
    "split_gap": "gaps",
    "split_spread": "tiering",
    "tiers": "tiering",
    "unwindowed": "curves.volatility.windows",
    "solve_model": "clearing.reference_solution",
    "to_quantlib": "curves.discount_quantlib",
    "value": "api",
    "volatility": "volatilities",
    "what_if": "insight",
    "workloads": "workload_marking",
    "write_case": "data.case",
}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]
