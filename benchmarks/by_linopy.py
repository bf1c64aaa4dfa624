"""A sheet in linopy: whole arrays of variables at a time, passed to HiGHS in memory (`io_api="direct"`)."""

from typing import Any

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.rival import Solved, told
from benchmarks.sheet import CAPACITY, CARRIAGE, LINKS, NODES, Sheet, ways


def build(sheet: Sheet) -> linopy.Model:
    """The whole market as one model. What is masked is absent (v1): each use says what it counts as."""
    with linopy.options as chosen:
        chosen.set_value(semantics="v1")
        return _written(sheet)


def _written(sheet: Sheet) -> linopy.Model:
    how = ways()
    model = linopy.Model(force_dim_names=True)
    hour = pd.RangeIndex(sheet.hours, name="hour")
    offers, bids = pd.RangeIndex(sheet.node.size, name="offer"), pd.RangeIndex(sheet.group.size, name="bid")
    way = pd.RangeIndex(how.link.size, name="way")
    sold = model.add_variables(0, sheet.offered, coords=[hour, offers], name="sold")
    served = model.add_variables(0, sheet.wanted, coords=[hour, bids], name="served")
    run = model.add_variables(0, np.inf, coords=[hour, way], name="run")
    supply = [(1.0 * sold).groupby(pd.Series(sheet.node, index=offers, name="node")).sum()]
    demand = [(1.0 * served).groupby(pd.Series(sheet.group, index=bids, name="group")).sum()]
    gain = [
        -(_on(sheet.cost, hour, offers) * sold).sum(),
        (_on(sheet.value, hour, bids) * served).sum(),
        -(_on(CARRIAGE * how.moved, way) * run).sum(),
    ]
    for add in (_jobs, _gangs, _blocks):
        add(model, sheet, hour, supply, demand, gain)
    use = [
        (_on(how.use[node, used], way[used]) * run.sel(way=used)).sum("way")
        for node in range(NODES)
        if (used := np.flatnonzero(how.use[node])).size
    ]
    used_by = linopy.merge(use, dim="node", cls=linopy.LinearExpression).assign_coords(node=np.arange(NODES))
    model.add_constraints(used_by - _sum(supply) <= 0, name="balance")
    work = (_on(how.output, way) * run).groupby(pd.Series(how.of_class, index=way, name="group")).sum()
    model.add_constraints(_sum(demand) - work == 0, name="work")
    away = np.flatnonzero(how.link >= 0)
    moved = _on(how.moved[away], way[away]) * run.sel(way=away)
    model.add_constraints(moved.groupby(pd.Series(how.link[away], index=way[away], name="link")).sum() <= CAPACITY, name="link")
    assert len(LINKS) == model.constraints["link"].sizes["link"]
    model.add_objective(_sum(gain), sense="max")
    return model


def _jobs(model: Any, sheet: Sheet, hour: Any, supply: list[Any], demand: list[Any], gain: list[Any]) -> None:
    jobs = sheet.jobs
    if jobs.count == 0:
        return
    name = pd.RangeIndex(jobs.count, name="job")
    inside = _on(jobs.inside(sheet.hours), hour, name)
    served = model.add_variables(0, _on(jobs.quantity, name), coords=[hour, name], mask=inside, name="job")
    demand.append((1.0 * served.fillna(0)).groupby(pd.Series(jobs.place, index=name, name="group")).sum())
    model.add_constraints(served.fillna(0).sum("hour") <= _on(jobs.total, name), name="total")
    gain.append((_on(jobs.price, name) * served.fillna(0)).sum())


def _gangs(model: Any, sheet: Sheet, hour: Any, supply: list[Any], demand: list[Any], gain: list[Any]) -> None:
    gangs = sheet.gangs
    if gangs.count == 0:
        return
    name = pd.RangeIndex(gangs.count, name="gang")
    inside = _on(gangs.inside(sheet.hours), hour, name)
    accepted = model.add_variables(binary=True, coords=[name], name="accepted")
    served = model.add_variables(0, _on(gangs.quantity, name), coords=[hour, name], mask=inside, name="gang")
    model.add_constraints(served - _on(gangs.quantity, name) * accepted <= 0, mask=inside, name="most")
    model.add_constraints(served - _on(gangs.share * gangs.quantity, name) * accepted >= 0, mask=inside, name="least")
    demand.append((1.0 * served.fillna(0)).groupby(pd.Series(gangs.place, index=name, name="group")).sum())
    gain.append((_on(gangs.price, name) * served.fillna(0)).sum())


def _blocks(model: Any, sheet: Sheet, hour: Any, supply: list[Any], demand: list[Any], gain: list[Any]) -> None:
    blocks = sheet.blocks
    if blocks.count == 0:
        return
    name = pd.RangeIndex(blocks.count, name="block")
    inside = _on(blocks.inside(sheet.hours), hour, name)
    on = model.add_variables(binary=True, coords=[hour, name], mask=inside, name="on")
    sold = _on(blocks.quantity, name) * on.fillna(0)
    supply.append(sold.groupby(pd.Series(blocks.place, index=name, name="node")).sum().reindex(node=range(NODES), fill_value=0))
    gain.append(-(_on(blocks.quantity * blocks.price, name) * on.fillna(0)).sum())
    slow = np.flatnonzero(blocks.start_cost > 0)
    own = on.sel(block=slow)
    begun = model.add_variables(binary=True, coords=[hour, name[slow]], name="begun")
    model.add_constraints(own - own.shift(hour=1).fillna(0) - begun <= 0, name="start")
    least = int(blocks.least.max())
    assert set(blocks.least[slow]) == {least}
    model.add_constraints(sum((begun.shift(hour=back).fillna(0) for back in range(1, least)), 1.0 * begun) - own <= 0, name="running")
    late = _on(np.arange(sheet.hours) > sheet.hours - least, hour)
    model.add_constraints(begun <= 0, mask=late & _on(np.ones(slow.size, dtype=bool), name[slow]), name="late")
    gain.append(-(_on(blocks.start_cost[slow], name[slow]) * begun).sum())


def _on(values: Any, *index: Any) -> xr.DataArray:
    return xr.DataArray(values, coords=list(index))


def _sum(parts: list[Any]) -> Any:
    first, *more = parts
    for part in more:
        first = first + part
    return first


def solve(model: linopy.Model, options: dict[str, Any]) -> Solved:
    """Pass the model in memory and read the values back."""
    model.solve(solver_name="highs", io_api="direct", output_flag=False, **options)
    return Solved(surplus=float(model.objective.value or np.nan), columns=int(model.nvars), rows=int(model.ncons))


if __name__ == "__main__":
    told(build, solve)
