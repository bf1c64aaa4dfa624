"""Made-up orders that are decided whole, what prices leave unpaid of them, and premia of scale-up domains."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tenorgrid.data.tables.cleared import Allocation, Awards, Commitments, DomainPrices, Uplift
from tests.reports.run_parts import AS_OF, write_part


def write_whole(folder: Path) -> None:
    """Orders decided whole in the last three days of real time: 32 blocks, gangs, what prices leave unpaid, and one domain."""
    rng = np.random.default_rng(9)  # its own, so that all other tables stay what they were
    first, hours = AS_OF - timedelta(days=3), 72
    commitments, awards = [], []
    for number in range(36):
        side, name, whose = ("offer", f"block-{number}", f"supplier-{number % 6}") if number < 32 else ("bid", f"gang-{number}", "buyer-1")
        on = np.full(hours, number % 2) if side == "bid" else (np.arange(hours) // 12 + number) % 3 > 0
        for hour in range(hours):
            start = first + timedelta(hours=hour)
            row = {"horizon": "real-time", "start": start, "side": side, "id": name, "participant": whose, "on": bool(on[hour])}
            commitments.append(row | {"started": side == "offer" and bool(on[hour]) and (hour == 0 or not on[hour - 1])})
            if on[hour]:
                node = {"location": "us-east", "resource": "h100-sxm"} if side == "offer" else {"workload": "decode"}
                cash = 10.0 * (number + 1) * (1 if side == "offer" else -1)
                paid = {"step": 1, "tier": "firm", "quantity": 4.0, "price": abs(cash) / 4, "cash": cash}
                awards.append({key: row[key] for key in ("horizon", "start", "side", "id", "participant")} | node | paid)
    awards.append(awards[0] | {"id": "divisible", "cash": 9e9})
    write_part(folder, "clear", "commitments", pl.DataFrame(commitments), Commitments)
    write_part(
        folder, "clear", "awards", pl.DataFrame(awards, infer_schema_length=None).select(list(Awards.columns())), Awards, form="parquet"
    )
    sizes = (("marginal", 40.0), ("convex-hull", 2.5))
    amounts = [(rule, f"supplier-{n}", f"block-{n}", size * (n + 1)) for rule, size in sizes for n in range(6)]
    uplift = [
        {
            "horizon": "real-time",
            "pricing": rule,
            "participant": whose,
            "component": name,
            "make_whole": size,
            "lost_opportunity": 1.5 * size,
        }
        for rule, whose, name, size in amounts
    ]
    write_part(folder, "clear", "uplift", pl.DataFrame(uplift), Uplift)
    due = {rule: sum(size for other, *_, size in amounts if other == rule) for rule in ("marginal", "convex-hull")}
    allocation = [
        {"horizon": "real-time", "pricing": rule, "charge": charge, "participant": f"buyer-{n}", "amount": total * share * (n + 1) / 6}
        for rule, total in due.items()
        for charge, share in (("make-whole", 1.0), ("lost-opportunity", 1.5), ("shortfall", 0.25))
        for n in range(3)
    ]
    write_part(folder, "clear", "allocation", pl.DataFrame(allocation), Allocation)
    premia = [
        {
            "horizon": "real-time",
            "pricing": rule,
            "start": first + timedelta(hours=hour),
            "location": "us-east",
            "resource": "b200-sxm",
            "tier": "firm",
            "domain": size,
            "premium": float(rng.uniform(0, 0.5)) * (size / 72) * (hour % 3 > 0),
        }
        for rule in ("marginal", "convex-hull")
        for hour in range(hours)
        for size in (8, 72)
    ]
    write_part(folder, "clear", "domain_prices", pl.DataFrame(premia), DomainPrices)
