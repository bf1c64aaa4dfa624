r"""Tolling at known prices as a mixed-integer program for HiGHS: the same plant told by rows, not by states.

.. math:: \max \sum_t s_t q_t - c_t v_t, \quad l u_t \le q_t \le m u_t, \; u_t - u_{t-1} = v_t - w_t, \;
    \sum_{k=t-R+1}^t v_k \le u_t, \; \sum_{k=t-P+1}^t w_k \le 1 - u_t

u runs, v starts, w stops; R and P the least run and rest: Rajan and Takriti, "Minimum up/down polytopes of the unit commitment problem with
start-up costs", IBM research report RC23628 (2005), whose inequalities describe the hull of u and v.
"""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, diags_array, eye_array, hstack, vstack

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import SolverError
from tenorgrid.derivatives.rights.tolling import Plant, checked


def program(plant: Plant, *, spread: Vector, start: Vector) -> float:
    """Best income of one contract, USD.

    Args:
        plant: limits.
        spread: (hours,) USD a unit of output, discounted.
        start: (hours,) USD a start costs, at least 0; broadcasts.

    Raises `InputError` as `tolling.schedule`, and `SolverError` where HiGHS finds no optimum.

    >>> round(program(Plant(least=0.0, most=2.0, run=2), spread=np.array([1.0, -0.2, 0.1]), start=np.ones(1)), 9)
    1.2
    """
    cost = checked(spread[:, None], np.broadcast_to(start, spread.shape)[:, None])[:, 0]
    hours = spread.size
    one, none = eye_array(hours, format="csr"), csr_array((hours, hours))
    change = one - diags_array(np.ones(hours - 1), offsets=-1, shape=(hours, hours), format="csr")
    begun, ended = (_window(hours, length) for length in (plant.run, plant.rest))
    ran_at_least, ran_at_most = np.zeros(hours), np.zeros(hours)  # u before the first hour
    ran_at_least[0], ran_at_most[0] = plant.before == "running", plant.before != "rested"
    rows = vstack(
        [
            hstack([one, -plant.most * one, none, none]),
            hstack([-one, plant.least * one, none, none]),
            hstack([none, change, -one, one]),
            hstack([none, -one, begun, none]),
            hstack([none, one, none, ended]),
        ]
    )
    zeros = np.zeros(hours)
    upper = np.concatenate([zeros, zeros, ran_at_most, zeros, np.ones(hours)])
    lower = np.concatenate([np.full(2 * hours, -np.inf), ran_at_least, np.full(2 * hours, -np.inf)])
    found = milp(
        np.concatenate([-spread, zeros, cost, zeros]),
        constraints=LinearConstraint(rows, lower, upper),
        integrality=np.repeat([0, 1, 0, 0], hours),
        bounds=Bounds(0.0, np.repeat([np.inf, 1.0, 1.0, 1.0], hours)),
        options={"mip_rel_gap": 0.0},
    )
    if found.status != 0:
        raise SolverError(f"tolling: HiGHS ended without an optimum: {found.message}")
    return float(-found.fun)


def _window(hours: int, length: int) -> csr_array:
    """Sum over the last `length` hours."""
    return csr_array(
        sum((eye_array(hours, k=-at, format="csr") for at in range(1, min(length, hours))), start=eye_array(hours, format="csr"))
    )
