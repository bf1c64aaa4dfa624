"""The words for how firm a mark stands."""

from typing import Any

import pytest

from tenorgrid.indices.sensitivity.words import sentences

ATTACK: dict[str, Any] = {
    "direction": "up",
    "by": "existing name",
    "provider": "nimbus",
    "least": ["notional", "cash"],
    "level": "traded",
    "kind": "trade",
    "observations": 2,
    "quantity": 12.5,
    "at": ["2027-01-05T23:59:59.999999Z"],
    "price": 2.02,
    "confidence": None,
    "notional": 50.5,
    "cash_cost": 0.5,
    "value": 2.0204,
}


def test_each_number_is_told() -> None:
    entry = {
        "kinds": [{"kind": "trade", "observations": 3, "quantity": 30.0, "share": 0.75, "quantity_share": 1.0, "weight_share": 0.8}],
        "sensitivity": "told",
        "without_one": {"lowest": {"value": 1.9, "without": "b"}, "highest": {"value": 2.1, "without": "a"}, "no_mark": ["c", "d"]},
        "to_move": {"share": 0.01, "attacks": [ATTACK, {"direction": "down", "by": "new name", "cannot": "the rule takes nobody"}]},
    }
    assert list(sentences(entry)) == [
        "kinds: trade 3 rows, 75.0% by number, 100.0% by volume, 80.0% by weight",
        "without one contributor: from 1.9 (without b) to 2.1 (without a); no mark without c, d",
        "to move it 1% up, existing name: nimbus with 2 trades of 12.5 GPUh each for 2.02, at 2027-01-05T23:59:59.999999Z, "
        "by the level traded, giving 2.0204; "
        "notional 50.50 USD, cash cost 0.50 USD (least notional and cash)",
        "to move it 1% down, new name: cannot, as the rule takes nobody",
    ]


def test_quotes_cost_nothing_and_it_is_printed() -> None:
    quote = ATTACK | {"provider": None, "by": "any name", "kind": "firm quote", "observations": 1, "quantity": None}
    entry = {"to_move": {"share": 0.01, "attacks": [quote | {"notional": 0.0, "cash_cost": 0.0}]}}
    (told,) = sentences(entry)
    assert told.startswith("to move it 1% up, any name: 1 firm quote for 2.02, at 2027-01-05T23:59:59.999999Z, by the level traded")
    assert "notional 0.00 USD, cash cost 0.00 USD" in told


@pytest.mark.parametrize("entry", [{}, {"kinds": [], "sensitivity": "told", "without_one": None, "to_move": None}])
def test_of_what_is_not_known_nothing_is_told(entry: dict[str, Any]) -> None:
    assert list(sentences(entry)) == []
