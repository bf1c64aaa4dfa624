"""Accelerators by our names, from the names that benchmarks give them, and the share of a host that each brings along.

Hosts are those of a published machine, divided by its accelerators. One that is not here is refused until a file of hosts says what it
brings along.

Sources:
    AWS P4, P5 and P6 product tables (aws.amazon.com/ec2/instance-types/p4, /p5, /p6), as of August 2026.
    AWS ECS, task definitions for GPU workloads: vCPU and memory of p3, g6, g6e. Their network: AWS G6, G6e and P3 product tables.
    Azure size pages: ND MI300X v5, NCv2, NCads H100 v5. Oracle compute shapes: BM.GPU.MI355X.8, BM.GPU.GB300.4.
    MLPerf Inference v5.0 system descriptions: 8xMI325X_2xEPYC_9575F, GH200-GraceHopper-Superchip_GH200-144GB_aarch64x2.
    Google Cloud, TPU v6e: ct6e-standard-8t, four NICs of 200 Gbit/s a host.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.benchmarked import Hosts
from tenorgrid.data.tables.door import checked, read_checked

LIKE_L40S = "by convention that of an L40S: AWS g6e.48xlarge"  # cards whose own machine is not published: a server with slots

# resource, names in benchmarks, scale-up domain, then one machine: accelerators, vCPU, GiB, Gbit/s; and what it is
MACHINES: tuple[tuple[str, str, int, tuple[int, float, float, float], str], ...] = (
    ("a100-sxm", "NVIDIA A100-SXM-80GB;A100-SXM4-80GB", 8, (8, 96, 1152, 400), "AWS p4de.24xlarge"),
    ("b200-sxm", "NVIDIA B200-SXM-180GB;NVIDIA Blackwell GPU (B200-SXM-180GB);B200", 8, (8, 192, 2048, 3200), "AWS p6-b200.48xlarge"),
    ("b300-sxm", "NVIDIA B300-SXM-270GB;NVIDIA B300-SXM-288GB;B300", 8, (8, 192, 4096, 6400), "AWS p6-b300.48xlarge"),
    ("gb200-nvl72", "NVIDIA GB200;NVIDIA Blackwell GPU (GB200)", 72, (72, 2592, 17280, 28800), "AWS u-p6e-gb200x72"),
    ("gb300-nvl72", "NVIDIA GB300", 72, (4, 144, 960, 3200), "Oracle BM.GPU.GB300.4; network 800 Gbit/s a GPU as Azure ND GB300 v6"),
    ("gh200", "NVIDIA GH200 Grace Hopper Superchip 144GB", 2, (2, 144, 960, 400), "MLPerf system GH200-144GB_aarch64x2"),
    ("h100-nvl", "NVIDIA H100-NVL-94GB", 2, (2, 80, 640, 80), "Azure NC80adis_H100_v5"),
    ("h100-sxm", "NVIDIA H100-SXM-80GB;NVIDIA H100-SXM5-80GB", 8, (8, 192, 2048, 3200), "AWS p5.48xlarge"),
    ("h200-nvl", "NVIDIA H200-NVL-141GB", 4, (2, 80, 640, 80), "by convention that of an H100 NVL: Azure NC80adis_H100_v5"),
    (
        "h200-sxm", "NVIDIA H200-SXM-141GB;NVIDIA H200-SXM5-141GB;Virtualized NVIDIA H200-SXM-141GB;H200", 8,
        (8, 192, 2048, 3200), "AWS p5en.48xlarge",
    ),
    ("k80", "NVIDIA Tesla K80", 1, (16, 64, 732, 20), "AWS p2.16xlarge"),
    ("l4", "NVIDIA L4-PCIe-24GB", 1, (8, 192, 768, 100), "AWS g6.48xlarge"),
    ("l40s", "NVIDIA L40S", 1, (8, 192, 1536, 400), "AWS g6e.48xlarge"),
    ("mi300x", "AMD Instinct MI300X 192GB HBM3", 8, (8, 96, 1850, 3200), "Azure ND96isr_MI300X_v5; network that of an MI355X"),
    (
        "mi325x", "AMD Instinct MI325X 256GB HBM3e;AMD Instinct MI325X 256GB HBM3E DLC", 8,
        (8, 256, 2304, 3200), "MLPerf system 8xMI325X_2xEPYC_9575F; network that of an MI355X",
    ),
    ("mi355x", "AMD Instinct MI355X 288GB HBM3e", 8, (8, 256, 3072, 3200), "Oracle BM.GPU.MI355X.8"),
    ("p100", "NVIDIA Tesla P100", 1, (4, 24, 448, 12.5), "Azure NC24rs_v2; network that of a V100"),
    ("rtx-pro-6000", "NVIDIA RTX PRO 6000 Blackwell Server Edition", 1, (8, 192, 2048, 1600), "AWS g7e.48xlarge"),
    ("tpu-v6e", "TPU-trillium", 256, (8, 180, 1440, 800), "Google ct6e-standard-8t"),
    ("v100", "NVIDIA Tesla V100", 8, (8, 64, 488, 25), "AWS p3.16xlarge"),
    ("arc-pro-b60", "[MAXSUN] MS-Intel Arc Pro B60 Dual 48G Turbo", 1, (8, 192, 1536, 400), LIKE_L40S),
    ("rtx-4090", "NVIDIA GeForce RTX 4090", 1, (8, 192, 1536, 400), LIKE_L40S),
    ("rtx-a5000", "NVIDIA RTX A5000", 1, (8, 192, 1536, 400), LIKE_L40S),
    ("rx-7900-xtx", "AMD Radeon RX 7900 XTX", 1, (8, 192, 1536, 400), LIKE_L40S),
)  # fmt: skip

AUXILIARY = ("vcpu", "ram_gib", "net_gbps")
_PART = re.compile(r"([^,]+?)\s*\(x(\d+)\)(?:,|$)")
_MIXED = re.compile(rf"(?:{_PART.pattern})+")


def hosts(file: Path | None = None) -> pl.DataFrame:
    """`Hosts`: the accelerators that are known, with the rows of `file` put in the place of ours or added to them.

    Args:
        file: CSV or Parquet in the columns of `Hosts`; a new chip enters by a row here.

    Raises `InputError` with every fault, also where one name would mean two accelerators.

    >>> hosts().filter(resource="h100-sxm").select("vcpu", "ram_gib", "net_gbps").row(0)
    (24.0, 256.0, 400.0)
    """
    rows = [
        (resource, called, scale_up, vcpu / count, ram / count, net / count, source)
        for resource, called, scale_up, (count, vcpu, ram, net), source in MACHINES
    ]
    ours = pl.DataFrame(rows, schema=list(Hosts.columns()), orient="row")
    name = "hosts" if file is None else file.name
    if file is not None:
        theirs, faults = read_checked(file, Hosts, empty=False)
        if faults:
            raise InputError(faults)
        ours = pl.concat([ours.filter(~pl.col("resource").is_in(theirs["resource"].implode())), theirs.cast(ours.schema)])
    book = checked(ours.sort("resource"), Hosts, name=name)
    names(book, file=name)
    return book


def names(book: pl.DataFrame, *, file: str = "hosts") -> dict[str, str]:
    """Our name of every name in `Hosts`, its own included, both in lower case with single blanks.

    Raises `InputError` where one name means two accelerators.
    """
    found: dict[str, str] = {}
    for resource, called in book.select("resource", "also_called").iter_rows():
        for given in [resource, *(called or "").split(";")]:
            if not (key := _key(given)):
                continue
            if found.setdefault(key, resource) != resource:
                raise InputError.of(file, f"a name of one accelerator, as {found[key]} has it too", column="also_called", value=given)
    return found


def bundle(sku: str, count: int, known: Mapping[str, str]) -> str | None:
    """The accelerators that a benchmark's own name and number mean, as `name:count` joined by `;`; None where that cannot be told.

    Args:
        sku: one name, or several with their numbers, as in "A (x32), B (x16)".
        count: accelerators in all; the numbers of several must add up to it.
        known: what `names` returns.

    >>> known = {"nvidia l40s": "l40s", "nvidia l4-pcie-24gb": "l4"}
    >>> bundle("NVIDIA L40S", 8, known), bundle("NVIDIA L40S (x4), NVIDIA L4-PCIe-24GB (x4)", 8, known), bundle("NVIDIA L40", 8, known)
    ('l40s:8', 'l4:4;l40s:4', None)
    """
    if (plain := known.get(_key(sku))) is not None:
        return f"{plain}:{count}"
    if not _MIXED.fullmatch(sku):
        return None
    counts: dict[str, int] = {}
    for given, number in _PART.findall(sku):
        if (name := known.get(_key(given))) is None:
            return None
        counts[name] = counts.get(name, 0) + int(number)
    return ";".join(f"{name}:{counts[name]}" for name in sorted(counts)) if sum(counts.values()) == count else None


def counts(resources: str) -> dict[str, int]:
    """Accelerators and how many of each, of what `bundle` returns.

    >>> counts("l4:4;l40s:4")
    {'l4': 4, 'l40s': 4}
    """
    return {name: int(number) for name, _, number in (part.rpartition(":") for part in resources.split(";"))}


def _key(name: str) -> str:
    return " ".join(name.split()).lower()
