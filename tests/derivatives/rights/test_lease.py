"""Availability-linked lease: due, value."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.rights.lease import Lease, due, value

RENT, MEAN = np.array([100.0, 250.0]), np.array([0.97, 0.9])
CONCENTRATION, DISCOUNT = np.array([60.0, 25.0]), np.array([0.99, 0.95])
LEASE = Lease(promised=0.98, slope=2.5, floor=0.4)


def test_a_month_of_95_per_cent_under_99_at_twice_costs_eight_per_cent() -> None:
    found = due(Lease(promised=0.99, slope=2.0, floor=0.5), rent=np.array([720 * 2.5]), availability=np.array([0.95]))
    assert found == pytest.approx([1800 * 0.92], abs=1e-9)


def test_the_closed_form_is_the_integral_over_the_beta_law() -> None:
    found = value(LEASE, rent=RENT, mean=MEAN, concentration=CONCENTRATION, discount=DISCOUNT)
    for at in range(2):
        law = beta(MEAN[at] * CONCENTRATION[at], (1 - MEAN[at]) * CONCENTRATION[at])
        kinks = [0.0, LEASE.promised - 0.6 / 2.5, LEASE.promised, 1.0]
        whole = sum(
            quad(
                lambda a, law=law: float(due(LEASE, rent=np.ones(1), availability=np.array([a]))[0]) * law.pdf(a), low, high, epsabs=1e-11
            )[0]
            for low, high in pairwise(kinks)
        )
        assert found.share[at] == pytest.approx(whole, abs=1e-8)
    assert found.value == pytest.approx((DISCOUNT * RENT * found.share).sum(), rel=1e-14)


def test_samples_agree() -> None:
    rng = np.random.default_rng(4)
    measured = rng.beta(MEAN * CONCENTRATION, (1 - MEAN) * CONCENTRATION, (200_000, 2))
    paid = due(LEASE, rent=RENT, availability=measured) @ DISCOUNT
    found = value(LEASE, rent=RENT, mean=MEAN, concentration=CONCENTRATION, discount=DISCOUNT)
    assert found.value == pytest.approx(paid.mean(), abs=4 * paid.std() / 200_000**0.5)


def test_its_limits() -> None:
    def share(lease: Lease) -> float:
        return float(value(lease, rent=RENT, mean=MEAN, concentration=CONCENTRATION, discount=DISCOUNT).share[1])

    assert share(Lease(promised=0.98, slope=0.0, floor=0.0)) == 1.0
    assert share(Lease(promised=0.98, slope=9.0, floor=1.0)) == pytest.approx(1.0, abs=1e-14)
    assert share(Lease(promised=1.0, slope=1.0, floor=0.0)) == pytest.approx(0.9, abs=1e-12)  # one pays for what is there
    slopes = [share(Lease(promised=0.98, slope=slope, floor=0.4)) for slope in (0.5, 1.0, 2.0, 8.0, 500.0)]
    assert slopes == sorted(slopes, reverse=True)
    assert slopes[-1] > 0.4


def test_sensitivities_are_those_of_revaluation() -> None:
    found = value(LEASE, rent=RENT, mean=MEAN, concentration=CONCENTRATION, discount=DISCOUNT)
    for at in range(2):
        bump = 1e-4 * (np.arange(2) == at)
        up, down = (value(LEASE, rent=RENT, mean=MEAN + s * bump, concentration=CONCENTRATION, discount=DISCOUNT).value for s in (1, -1))
        assert found.availability[at] == pytest.approx((up - down) / 2e-4, rel=1e-4)
        more = value(LEASE, rent=RENT + bump, mean=MEAN, concentration=CONCENTRATION, discount=DISCOUNT).value
        assert found.delta[at] == pytest.approx((more - found.value) / 1e-4, rel=1e-6)
    assert np.all(found.availability > 0)


def test_shares_outside_their_range_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        Lease(promised=1.2, slope=-1.0, floor=2.0)
    assert [fault.column for fault in caught.value.faults] == ["promised", "slope", "floor"]
    with pytest.raises(InputError, match="column availability"):
        due(LEASE, rent=RENT, availability=np.array([1.1, 0.5]))
    with pytest.raises(InputError) as found:
        value(LEASE, rent=np.full(2, np.nan), mean=np.ones(2), concentration=np.zeros(2), discount=-DISCOUNT)
    assert [fault.column for fault in found.value.faults] == ["rent", "mean", "concentration", "discount"]
