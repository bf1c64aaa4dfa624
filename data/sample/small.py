"""The packaged market over three days, committed as a case folder that a reader can open: the weekend on which American clocks go forward.

python -m tenorgrid.data.sample.small     writes the folder again after the generator has changed
"""

from datetime import date
from pathlib import Path

from tenorgrid.data.case import write_case
from tenorgrid.data.sample.market import SEED, PackagedMarket, packaged_market

SMALL = Path(__file__).parent / "three-days"
FIRST_SMALL, END_SMALL = date(2027, 3, 13), date(2027, 3, 16)
AS_OF_SMALL = END_SMALL


def small_market() -> PackagedMarket:
    """The market whose case is committed.

    >>> small_market().case.bids["horizon"].n_unique()
    4
    """
    return packaged_market(seed=SEED, first=FIRST_SMALL, end=END_SMALL, as_of=AS_OF_SMALL)


if __name__ == "__main__":
    write_case(small_market().case, SMALL, form="parquet", seed=SEED, command="tenorgrid.data.sample.small")
