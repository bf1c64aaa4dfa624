"""Baskets of workloads as TOML: what is read, and what is refused."""

from pathlib import Path

import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import FamilyShares, WorkClass
from tenorgrid.indices.workloads.file import load_workloads
from tenorgrid.indices.workloads.recipes import recipes_of

BASKET = """
name = "small"
source = "a test"
decimals = 6
rounding = "half-even"

[marks]
methodology = "house"
low_confidence = "use"
carried = "use"
leaving_days = 2

[auxiliary]
vcpu = 0.01
ram_gib = 0.0
net_gbps = 0.0

[figures.serving]
shipped = "ml-energy"

[homes.US]
US = 0.0
EU = 0.05

[[workloads]]
index = "LLAMA-20TPS"
class = "decode"
architecture = "dense"
figures = "serving"
model = "llama-3.1-70b-instruct-lm-arena-chat"
limit = "20"
unit = "Mtok"
of = "1e6 output tokens"
work = 1.0
weight = 1.0

[[families]]
index = "DECODE"
class = "decode"
shares = "work"
"""


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = BASKET
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "small.toml"
    path.write_text(text)
    return path


def test_a_basket_is_read_whole(tmp_path: Path) -> None:
    found = load_workloads(written(tmp_path))
    assert (found.name, found.marks, found.leaving_days, found.auxiliary["vcpu"]) == ("small", "house", 2, 0.01)
    (workload,) = found.workloads
    assert (workload.kind, workload.limit, workload.work) == (WorkClass.DECODE, "20", 1.0)
    assert found.families[0].shares is FamilyShares.WORK
    assert dict(found.homes[0].places) == {"US": 0.0, "EU": 0.05}
    assert recipes_of(found)["LLAMA-20TPS"].limit == "at least 20 tokens a second for each user"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("decimals = 6", "decimals = 6\ncolour = 1", "found an unknown key, expected one of the keys"),
        ("leaving_days = 2", "leaving_days = 2\ncarry = 3", "found an unknown key"),
        ("weight = 1.0", "weight = 1.0\nshare = 1.0", "found an unknown key"),
        ('shares = "work"', 'shares = "work"\nbase = "first"', "found an unknown key"),
        ('shares = "work"', 'shares = "value"', "families[1].base"),
        ('shares = "work"', 'shares = "value"\nbase = "soon"', "found soon, expected first, or a day such as 2027-01-05"),
        ('shipped = "ml-energy"', 'shipped = "tea-leaves"', "found tea-leaves, expected one of packaged, ml-energy"),
        ('shipped = "ml-energy"', "", "either figures that come with the package, or a file"),
        ('figures = "serving"', 'figures = "elsewhere"', "found elsewhere, expected one of the tables under figures: serving"),
        ('index = "LLAMA-20TPS"', 'index = "llama.20tps"', "capital letters, digits and dashes"),
        ('index = "DECODE"', 'index = "LLAMA-20TPS"', "a name of its own for every index"),
        ("work = 1.0\n", "work = 0\n", "found 0.0, expected a number above 0"),
        ("vcpu = 0.01", "vcpu = -1", "found -1.0, expected a number of at least 0"),
        ('low_confidence = "use"', 'low_confidence = "maybe"', "found maybe, expected use or missing"),
        ('class = "decode"\narchitecture', 'class = "juggling"\narchitecture', "found juggling, expected one of prefill, decode"),
        ('class = "decode"\nshares', "shares", "a class, an architecture, or both"),
        ('class = "decode"\nshares', 'class = "prefill"\nshares', "a class or an architecture that some workload has"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_workloads(written(tmp_path, (old, new)))
    assert said in str(caught.value)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_workloads(written(tmp_path, ("decimals = 6", "decimals = 99"), ("work = 1.0\n", ""), ("vcpu = 0.01", "vcpu = -1")))
    assert len(caught.value.faults) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('limit = "20"', 'limit = "30"', "a name that ends with its limit, -30TPS"),
        ('limit = "20"', 'limit = "soon"', "none, or a number above 0"),
        ('limit = "20"', 'limit = "5000"', "a result of the models, accelerators and limits"),
        ("llama-3.1-70b-instruct-lm-arena-chat", "llama-3.1-70b", "a name that the benchmark has, such as"),
        ('of = "1e6 output tokens"', 'of = "1e6 prompt tokens"', "1e6 output tokens, as the figures of"),
        ("vcpu = 0.01\n", "", "USD per hour of vcpu, which recipes use"),
        ("vcpu = 0.01\n", "vcpu = 0.01\nvcpus = 0.01\n", "found vcpus, expected one of net_gbps, ram_gib, vcpu"),
    ],
)
def test_recipes_that_cannot_be_made_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        recipes_of(load_workloads(written(tmp_path, (old, new))))
    assert said in str(caught.value)


def test_a_price_per_unit_of_work_needs_one_unit(tmp_path: Path) -> None:
    more = '[[workloads]]\nindex = "B-20TPS"\nclass = "decode"\narchitecture = "moe"\nfigures = "serving"\nmodel = "gpt-oss-120b-gpqa"\n'
    more += 'limit = "20"\nunit = "ktok"\nof = "1e6 output tokens"\nwork = 0.001\nweight = 1.0\n\n[[families]]'
    with pytest.raises(InputError, match="found work of Mtok, ktok, expected value"):
        load_workloads(written(tmp_path, ("[[families]]", more)))


def test_names_and_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found nobody, expected one of house-work, or the path of a TOML file"):
        load_workloads("nobody")
    (tmp_path / "torn.toml").write_text("name = ")
    with pytest.raises(InputError, match="expected TOML in UTF-8"):
        load_workloads(tmp_path / "torn.toml")
    with pytest.raises(InputError, match="found images, expected figures of small: serving"):
        recipes_of(load_workloads(written(tmp_path)), {"images": tmp_path / "x.csv"})
