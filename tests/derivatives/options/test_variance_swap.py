"""The fair variance of a variance swap."""

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.options.variance_swap import fair_variance

ONE = np.ones(1)
PUTS, CALLS = np.arange(50, 101, 5.0), np.arange(100, 136, 5.0)


@pytest.mark.parametrize(("years", "expected"), [(0.246575, 0.0418886), (0.25, 0.0418679)])
def test_derman_kamal_and_zous_example(years: float, expected: float) -> None:
    found = fair_variance(
        100 * np.exp(0.05 * years * ONE), put_strike=PUTS, put_volatility=0.2 + 0.002 * (100 - PUTS), call_strike=CALLS,
        call_volatility=0.2 - 0.002 * (CALLS - 100), years=years * ONE,
    )  # fmt: skip
    assert found[0] == pytest.approx(expected, abs=1e-7)
    assert found[0] == pytest.approx(0.04189, abs=4e-5)  # as printed


def test_with_one_volatility_and_many_strikes_it_is_its_square() -> None:
    puts, calls = np.linspace(0.05, 2.5, 4000), np.linspace(2.5, 40, 8000)
    fair, rough = (
        fair_variance(
            np.array([2.4, 2.5, 2.7]), put_strike=p, put_volatility=np.full(p.size, 0.8), call_strike=c,
            call_volatility=np.full(c.size, 0.8),
            years=0.5 * ONE,
        )
        for p, c in ((puts, calls), (puts[::-100][::-1], calls[::100]))
    )  # fmt: skip
    assert fair == pytest.approx(0.64 * np.ones(3), abs=1e-5)
    assert (rough > fair).all()  # straight lines lie above the pay-off


def test_it_rises_with_volatility_and_what_has_no_price_is_refused() -> None:
    rest = {"put_strike": PUTS, "call_strike": CALLS, "years": ONE}
    low, high = (fair_variance(100 * ONE, put_volatility=np.full(11, v), call_volatility=np.full(8, v), **rest)[0] for v in (0.2, 0.3))
    assert low < high
    with pytest.raises(InputError, match="the boundary where puts end"):
        fair_variance(100 * ONE, put_volatility=np.full(11, 0.2), call_volatility=np.full(8, 0.2), **rest | {"call_strike": CALLS + 1})
    with pytest.raises(InputError, match="rising strikes"):
        fair_variance(100 * ONE, put_volatility=np.full(11, 0.2), call_volatility=np.full(8, 0.2), **rest | {"put_strike": PUTS[::-1]})
    with pytest.raises(InputError, match="column put_volatility"):
        fair_variance(100 * ONE, put_volatility=-np.full(11, 0.2), call_volatility=np.full(8, 0.2), **rest)
