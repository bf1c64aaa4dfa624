"""The data dictionary: complete, and the committed page is what the declarations give."""

import re
from pathlib import Path

from tenorgrid.data.dictionary import dictionary, parts
from tenorgrid.data.kinds import contract, market

PAGE = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def test_the_committed_page_is_made_from_the_declarations() -> None:
    assert PAGE.read_text(encoding="utf-8") == dictionary(), "run `make docs`"


def test_every_column_of_every_table_has_a_line_and_a_meaning() -> None:
    lines = dictionary().splitlines()
    for _, schemas in parts():
        for schema in schemas:
            for name, column in schema.columns().items():
                assert column.description, f"{schema.__name__}.{name}"
                assert any(line.startswith(f"| `{name}` |") and line.endswith(f"| {column.description} |") for line in lines)


def test_no_declared_table_is_left_out() -> None:
    """A second count: the classes that the source files of the tables define."""
    folder = Path(__file__).parents[2] / "data" / "tables"
    written = {name for path in folder.glob("*.py") for name in re.findall(r"^class (\w+)\(dy\.Schema\)", path.read_text(), re.MULTILINE)}
    printed = {schema.__name__ for _, schemas in parts() for schema in schemas}
    assert written
    assert written <= printed


def test_a_line_says_type_unit_key_and_null() -> None:
    lines = dictionary().splitlines()
    assert (
        "| `reserve_share` | number, ≥ 0, ≤ 1 | 1 |  | may be | α, share of sold hours that may be recalled as reserve; null is 0 |"
        in lines
    )
    assert "| `side` | one of `inc`, `dec` |  |  |  | inc sells, dec buys |" in lines
    assert "| `step` | whole number, ≥ 1 |  | yes |  | Step of the curve, counted from 1 |" in lines


def test_every_closed_set_is_printed_with_all_its_values() -> None:
    text = dictionary()
    for values in (contract.ChargeCode, contract.OperatorAccount, market.BindingKind, contract.Profile):
        assert f"### {values.__name__}\n" in text
        assert ", ".join(f"`{value}`" for value in values) in text
