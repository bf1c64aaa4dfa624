"""A sheet as a PyPSA network: offers and bids are generators, a way to do work is a link from a GPU's bus to the work's, with the other
resources and the data as further buses.

PyPSA has no gang: of one, accepted for its whole window, it knows only the hour (`committable`), so the rows that tie its hours are added
to its linopy model, as are those that keep a run from starting too late to last.
"""

from typing import Any

import numpy as np
import pandas as pd
import pypsa
import xarray as xr

from benchmarks.rival import LP_OF_BOUND_ROWS, Solved, told
from benchmarks.sheet import CAPACITY, CARRIAGE, CLASSES, LINKS, NODES, RESOURCES, Sheet, Windows, ways

pypsa.options.api.legacy_string_dtype = False
PLENTY = 1e6  # recipe-hours, which no market of these sizes comes near


def build(sheet: Sheet) -> Any:
    """The network, and its model."""
    network: Any = pypsa.Network()
    network.set_snapshots(range(sheet.hours))
    network.add("Bus", [*_named("node", NODES), *_named("work", CLASSES), *_named("data", len(LINKS))])
    _hourly(network, "offer", sheet.offered, sheet.cost, [f"node {at}" for at in sheet.node], sign=1.0)
    _hourly(network, "bid", sheet.wanted, -sheet.value, [f"work {at}" for at in sheet.group], sign=-1.0)
    network.add("Generator", _named("carriage", len(LINKS)), bus=_named("data", len(LINKS)), p_nom=CAPACITY, marginal_cost=CARRIAGE)
    network.add("Generator", _named("spare", NODES), bus=_named("node", NODES), sign=-1.0, p_nom=PLENTY)  # a block may be more than is used
    _ways(network)
    _windows(network, sheet)
    network.optimize.create_model(include_objective_constant=False)
    if sheet.gangs.count or sheet.blocks.count:
        _tied(network, sheet)
    return network


def _named(name: str, count: int) -> list[str]:
    return [f"{name} {number}" for number in range(count)]


def _hourly(network: Any, name: str, quantity: Any, price: Any, bus: list[str], *, sign: float) -> None:
    names, most = _named(name, len(bus)), quantity.max(axis=0)
    share = pd.DataFrame(quantity / most, index=network.snapshots, columns=names)
    cost = pd.DataFrame(price, index=network.snapshots, columns=names)
    network.add("Generator", names, bus=bus, sign=sign, p_nom=most, p_max_pu=share, marginal_cost=cost)


def _ways(network: Any) -> None:
    how = ways()
    ends: dict[str, list[Any]] = {f"bus{number}": [] for number in range(len(RESOURCES) + 1)}
    rates: dict[str, list[float]] = {f"efficiency{number}": [] for number in range(1, len(RESOURCES) + 1)}
    for way in range(how.link.size):
        used = np.flatnonzero(how.use[:, way])  # the GPU first: one of it an hour
        data = [(f"data {how.link[way]}", -how.moved[way])] if how.link[way] >= 0 else []
        others = [(f"node {node}", -how.use[node, way]) for node in used[1:]] + data
        others += [("", 0.0)] * (len(RESOURCES) - 1 - len(others))
        for number, (bus, rate) in enumerate([(f"work {how.of_class[way]}", how.output[way]), *others], start=1):
            ends[f"bus{number}"].append(bus)
            rates[f"efficiency{number}"].append(rate)
        ends["bus0"].append(f"node {used[0]}")
    rates["efficiency"] = rates.pop("efficiency1")
    network.add("Link", _named("way", how.link.size), p_nom=PLENTY, **ends, **rates)


def _windows(network: Any, sheet: Sheet) -> None:
    jobs, gangs, blocks = sheet.jobs, sheet.gangs, sheet.blocks
    work = {"sign": -1.0}
    if jobs.count:
        inside = _frame(network, jobs, "job", jobs.inside(sheet.hours).astype(float))
        bus = [f"work {at}" for at in jobs.place]
        network.add(
            "Generator",
            inside.columns,
            bus=bus,
            p_nom=jobs.quantity,
            marginal_cost=-jobs.price,
            p_max_pu=inside,
            e_sum_max=jobs.total,
            **work,
        )
    if gangs.count:
        inside = _frame(network, gangs, "gang", gangs.inside(sheet.hours).astype(float))
        bus = [f"work {at}" for at in gangs.place]
        network.add(
            "Generator", inside.columns, bus=bus, p_nom=gangs.quantity, marginal_cost=-gangs.price, p_max_pu=inside,
            p_min_pu=inside * gangs.share, committable=True, up_time_before=0, **work,
        )  # fmt: skip
    if blocks.count:
        inside = _frame(network, blocks, "block", blocks.inside(sheet.hours).astype(float))
        bus = [f"node {at}" for at in blocks.place]
        network.add(
            "Generator", inside.columns, bus=bus, p_nom=blocks.quantity, marginal_cost=blocks.price, p_max_pu=inside, p_min_pu=inside,
            committable=True, start_up_cost=blocks.start_cost, min_up_time=np.where(blocks.least > 1, blocks.least, 0), up_time_before=0,
        )  # fmt: skip


def _frame(network: Any, orders: Windows, name: str, values: Any) -> pd.DataFrame:
    return pd.DataFrame(values, index=network.snapshots, columns=_named(name, orders.count))


def _tied(network: Any, sheet: Sheet) -> None:
    """One acceptance for all hours of a gang's window; no run of a block that could not last."""
    model, hour = network.model, np.arange(sheet.hours)[:, None]
    gangs, blocks = sheet.gangs, sheet.blocks
    if gangs.count:
        status = model.variables["Generator-status"].sel(name=_named("gang", gangs.count))
        within = xr.DataArray((hour > gangs.first) & (hour < gangs.end), coords=[status.coords["snapshot"], status.coords["name"]])
        model.add_constraints(status.fillna(0) - status.shift(snapshot=1).fillna(0) == 0, mask=within, name="gang")
    if blocks.count:
        begun = model.variables["Generator-start_up"].sel(name=_named("block", blocks.count))
        late = (blocks.start_cost > 0) & (hour > blocks.end - blocks.least)
        model.add_constraints(
            begun.fillna(0) <= 0, mask=xr.DataArray(late, coords=[begun.coords["snapshot"], begun.coords["name"]]), name="late"
        )


def solve(network: Any, options: dict[str, Any]) -> Solved:
    """Pass the model in memory, and read the values back into the network."""
    said = network.optimize.solve_model(solver_name="highs", solver_options={"output_flag": False} | options, io_api="direct")
    if said != ("ok", "optimal"):
        raise SystemExit(f"PyPSA ended with {said}")
    model = network.model
    return Solved(surplus=-float(network.objective), columns=int(model.nvars), rows=int(model.ncons))


if __name__ == "__main__":
    told(build, solve, lp=LP_OF_BOUND_ROWS)
