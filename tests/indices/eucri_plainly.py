"""EU-CRI in plain loops, without polars and without the kernels of the indices: a second computation of both versions of its rule."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

Row = Mapping[str, Any]
LARGE = ("aws", "gcp", "azure")
MARKETS = ("vast.ai", "runpod")
EUROPEAN = ("datacrunch", "genesis_cloud", "hetzner", "leaseweb", "nebius", "ovhcloud", "scaleway", "seeweb")
EEA = (
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT"),
    *("RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"),
)
POPULATIONS: dict[str, Callable[[Row], bool]] = {
    "0.2.0 ": lambda row: True,
    "0.2.0 -MKT": lambda row: row["kind"] == "firm quote",
    "0.2.0 -CLOUD": lambda row: row["kind"] == "list price",
    "0.2.0 -SOV": lambda row: row["provider"] in EUROPEAN,
    "0.3.0 ": lambda row: row["provider"] not in LARGE,
    "0.3.0 -MKT": lambda row: row["provider"] in MARKETS,
    "0.3.0 -NC": lambda row: row["provider"] not in (*LARGE, *MARKETS),
    "0.3.0 -HS": lambda row: row["provider"] in LARGE,
    "0.3.0 -SOV": lambda row: row["provider"] in EUROPEAN,
}


@dataclass(frozen=True, kw_only=True)
class Print:
    """A day's value and, by provider, its price and its share of the weight in percent."""

    value: float | None
    sources: int
    firm: int
    parts: Mapping[str, tuple[float, float]]


def printed(rows: Sequence[Row], day: date, *, version: str, resource: str, population: str = "", clamping: bool = True) -> Print:
    """The print of one class and population, under one version of the rule, from all rows that were collected."""
    admits = POPULATIONS[f"{version} {population}"]
    least = 8 if version == "0.2.0" else 2
    offers = [row for row in rows if day_of(row) == day and admits(row) and row["resource"] == resource and eligible(row, least=least)]
    return of_providers(rows, offers, day, resource) if version == "0.2.0" else of_offers(offers, clamping=clamping)


def day_of(row: Row) -> date:
    found: date = row["time"].date()
    return found


def eligible(row: Row, *, least: int) -> bool:
    enough = row["gpu_count"] is not None and row["gpu_count"] >= least
    return bool(row["country"] in EEA and row["term"] == "on_demand" and enough and 0.25 <= row["price"] <= 25)


def by_provider(offers: Sequence[Row]) -> dict[str, list[Row]]:
    """Each provider's firm quotes, else its list prices, by name."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in offers:
        found[row["provider"]].append(row)
    firm = {name: [row for row in rows if row["kind"] == "firm quote"] for name, rows in found.items()}
    return {name: firm[name] or found[name] for name in sorted(found)}


def of_providers(rows: Sequence[Row], offers: Sequence[Row], day: date, resource: str) -> Print:
    """Version 0.2.0: the cheapest offer of each provider."""
    groups = by_provider(offers)
    reviewed = review(rows, day, resource)
    weights = {}
    for name, group in groups.items():
        if reviewed is None:
            weights[name] = capacity(group)
        else:
            weights[name] = reviewed.get(name, 16.0 if is_firm(group) else 8.0)
    shares = limited(weights)
    prices = {name: min(row["price"] for row in group) for name, group in groups.items()}
    value = middle([(prices[name], shares[name]) for name in groups]) if len(groups) >= 5 else None
    parts = {name: (prices[name], shares[name] if value is not None else weights[name]) for name in groups}
    return Print(value=value, sources=len(groups), firm=sum(is_firm(group) for group in groups.values()), parts=parts)


def of_offers(offers: Sequence[Row], *, clamping: bool) -> Print:
    """Version 0.3.0: all offers, a provider's weight spread over them by GPUs, the outermost ones clamped."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in offers:
        groups[row["provider"]].append(row)
    firm = sum(row["kind"] == "firm quote" for row in offers)
    if len(groups) < 5:
        return Print(value=None, sources=len(groups), firm=firm, parts={})
    shares = limited({name: 2.0 if any(row["kind"] == "firm quote" for row in group) else 1.0 for name, group in groups.items()})
    votes = []
    for name, group in groups.items():
        sizes = [min(row["gpu_count"], 64.0) for row in group]
        votes += [(row["price"], shares[name] * size / sum(sizes), name) for row, size in zip(group, sizes, strict=True)]
    lowest, highest = clamps([price for price, _, _ in votes]) if clamping else (0.0, 25.0)
    value = middle([(min(max(price, lowest), highest), weight) for price, weight, _ in votes])
    parts = {name: (middle([(price, weight) for price, weight, whose in votes if whose == name]), shares[name]) for name in groups}
    return Print(value=value, sources=len(groups), firm=firm, parts=parts)


def clamps(prices: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(prices)
    count = sum(len(ordered) >= least for least in (5, 10, 20))
    count = min(count, (len(ordered) - 1) // 2)
    return ordered[count], ordered[-1 - count]


def is_firm(group: Sequence[Row]) -> bool:
    return bool(group[0]["kind"] == "firm quote")


def capacity(group: Sequence[Row]) -> float:
    return 2 * min(sum(row["gpu_count"] for row in group), 64.0) if is_firm(group) else 8.0


def review(rows: Sequence[Row], day: date, resource: str) -> dict[str, float] | None:
    """Weights of the review in effect; None while there are fewer than five days of collection."""
    monday = day - timedelta(day.weekday())
    window = sorted({day_of(row) for row in rows if monday - timedelta(28) <= day_of(row) < monday})
    if len(window) < 5:
        return None
    seen: dict[str, list[float]] = defaultdict(list)
    for past in window:
        offers = [row for row in rows if day_of(row) == past and row["resource"] == resource and eligible(row, least=8)]
        for name, group in by_provider(offers).items():
            seen[name].append(capacity(group))
    return {name: median(values) * len(values) / len(window) for name, values in seen.items()}


def limited(weights: Mapping[str, float], *, most: float = 25.0) -> dict[str, float]:
    """Shares in percent, none above a quarter, or above an equal share where there are fewer than four."""
    fixed: set[str] = set()
    most = max(most, 100 / max(len(weights), 1))
    while True:
        free = {name: weight for name, weight in weights.items() if name not in fixed}
        left = 100 - most * len(fixed)
        shares = {name: most if name in fixed else weight / sum(free.values()) * left for name, weight in weights.items()}
        over = {name for name in free if shares[name] > most + 1e-9}
        if not over:
            return shares
        fixed |= over


def middle(votes: Sequence[tuple[float, float]]) -> float:
    """The first price at which half of the weight is reached."""
    passed = 0.0
    for price, weight in sorted(votes):
        passed += weight
        if passed >= sum(weight for _, weight in votes) / 2 - 1e-9:
            return price
    raise AssertionError("no weight")
