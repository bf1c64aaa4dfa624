"""`tg.Book`: adding, names, frames."""

from pathlib import Path

import polars as pl
import pytest

import tenorgrid as tg

INDEX = "H100-SXM.US.FIRM"
ONE = tg.Forward(index=INDEX, contract="2027-05", strike=2.5, quantity=100.0)
TWO = tg.AsianCall(index=INDEX, contract="2027-05", strike=2.6, lots=-5)


def test_books_and_tickets_add_up_in_order_and_leave_the_old_book_alone() -> None:
    first = tg.Book(ONE)
    whole = first + TWO + [ONE, TWO] + tg.Book([ONE])
    assert (len(first), len(whole)) == (1, 5)
    assert whole.trades["kind"].cast(pl.String).to_list() == ["forward", "average", "forward", "average", "forward"]
    assert tg.Book(whole).trades.equals(whole.trades)
    assert (tg.Book() + whole).trades.equals(whole.trades)
    assert tg.Book(whole.trades).trades.equals(whole.trades)


def test_names_made_of_terms_are_numbered_and_given_ones_are_kept_apart() -> None:
    whole = tg.Book(ONE) + ONE + tg.Book([ONE, ONE])
    stem = ONE.row["trade_id"]
    assert whole.trades["trade_id"].to_list() == [stem, f"{stem}-2", f"{stem}-3", f"{stem}-4"]
    named = tg.Forward(index=INDEX, contract="2027-05", strike=2.5, quantity=100.0, trade_id="T1")
    with pytest.raises(tg.InputError, match="trade_id"):
        tg.Book(named) + named


def test_a_book_is_seen_as_a_table_and_as_pandas() -> None:
    book = tg.Book([ONE, TWO])
    assert repr(book) == "Book(1 forward, 1 average)"
    assert "trades (2 rows)" in book._repr_html_()
    assert book.to_pandas()["trades"]["strike"].tolist() == [2.5, 2.6]


def test_what_is_no_trade_is_refused() -> None:
    with pytest.raises(tg.InputError, match="found int"):
        tg.Book([1])  # type: ignore[list-item]
    with pytest.raises(tg.InputError, match="a missing column"):
        tg.Book(pl.DataFrame({"trade_id": ["T"]}))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_saved_book_is_read_again(tmp_path: Path, suffix: str) -> None:
    book = tg.Book([ONE, TWO, tg.Call(index=INDEX, contract="2027-05", strike=2.6, lots=1, premium=50.0, pay_date="2027-04-20")])
    path = book.save(tmp_path / f"book.{suffix}")
    assert path == tmp_path / f"book.{suffix}"
    assert tg.Book(path).trades.equals(book.trades)
    with pytest.raises(tg.InputError, match="trade_id"):
        book + path  # names of a file are given, not made


def test_files_of_no_trades_and_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(tg.InputError, match=r"ends in \.csv or \.parquet"):
        tg.Book(ONE).save(tmp_path / "book.xlsx")
    (tmp_path / "book.csv").write_text("trade_id\nT\n", encoding="utf-8")
    with pytest.raises(tg.InputError, match="a missing column"):
        tg.Book(tmp_path / "book.csv")
