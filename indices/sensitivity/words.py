"""How firm a mark stands, in sentences: what stands in its audit, told to somebody who challenges it."""

from collections.abc import Iterator, Mapping
from typing import Any

LISTED = 8  # contributors without whom there is no mark


def sentences(entry: Mapping[str, Any]) -> Iterator[str]:
    """Of an audit entry the share of each kind of input, the range without one contributor, and what moves the mark by 1 %.

    >>> told = {"kinds": [], "sensitivity": "left out", "without_one": None, "to_move": None}
    >>> list(sentences(told))
    ['sensitivity was left out: neither the range without one contributor nor what moves the mark was computed']
    """
    if entry.get("kinds"):
        yield "kinds: " + "; ".join(map(_kind, entry["kinds"]))
    if entry.get("sensitivity") == "left out":
        yield "sensitivity was left out: neither the range without one contributor nor what moves the mark was computed"
    if (told := entry.get("without_one")) is not None:
        yield "without one contributor: " + "; ".join(_range(told))
    if (told := entry.get("to_move")) is not None:
        for attack in told["attacks"]:
            yield f"to move it {told['share']:.0%} {attack['direction']}, {attack['by']}: {_attack(attack)}"


def _kind(part: Mapping[str, Any]) -> str:
    volume = "" if part["quantity_share"] is None else f", {part['quantity_share']:.1%} by volume"
    weight = "" if part["weight_share"] is None else f", {part['weight_share']:.1%} by weight"
    return f"{part['kind']} {part['observations']} rows, {part['share']:.1%} by number{volume}{weight}"


def _range(told: Mapping[str, Any]) -> Iterator[str]:
    if told["lowest"] is not None:
        low, high = told["lowest"], told["highest"]
        yield f"from {low['value']:.6g} (without {low['without']}) to {high['value']:.6g} (without {high['without']})"
    if gone := told["no_mark"]:
        rest = f" and {len(gone) - LISTED} more" if len(gone) > LISTED else ""
        yield f"no mark without {', '.join(map(str, gone[:LISTED]))}{rest}"


def _attack(attack: Mapping[str, Any]) -> str:
    if "cannot" in attack:
        return f"cannot, as {attack['cannot']}"
    who = "" if attack["provider"] is None else f"{attack['provider']} with "
    size = "" if attack["quantity"] is None else f" of {attack['quantity']:.6g} GPUh each"
    number = f"{attack['observations']} {attack['kind']}{'s' if attack['observations'] > 1 else ''}{size} for {attack['price']:.6g}"
    when = f", at {attack['at'][0]}{' and so on' if len(attack['at']) > 1 else ''}"
    level = f"by the level {attack['level']}, giving {attack['value']:.6g}"
    cost = f"notional {attack['notional']:,.2f} USD, cash cost {attack['cash_cost']:,.2f} USD (least {' and '.join(attack['least'])})"
    return f"{who}{number}{when}, {level}; {cost}"
