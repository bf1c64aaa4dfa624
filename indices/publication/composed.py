"""The account of a print that is made of marks: of a basket, of a workload, of a family of workloads."""

from collections.abc import Iterator

from tenorgrid.indices.entries import Entry

SHOWN = 5  # ways that could not be priced; the audit has all


def is_composed(entry: Entry) -> bool:
    """Whether an audit is of a mark that is made of marks.

    >>> is_composed({"levels": []}), is_composed({"constituents": []})
    (False, True)
    """
    return "levels" not in entry


def in_short(entry: Entry) -> str:
    """What a print stands on, in a few words."""
    if entry.get("low_confidence"):
        return "; ".join(entry["low_confidence"])
    if "shares" in entry:
        return ", ".join(f"{share:.1%} {name.replace('_', ' ')}" for name, share in entry["shares"].items())
    if "members" in entry:
        missing = entry["missing"]
        return f"members {len(entry['members'])}" + (f", without {', '.join(missing)}" if missing else "")
    return f"ways {entry['available']}, not to be priced {len(entry['unavailable'])}"


def told_of_marks(entry: Entry) -> Iterator[str]:
    """Lines on what a print is made of, for its account."""
    if "formula" in entry:
        yield f"  formula {entry['formula']}, last rebalanced {entry['rebalanced'] or 'never'}; {in_short(entry)}"
    yield f"  input: {entry['input']['rows']} marks of the period, hash {entry['input']['hash']}"
    for part in entry.get("constituents", ()):
        price = "no price" if part["price"] is None else f"{part['price']:.6g}"
        yield f"  {part['constituent']}: {price}, {part['state']}, weight {_share(part['weight'])}, moved it by {part['contribution']:+.6g}"
    if recipe := entry.get("recipe"):
        yield f"  cheapest recipe: {recipe['name']} at {recipe['place']}, {recipe['output_per_hour']:.6g} an hour ({recipe['entry']})"
    for part in entry.get("cost", ()):
        made = f"{part['per_unit']:.6g} hours at {part['price']:.6g} ({part['from']})"
        yield f"  {part['resource']}: {made}, {part['cost']:.6g}, {_share(part['share'])} of the cost"
    for part in entry.get("members", ()):
        yield f"  {part['index']}: {part['value']}, share {_share(part['share'])}"
    for part in list(entry.get("unavailable", ()))[:SHOWN]:
        yield "  not to be priced: " + ", ".join(f"{name} {value}" for name, value in part.items())


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.2%}"
