"""Many GARCH fits at once, on any `concurrent.futures.Executor`."""

from collections.abc import Mapping
from concurrent.futures import Executor

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.garch import LEAST, GarchFit, Mean, fit_garch
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import VolatilityModel

PARTS = 8  # parts of the work for each worker: a slow fit then keeps nobody waiting long
WORKERS = 2

Job = tuple[str, Vector, VolatilityModel | str, Mean, int]


def fit_many(
    returns: Mapping[str, Vector],
    *,
    model: VolatilityModel | str = VolatilityModel.GARCH,
    mean: Mean = "constant",
    least: int = LEAST,
    executor: Executor | None = None,
) -> dict[str, GarchFit]:
    """`fit_garch` of each series; where it was made changes no digit.

    Args:
        returns: (n,) log returns by name.
        model, mean, least: as for `fit_garch`.
        executor: any `concurrent.futures.Executor`; None is this process.

    Raises `InputError` with the faults of every series, each told with its name.

    >>> import numpy as np
    >>> series = {name: np.random.default_rng(seed).normal(size=300) for seed, name in enumerate(("A", "B"))}
    >>> list(fit_many(series))
    ['A', 'B']
    """
    jobs: list[Job] = [(name, series, model, mean, least) for name, series in returns.items()]
    if executor is None:
        found = _part(jobs)
    else:
        size = max(1, -(-len(jobs) // (PARTS * WORKERS)))
        parts = [executor.submit(_part, jobs[first : first + size]) for first in range(0, len(jobs), size)]
        found = [one for part in parts for one in part.result()]
    faults = [fault for one in found if isinstance(one[1], list) for fault in one[1]]
    if faults:
        raise InputError(faults)
    return {name: fit for name, fit in found if isinstance(fit, GarchFit)}


def _part(jobs: list[Job]) -> list[tuple[str, GarchFit | list[Fault]]]:
    """Fits of some series, or the faults of those that have none."""
    found: list[tuple[str, GarchFit | list[Fault]]] = []
    for name, series, model, mean, least in jobs:
        try:
            found.append((name, fit_garch(series, model=model, mean=mean, least=least)))
        except InputError as error:
            told = [
                Fault(file=f"{fault.file} of {name}", column=fault.column, value=fault.value, expected=fault.expected)
                for fault in error.faults
            ]
            found.append((name, told))
    return found
