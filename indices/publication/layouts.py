"""Layouts: which columns of a print its content hash covers, so that a new column leaves the hashes of what was published alone."""

from typing import Any

FIRST = 1
_FIRST = (
    "index", "methodology", "start", "end", "published_at", "revision", "value", "unit", "quantity", "status", "method_hash",
    "input_hash", "draft_hash", "made_by", "made_at", "approved_by", "approved_at", "judgements", "reason", "rule",
    "number", "publication", "prints",
)  # fmt: skip
LAYOUTS = {FIRST: _FIRST, 2: (*_FIRST, "layout")}  # one that was published with is never changed
LATEST = max(LAYOUTS)
HASHED_APART = ("audit", "content_hash", "audit_hash", "previous", "before", "hash")  # by audit_hash, and by the print's own hash


def layout_of(row: dict[str, Any]) -> int:
    """The layout of a print: what it says, and the first where it says nothing, as all prints before the column.

    >>> layout_of({"layout": None}), layout_of({"layout": 2})
    (1, 2)
    """
    return FIRST if row.get("layout") is None else int(row["layout"])


def covered(row: dict[str, Any]) -> dict[str, Any]:
    """The content of a print that its hash covers. Raises `KeyError` for a layout that this version does not know."""
    return {name: row[name] for name in LAYOUTS[layout_of(row)]}


def uncovered(row: dict[str, Any]) -> list[str]:
    """Columns in which a print says something that its layout does not have: nobody vouches for that.

    >>> uncovered(dict.fromkeys(LAYOUTS[2]) | {"layout": 2, "venue": "dark"})
    ['venue']
    """
    known = {*LAYOUTS[layout_of(row)], *HASHED_APART}
    return [name for name, value in row.items() if value is not None and name not in known]
