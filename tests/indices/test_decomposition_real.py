"""Why real indices differ: two shipped methods on 28 April 2026, and two versions of CCIR's rule on the window ending 5 March."""

from datetime import date
from pathlib import Path

import pytest

from tenorgrid.data.readers.formats import read_observations
from tenorgrid.indices.decomposition.split import split
from tenorgrid.indices.marks import mark

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
DAILY, LISTINGS = SHARED / "gpu_prices_daily_multiprovider.csv.gz", SHARED / "ccir_vast_listings_us.csv.gz"


@pytest.mark.skipif(not LISTINGS.exists(), reason="needs the listings published by CCIR")
@pytest.mark.parametrize("turned", [False, True])
def test_two_versions_of_ccir_are_one_parameter_apart(turned: bool) -> None:
    """1.6021 was published under 1.1.0; 1.1.1 lets in the two days of 8 listings."""
    seen = read_observations(LISTINGS)
    versions = ("ccir-1.1.1", "ccir-1.1.0") if turned else ("ccir-1.1.0", "ccir-1.1.1")
    found = split(seen, methodology=versions[0], against=versions[1], when=date(2026, 3, 5), index="H100-SXM.US.FIRM")
    prints = (found.other, found.one) if turned else (found.one, found.other)
    assert [end.value for end in prints] == [1.6021, 1.8676]
    (share,) = found.shares
    assert (share.rules, share.keys) == (("filter too few",), ("levels[1].filters[1].at_least",))
    assert share.value == share.lowest == share.highest == found.size
    assert [idle.rule for idle in found.idle] == ["titles"]


@pytest.mark.slow
@pytest.mark.skipif(not DAILY.exists(), reason="needs the daily prices of many providers")
def test_house_and_gpu_markets_like_on_28_april() -> None:
    """The outlier filter pulls one way; the cut-off, which shows one of them the day before, pulls either way."""
    seen = read_observations(DAILY)
    day, index = date(2026, 4, 28), "H100-SXM.GLOBAL.FIRM"
    found = split(seen, methodology="house", against="gpu-markets-like", when=day, index=index)
    for name, end in (("house", found.one), ("gpu-markets-like", found.other)):
        run = mark(seen, methodology=name, first=day, end=date(2026, 4, 29), indices=[index]).marks
        assert run["value"].to_list() == [end.value]
    told = {share.name: share for share in found.shares}
    assert sum(share.value for share in found.shares) == pytest.approx(found.size, abs=1e-9)
    assert max(told.values(), key=lambda share: abs(share.value)).name == "filter mad"
    assert told["filter mad"].lowest > 0
    assert told["clock"].turns
    assert [told[name].value for name in ("fallback", "sufficiency")] == [0.0, 0.0]
