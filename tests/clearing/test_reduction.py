"""What a search may leave out: bounds that hold, columns that stay where they are, and an optimum that is never lost."""

from dataclasses import replace

import numpy as np
import pytest

from tenorgrid.clearing.certificate import worth
from tenorgrid.clearing.program import Program
from tenorgrid.clearing.reduction import LowerBound, lower_bound, reduce
from tests.clearing.reductions import Maker, best_of_all, cost_of, plain_bound, random_program

USD = 1e-7


def narrow(extra: float = 14.1) -> Program:
    """A gang of 10 at 5 USD, all or nothing, and offers of 8 at 1 USD and 2 at a dear one; without it, bids at 4.5 take the 8.

    The relaxation accepts 0.8 of it at a price of 5 and costs −32. The whole gang costs −42 + `extra`; the bids instead −28, which uses
    the second bid only once the first is full, at 0.5 · 7.9 = 3.95 above the bound.
    """
    make = Maker(1)
    make.column(1.0, 8.0, (0, -1.0))
    make.column(extra / 2, 2.0, (0, -1.0))
    make.column(-4.5, 7.9, (0, 1.0))
    make.column(-4.5, 0.1, (0, 1.0))
    make.gang(5.0, 10.0, [0])
    return make.program()


def test_the_bound_is_the_relaxation() -> None:
    assert plain_bound(narrow()).value == pytest.approx(-32.0, abs=USD)
    assert best_of_all(narrow()) == pytest.approx(-28.0, abs=USD)


@pytest.mark.parametrize(("excess", "left"), [(3.9, False), (4.0, True)])
def test_a_bid_is_left_out_only_where_filling_those_before_it_costs_more(excess: float, left: bool) -> None:
    part = reduce(narrow(), plain_bound(narrow()), excess=excess)
    assert part.kept[3] == left
    assert part.kept[2]  # nothing before it has to be filled


@pytest.mark.parametrize(("excess", "left"), [(0.19, False), (0.21, True)])
def test_an_offer_is_sold_whole_only_where_emptying_those_after_it_costs_more(excess: float, left: bool) -> None:
    """Offers of 5 at 1, 1 at 2.8 and 3 at 9 USD and a bid of 100 at 3: less of the cheap one means none of the dearer, 0.2 lost."""
    make = Maker(1)
    for price, quantity in ((1.0, 5.0), (2.8, 1.0), (9.0, 3.0)):
        make.column(price, quantity, (0, -1.0))
    make.column(-3.0, 100.0, (0, 1.0))
    make.gang(2.0, 1.0, [0])
    part = reduce(make.program(), plain_bound(make.program()), excess=excess)
    assert part.kept[0] == left
    assert part.decided[0] == (0.0 if left else 5.0)
    assert part.kept[1]
    assert part.kept[2]  # in part it costs next to nothing


def test_what_is_dearer_never_comes_before_what_is_cheaper_without_end() -> None:
    make = Maker(1)
    make.column(1.0, np.inf, (0, -1.0))
    make.column(1.5, 4.0, (0, -1.0))
    make.column(-0.5, 4.0, (0, 1.0))
    make.gang(3.0, 2.0, [0])
    part = reduce(make.program(), plain_bound(make.program()), excess=1e6)
    assert part.kept.tolist()[:2] == [True, True]  # price 1: filling what costs nothing above the price costs nothing
    bound = replace(plain_bound(make.program()), dual=np.r_[-0.75, np.zeros(2)])
    assert reduce(make.program(), bound, excess=1e6).kept.tolist()[:2] == [True, False]


def test_a_bid_without_end_does_not_push_those_before_it() -> None:
    """3 offered, a bid of 5 at 4 USD and one without end at 3: at a price just under 3 the endless one seems lost for ever."""
    make = Maker(2)
    make.column(-4.0, 5.0, (0, 1.0), (1, 1.0))
    make.column(-3.0, np.inf, (0, 1.0), (1, 1.0))
    make.column(1.0, 3.0, (0, -1.0))
    make.column(0.0, 100.0, (1, -1.0))
    make.gang(2.0, 1.0, [0])
    program = make.program()
    bound = lower_bound(program, relaxed=program, dual=np.r_[-2.999, 0.0, np.zeros(2)])
    assert bound is not None
    assert bound.value == pytest.approx(3.0 * -1.999 + 5.0 * -1.001 - 3.0 * 0.001)  # it can have no more than the 3
    assert reduce(program, bound, excess=6.0).kept[0]


def test_a_gang_far_from_the_price_is_decided_and_its_columns_with_it() -> None:
    """At a price of 3 a gang of 5 at 6 USD wins 15 and one of 5 at 1 USD loses 10, wherever the solver left their duals."""
    make = Maker(1)
    make.column(3.0, 100.0, (0, -1.0))
    make.column(-4.0, 10.0, (0, 1.0))
    won, lost = make.gang(6.0, 5.0, [0]), make.gang(1.0, 5.0, [0])
    bound = plain_bound(make.program())
    assert bound.reduced[[won, lost]] == pytest.approx([-15.0, 10.0], abs=USD)
    part = reduce(make.program(), bound, excess=9.0)
    assert not part.kept[[won, lost, lost + 1]].any()
    assert part.decided[[won, won + 1, lost, lost + 1]] == pytest.approx([1.0, 5.0, 0.0, 0.0])
    assert reduce(make.program(), bound, excess=16.0).kept[[won, lost]].all()


def test_orders_of_a_decided_gang_join_the_class_of_others() -> None:
    """Half of an accepted gang is free: it takes its place in the order of merit among bids of the same node."""
    make = Maker(1)
    make.column(3.0, 100.0, (0, -1.0))
    make.column(-2.9, 50.0, (0, 1.0))  # 5 to fill
    gang = make.gang(2.8, 4.0, [0], share=0.5, cost=-100.0)
    part = reduce(make.program(), plain_bound(make.program()), excess=1.0)
    assert part.decided[[gang, gang + 1]] == pytest.approx([1.0, 2.0])
    assert part.cost.size == 2


def test_bounds_that_cross_by_rounding_alone_meet() -> None:
    """A gang that takes at most 0.3 and at least 0.1 · 3, which is more by the last bit, is served all the same."""
    make = Maker(1)
    make.column(1.0, 10.0, (0, -1.0))
    w, m = make.column(-9.0, 1.0, whole=True), make.column(-5.0, 1.0, (0, 1.0))
    make.row(-np.inf, 0.0, (m, 1.0), (w, -0.3))
    make.row(0.0, np.inf, (m, 1.0), (w, -(0.1 * 3)))
    part = reduce(make.program(), plain_bound(make.program()), excess=1.0)
    assert not part.kept[[w, m]].any()
    assert part.decided[[w, m]] == pytest.approx([1.0, 0.3])


def test_what_a_gang_has_to_lose_holds_bids_before_it() -> None:
    """Of a gang of 4 at 5 USD that is accepted 2 are free: at a price of 3 a bid at 6 is cut only after 2 · 2 has been lost."""
    make = Maker(1)
    make.column(3.0, 100.0, (0, -1.0))
    make.column(-6.0, 5.0, (0, 1.0))
    make.gang(5.0, 4.0, [0], share=0.5)
    for excess, left in ((3.9, False), (4.1, True)):
        part = reduce(make.program(), plain_bound(make.program()), excess=excess)
        assert part.kept[1] == left
        assert not part.kept[2]


def test_any_duals_give_a_bound() -> None:
    """Even wild ones, on sides that do not exist; and without upper bounds those that the rows imply are used."""
    rng = np.random.default_rng(3)
    for seed in range(20):
        program = random_program(seed, steps=4, orders=2)
        ended = program.upper.copy()
        ended[:2] = np.inf  # an offer and a bid
        for case, dual in ((program, rng.normal(size=program.hair.size)), (replace(program, upper=ended), np.zeros(program.hair.size))):
            found = lower_bound(case, relaxed=case, dual=dual)
            if found is not None:
                assert found.value <= best_of_all(case) + USD
                for column in np.flatnonzero(case.whole):
                    forced = replace(case, lower=np.where(np.arange(case.cost.size) == column, 1.0, case.lower))
                    moved = max(found.reduced[column], 0.0)
                    values = forced.lower[forced.whole]
                    assert found.value + moved <= cost_of(forced, values) + USD


def test_a_row_of_one_column_is_a_bound_of_it_whatever_the_sign_it_stands_with() -> None:
    """−m ≤ −2 and −m ≥ −3 say that m is from 2 to 3; as many hours are bought at least, and nothing else is left to hold."""
    make = Maker(1)
    sold, m = make.column(1.0, 10.0, (0, -1.0)), make.column(-1.0, 5.0, (0, 1.0))
    make.row(-np.inf, -2.0, (m, -1.0))
    make.row(-3.0, np.inf, (m, -1.0))
    program = make.program()
    for dual in ([-1.0, 0.0, 0.0], [-1.0, -0.5, 0.5]):
        found = lower_bound(program, relaxed=program, dual=np.array(dual))
        assert found is not None
        part = reduce(program, found, excess=9.0)
        assert part.row_lower.size == 1
        assert part.kept[[sold, m]].all()
        assert (part.lower[m], part.upper[m]) == pytest.approx((2.0, 3.0))


def test_a_bid_without_end_is_never_said_to_be_full() -> None:
    """Two nodes sell 10 each, which bounds it; at prices of 1 the next bid, of 10, would lose 29, and it stands before that one."""
    make = Maker(2)
    for node in (0, 1):
        make.column(1.0, 10.0, (node, -1.0))
    endless = make.column(-5.0, np.inf, (0, 1.0), (1, 1.0))
    make.column(-4.9, 10.0, (0, 1.0), (1, 1.0))
    program = make.program()
    bound = lower_bound(program, relaxed=program, dual=np.array([-1.0, -1.0]))
    assert bound is not None
    assert bound.value == pytest.approx(-10 * 3.0 - 10 * 2.9)
    part = reduce(program, bound, excess=5.0)
    assert part.kept[endless]
    assert np.isfinite(part.lift(part.lower)).all()


def test_duals_with_which_something_runs_away_bound_nothing() -> None:
    """A bid without end for two nodes whose supply has none either: prices of 1 would have it served for ever."""
    make = Maker(2)
    for node in (0, 1):
        make.column(1.5, np.inf, (node, -1.0))
    make.column(-2.5, np.inf, (0, 1.0), (1, 1.0))
    make.gang(3.0, 2.0, [0])
    program = make.program()
    assert lower_bound(program, relaxed=program, dual=np.r_[-1.0, -1.0, np.zeros(2)]) is None
    found = lower_bound(program, relaxed=program, dual=np.r_[-1.5, -1.0, np.zeros(2)])
    assert found is not None
    assert found.value == pytest.approx(2.0 * (1.5 - 3.0))


def test_moving_duals_to_the_whole_columns_costs_nothing_and_decides_more() -> None:
    decided = [0, 0]
    for seed in range(30):
        program = random_program(seed)
        moved = plain_bound(program)
        relaxed = program.relaxed(())
        assert moved.value == pytest.approx(float(worth(relaxed, dual=moved.dual)), abs=USD)
        slack = np.abs(moved.reduced[program.whole])
        decided[0] += int((slack > 1.0).sum())
        decided[1] += int(program.whole.sum())
    assert decided[0] > 0.5 * decided[1]


def test_what_is_lifted_back_costs_the_same_and_keeps_the_rows() -> None:
    dropped = 0
    for seed in range(20):
        program = random_program(seed)
        part = reduce(program, plain_bound(program), excess=0.5)
        values = part.lift(part.lower)
        assert part.offset + part.cost @ part.lower == pytest.approx(float(program.cost @ values))
        within = bool(((part.matrix @ part.lower <= part.row_upper + USD) & (part.matrix @ part.lower >= part.row_lower - USD)).all())
        held = program.matrix @ values
        assert within == bool(((held <= program.row_upper + USD) & (held >= program.row_lower - USD)).all())
        dropped += program.hair.size - part.row_lower.size
    assert dropped > 0


def test_rounding_is_part_of_an_excess() -> None:
    bound = LowerBound(value=-100.0, reduced=np.zeros(0), dual=np.zeros(0), scale=101.0)
    assert bound.excess(-98.0) == pytest.approx(2.0 + 101e-9, abs=1e-12)
    assert bound.excess(-100.0 - 1e-8) == pytest.approx(101e-9, abs=1e-12)
