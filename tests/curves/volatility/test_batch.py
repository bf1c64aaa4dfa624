"""Many fits at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tenorgrid import executors
from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.batch import fit_many
from tenorgrid.curves.volatility.garch import fit_garch
from tenorgrid.data.errors import InputError

Make = Callable[..., Vector]


def test_each_fit_is_the_one_made_alone_in_threads_too(garch_returns: Make) -> None:
    series = {f"S{seed}": garch_returns(400, seed=seed) for seed in range(5)}
    here = fit_many(series)
    with ThreadPoolExecutor(2) as executor:
        there = fit_many(series, executor=executor)
    assert list(here) == list(there) == list(series)
    for name in series:
        assert there[name].values.tolist() == here[name].values.tolist() == fit_garch(series[name]).values.tolist()


@pytest.mark.slow
def test_processes_change_no_digit(garch_returns: Make) -> None:
    series = {f"S{seed}": garch_returns(400, seed=seed) for seed in range(4)}
    with executors.processes(2) as executor:
        there = fit_many(series, executor=executor)
    assert [fit.values.tolist() for fit in there.values()] == [fit.values.tolist() for fit in fit_many(series).values()]


def test_every_series_that_has_no_fit_is_named(garch_returns: Make) -> None:
    with pytest.raises(InputError) as caught:
        fit_many({"A": garch_returns(300, seed=1), "B": np.zeros(300), "C": garch_returns(100, seed=2)})
    assert [fault.file for fault in caught.value.faults] == ["returns of B", "returns of C"]
