"""Accelerators: names, bundles of several kinds, hosts and the file that overrides them."""

from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.benchmarks.accelerators import MACHINES, bundle, counts, hosts, names
from tenorgrid.data.errors import InputError

HEADER = "resource,also_called,scale_up,vcpu,ram_gib,net_gbps,source\n"


def written(folder: Path, *rows: str) -> Path:
    path = folder / "chips.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


def test_a_host_is_a_published_machine_divided_by_its_accelerators() -> None:
    rows = {row["resource"]: row for row in hosts().iter_rows(named=True)}
    h100, rack = rows["h100-sxm"], rows["gb200-nvl72"]
    assert (h100["vcpu"], h100["ram_gib"], h100["net_gbps"], h100["scale_up"]) == (24.0, 256.0, 400.0, 8)  # 192 / 8, 2048 / 8, 3200 / 8
    assert (rack["vcpu"], rack["ram_gib"], rack["net_gbps"], rack["scale_up"]) == (36.0, 240.0, 400.0, 72)  # 2592, 17280, 28800 over 72
    for resource, _, _, (count, vcpu, _, _), source in MACHINES:
        assert rows[resource]["vcpu"] * count == pytest.approx(vcpu, rel=1e-12)
        assert source


@pytest.mark.parametrize(
    ("sku", "resource"),
    [
        ("NVIDIA H100-SXM5-80GB", "h100-sxm"),
        ("Virtualized NVIDIA H200-SXM-141GB", "h200-sxm"),
        ("NVIDIA Blackwell GPU (B200-SXM-180GB)", "b200-sxm"),
        ("NVIDIA Blackwell GPU (GB200)", "gb200-nvl72"),
        ("AMD Instinct MI325X 256GB HBM3E DLC", "mi325x"),
        ("  amd  instinct MI300X 192GB hbm3 ", "mi300x"),
        ("mi300x", "mi300x"),
    ],
)
def test_every_name_of_an_accelerator_is_ours(sku: str, resource: str) -> None:
    assert bundle(sku, 8, names(hosts())) == f"{resource}:8"


def test_a_system_of_two_kinds_is_a_bundle_of_both() -> None:
    sku = "AMD Instinct MI325X 256GB HBM3E (x16), AMD Instinct MI300X 192GB HBM3 (x8)"
    assert counts(bundle(sku, 24, names(hosts())) or "") == {"mi300x": 8, "mi325x": 16}


@pytest.mark.parametrize(
    ("sku", "count"),
    [
        ("H100", 8),  # PCIe, SXM or NVL
        ("NVIDIA B200", 0),
        ("NVIDIA L40S (x4), NVIDIA L4-PCIe-24GB (x3)", 8),  # seven, not eight
        ("NVIDIA L40S (x4), NVIDIA L4-PCIe-24GB (x5)", 8),  # nine
        ("NVIDIA L40S (x4), something else (x4)", 8),
        ("NVIDIA L40S (x4) and more", 4),
        ("NVIDIA L40S, NVIDIA L4-PCIe-24GB", 8),
        ("", 8),
    ],
)
def test_what_cannot_be_told_is_not_guessed(sku: str, count: int) -> None:
    assert bundle(sku, count, names(hosts())) is None


def test_a_file_puts_its_rows_in_the_place_of_ours_and_adds_new_chips(tmp_path: Path) -> None:
    book = hosts(written(tmp_path, "h100-sxm,NVIDIA H100-SXM-80GB,8,12,128,25,ours", "zx9,ZX-9 Ultra;ZX9,16,8,64,100,"))
    rows = {row["resource"]: row for row in book.iter_rows(named=True)}
    assert rows["h100-sxm"]["vcpu"] == 12.0
    assert rows["zx9"]["scale_up"] == 16
    assert bundle("zx-9 ultra", 4, names(book)) == "zx9:4"
    assert book.height == hosts().height + 1
    assert (
        book.drop("source")
        .filter(~pl.col("resource").is_in(["h100-sxm", "zx9"]))
        .equals(hosts().drop("source").filter(pl.col("resource") != "h100-sxm"))
    )


def test_one_name_for_two_accelerators_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"chips\.csv, column also_called: found NVIDIA L40S, expected a name of one accelerator, as l40s has it too"
    ):
        hosts(written(tmp_path, "zx9,NVIDIA L40S,1,8,64,100,"))


def test_every_fault_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        hosts(written(tmp_path, "zx9,,0,8,64,100,", "zx8,,1,-8,many,100,"))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(1, "scale_up"), (2, "vcpu"), (2, "ram_gib")]
