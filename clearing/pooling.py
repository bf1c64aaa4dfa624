"""How much a pool of suppliers may sell for a promise, and what each of them adds to it (market design, section 3).

Everything is stated per listed hour: x = A / ΣY is the share of the pool's inventory that is present, b = S / ΣY what is sold. Where the
inventory changes over time, moments weigh with it, so that π(S) is still interrupted over sold hours.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, roots_hermitenorm
from scipy.stats import binom

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

SLACK = 1e-9  # rounding that the bound on β is allowed
NODES = 120  # of the Gauss-Hermite rule


def shortfall(sold: float, share: Vector, weight: Vector) -> float:
    r"""Expected shortfall :math:`G(C) = E[(C - x)^+]` of a sale C per listed hour.

    Args:
        sold: C.
        share: (n,) x, share present.
        weight: (n,) probabilities.

    >>> shortfall(0.8, np.array([0.5, 1.0]), np.array([0.5, 0.5])).__round__(6)
    0.15
    """
    return float(weight @ np.maximum(sold - share, 0.0))


def interruption(sold: float, share: Vector, weight: Vector) -> float:
    """π(S) = E[(S − A)⁺] / S: chance that a sold hour, drawn at random among those sold, is interrupted; at 0 its limit P(A = 0).

    >>> interruption(0.8, np.array([0.5, 1.0]), np.array([0.5, 0.5])).__round__(6)
    0.1875
    """
    return shortfall(sold, share, weight) / sold if sold > 0 else float(weight @ (share <= 0))


def chance_of_recall(sold: float, share: Vector, weight: Vector) -> float:
    """P(A < S): chance that any sold hour is interrupted. It is not π.

    >>> chance_of_recall(0.8, np.array([0.5, 1.0]), np.array([0.25, 0.75]))
    0.25
    """
    return float(weight @ (share < sold))


def largest_sale(promise: float, share: Vector, weight: Vector) -> float:
    r"""β, the largest sale per listed hour whose interruption probability is at most `promise`.

    π(S) is continuous and never falls, and between two values of A it is F − M / S with F = P(A < S) and M = E[A 1{A < S}], so the
    answer is M / (F − π) on the last piece that begins at or below the promise: no search.

    Args:
        promise: π, in (0, 1).
        share: (n,) x, share present.
        weight: (n,) probabilities, above 0.

    Returns 0 where even the smallest sale is interrupted too often.

    >>> largest_sale(0.2, np.array([0.0, 1.0]), np.array([0.15, 0.85])).__round__(6)
    1.0625
    >>> largest_sale(0.1, np.array([0.0, 1.0]), np.array([0.15, 0.85]))
    0.0
    """
    return _last_sale(promise, share, weight, sold=0.0)


def next_sale(promise: float, share: Vector, weight: Vector, *, sold: float) -> float:
    """The largest further sale S of a tier that is interrupted before `sold` hours of better ones: G(sold + S) − G(sold) ≤ π S.

    >>> from numpy import array
    >>> next_sale(0.2, array([0.0, 0.5, 1.0]), array([0.1, 0.2, 0.7]), sold=0.5).__round__(6)
    0.0
    >>> next_sale(0.4, array([0.0, 0.5, 1.0]), array([0.1, 0.2, 0.7]), sold=0.5).__round__(6)
    0.583333
    """
    return _last_sale(promise, share, weight, sold=sold)


def credits(sold: float, promise: float, *, share: Vector, weight: Vector, present: Matrix, listed: Matrix, hours: Vector) -> Vector:
    r"""β of each supplier: :math:`\beta_o = E[\alpha_o 1\{A < S\}] / (P(A < S) - \pi)`, (suppliers,). Zero where nothing is sold.

    It is the derivative of S by what the supplier lists, so that the sum weighted by inventory is S exactly. Paying everyone the average
    would have good suppliers pay for bad ones.

    Args:
        sold: β of the pool, from `largest_sale`.
        promise: π.
        share, weight: (n,) of the pool.
        present: (n, suppliers) resource-hours present per hour.
        listed: (n, suppliers) resource-hours listed per hour.
        hours: (n,) length of each segment.
    """
    short = share < sold
    slope = float(weight @ short) - promise
    if sold <= 0 or slope <= 0:
        return np.zeros(present.shape[1])
    there = (hours * short) @ present
    return np.asarray(there / (hours @ listed) / slope)


def nested(promises: Vector, share: Vector, weight: Vector, *, stakes: Vector) -> tuple[Vector, Vector]:
    r"""Tiers sold from one pool, the larger promise interrupted first: :math:`\pi_k S_k = G(C_k) - G(C_{k-1})`.

    Each tier sells as much as its promise allows after those before it, and at most what its stake would back if it were alone.

    Args:
        promises: (tiers,) π, ascending.
        share, weight: (n,) of the pool.
        stakes: (tiers,) share of the listed hours behind each, summing to 1.

    Returns (tiers,) sold per listed hour of the pool, and the interruption probability of each (NaN where nothing is sold).

    >>> sold, hit = nested(np.array([0.1, 0.4]), np.array([0.0, 0.5, 1.0]), np.array([0.05, 0.25, 0.7]), stakes=np.array([0.5, 0.5]))
    >>> sold.round(4), hit.round(4)
    (array([0.3125, 0.6875]), array([0.05  , 0.2318]))
    """
    sold, hit = np.zeros(promises.size), np.full(promises.size, np.nan)
    before = 0.0
    for k, promise in enumerate(promises):
        alone = largest_sale(float(promise), share, weight)
        sold[k] = min(stakes[k] * alone, next_sale(float(promise), share, weight, sold=before))
        if sold[k] > 0:
            hit[k] = (shortfall(before + sold[k], share, weight) - shortfall(before, share, weight)) / sold[k]
        before += sold[k]
    return sold, hit


def prove_bound(overcommit: float, promise: float, *, availability: float) -> None:
    """(1 − π) β ≤ E[A] / ΣY ≤ 1 holds of every estimate; one that breaks it is a bug here, not a fault of the data.

    >>> prove_bound(1.2, 0.2, availability=0.85)
    Traceback (most recent call last):
    RuntimeError: a bug: (1 − 0.2) 1.2 = 0.96 promises more than the 0.85 that is there on average
    """
    kept = (1 - promise) * overcommit
    if not kept <= availability + SLACK or not availability <= 1 + SLACK:
        raise RuntimeError(
            f"a bug: (1 − {promise:g}) {overcommit:g} = {kept:g} promises more than the {availability:g} that is there on average"
        )


def pooled_deviation(availability: float, correlation: float, *, herfindahl: float) -> float:
    """√(a (1 − a) [(1 − ρ) H + ρ]): standard deviation of the share present in a pool of suppliers that are in or out.

    >>> round(pooled_deviation(0.85, 0.07, herfindahl=1 / 40), 3)
    0.109
    """
    return float(np.sqrt(max(availability * (1 - availability) * ((1 - correlation) * herfindahl + correlation), 0.0)))


def equal_pool(suppliers: int, *, availability: float, correlation: float) -> tuple[Vector, Vector]:
    """Share present and its probabilities in a pool of equal suppliers, each in or out, recalled together by one Gaussian factor.

    Supplier o is out when √c Z + √(1 − c) ε_o falls below Φ⁻¹(1 − a); c is what gives in-or-out presence the correlation ρ.

    Args:
        suppliers: M, at least 1.
        availability: a, in (0, 1).
        correlation: ρ of presence, in [0, 1).

    Returns (M + 1,) shares 0, 1/M, ..., 1 and (M + 1,) probabilities. Source: Vasicek, "Loan portfolio value", Risk (2002).

    >>> share, weight = equal_pool(40, availability=0.85, correlation=0.07)
    >>> round(largest_sale(0.05, share, weight), 3)
    0.85
    """
    count = np.arange(suppliers + 1)
    if correlation <= 0:
        return count / suppliers, np.asarray(binom.pmf(count, suppliers, availability))
    latent = float(
        brentq(lambda c: _joint(c, availability) - availability**2 - correlation * availability * (1 - availability), 0.0, 1 - 1e-9)
    )
    chance, mass = _conditional(latent, availability)
    return count / suppliers, np.asarray(binom.pmf(count[:, None], suppliers, chance) @ mass)


def _last_sale(promise: float, share: Vector, weight: Vector, *, sold: float) -> float:
    """Largest S with G(sold + S) − G(sold) ≤ π S, exactly, by the pieces of G above `sold`."""
    if not 0 < promise < 1:
        raise ValueError(f"a promise lies in (0, 1), not at {promise}")
    order = np.argsort(share)
    level, mass = share[order], weight[order] / weight.sum()
    below, held = np.cumsum(mass), np.cumsum(mass * level)
    start = float(mass @ np.maximum(sold - level, 0.0))
    above = level > sold
    # excess of interruptions over the promise when S reaches each level: first falls, then rises
    excess = below * level - held - start - promise * (level - sold)
    keeps = np.flatnonzero(above & (excess <= 0))
    last = int(keeps[-1]) if keeps.size else int(np.searchsorted(level, sold, side="right")) - 1
    further = (float(held[last]) + start - promise * sold) / (float(below[last]) - promise) - sold
    return further if further > SLACK else 0.0


def _conditional(latent: float, availability: float) -> tuple[Vector, Vector]:
    """Chance of being there given the factor, and the factor's probabilities."""
    factor, mass = roots_hermitenorm(NODES)
    chance = ndtr((ndtri(availability) + np.sqrt(latent) * factor) / np.sqrt(1 - latent))
    return np.asarray(chance), np.asarray(mass / mass.sum())


def _joint(latent: float, availability: float) -> float:
    chance, mass = _conditional(latent, availability)
    return float(mass @ chance**2)
