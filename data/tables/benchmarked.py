"""Recipes from benchmarks: measurements in one form, the frontier drawn from them, and what was left out."""

import dataframely as dy

from tenorgrid.data.kinds.market import PriceKind
from tenorgrid.data.kinds.work import LeftOutReason
from tenorgrid.data.tables.cleared import USD_PER_RESOURCE_HOUR


class Hosts(dy.Schema):
    """What one accelerator brings along: its names, its scale-up domain and its share of a host."""

    resource = dy.String(primary_key=True, description="Our name of the accelerator")
    also_called = dy.String(nullable=True, description="Names that benchmarks give it, separated by `;`")
    scale_up = dy.Int64(min=1, description="Accelerators in its largest scale-up domain; 1 is none", metadata={"unit": "GPU"})
    vcpu = dy.Float64(min=0, description="Processors beside one accelerator", metadata={"unit": "vCPU/GPU"})
    ram_gib = dy.Float64(min=0, description="Memory of the host beside one accelerator", metadata={"unit": "GiB/GPU"})
    net_gbps = dy.Float64(min=0, description="Network beside one accelerator", metadata={"unit": "Gbit/s/GPU"})
    source = dy.String(nullable=True, description="Where the host is described")


class Measured(dy.Schema):
    """One published result: so many accelerators did so much work an hour, at such a speed for whoever waits."""

    row = dy.Int64(primary_key=True, min=1, description="Row of the benchmark file, 1 below its header")
    family = dy.String(description="What was run, without a limit on latency")
    class_ = dy.String(alias="class", description="Class of the work: decode, pre-training, ...")
    unit = dy.String(description="One unit of work")
    resources = dy.String(description="Accelerators and how many of each, as `name:count`, separated by `;`")
    gpus = dy.Int64(min=1, description="Accelerators in all", metadata={"unit": "GPU"})
    output_per_hour = dy.Float64(min_exclusive=0, description="Work done by all of them", metadata={"unit": "units/h"})
    speed = dy.Float64(description="What a limit is held against, the faster the larger; its unit is the format's")
    domain = dy.Int64(min=1, nullable=True, description="Scale-up domain that it was measured in; null is none", metadata={"unit": "GPU"})
    spread = dy.Bool(description="Whether the accelerators stood in different servers on purpose")
    entry = dy.String(description="What finds the result in its source")


class Frontier(dy.Schema):
    """Every result that meets a workload's limit: a recipe, or dominated by one."""

    workload = dy.String(primary_key=True, description="Workload: what is run, and the limit")
    row = dy.Int64(primary_key=True, min=1, description="Row of the benchmark file")
    family = dy.String(description="What is run, without the limit")
    limit = dy.String(nullable=True, description="The limit in words; null is none")
    recipe = dy.String(nullable=True, description="Recipe made of it; null where it is dominated")
    resources = dy.String(description="Accelerators and how many of each")
    gpus = dy.Int64(min=1, description="Accelerators in all", metadata={"unit": "GPU"})
    domain = dy.Int64(min=1, nullable=True, description="Scale-up domain that it needs; null is none", metadata={"unit": "GPU"})
    speed = dy.Float64(description="What the limit is held against, the faster the larger")
    output_per_hour = dy.Float64(min_exclusive=0, description="Work done by all of them", metadata={"unit": "units/h"})
    per_gpu = dy.Float64(min_exclusive=0, description="Work done by one of them", metadata={"unit": "units/GPUh"})
    dominated_by = dy.String(nullable=True, description="Recipes that do as much work with no more of anything, separated by `;`")
    entry = dy.String(description="What finds the result in its source")


class Scaling(dy.Schema):
    """Diminishing returns: the most work that one job has done on so many accelerators."""

    family = dy.String(primary_key=True, description="What is run")
    resources = dy.String(primary_key=True, description="Accelerator")
    spread = dy.Bool(primary_key=True, description="Whether the accelerators stood in different servers on purpose")
    gpus = dy.Int64(primary_key=True, min=1, description="Accelerators of the job", metadata={"unit": "GPU"})
    output_per_hour = dy.Float64(min_exclusive=0, description="Work of the job", metadata={"unit": "units/h"})
    efficiency = dy.Float64(description="Work of one accelerator against the smallest job's", metadata={"unit": "1"})
    marginal = dy.Float64(description="Work that each accelerator past the next smaller job adds", metadata={"unit": "units/GPUh"})
    envelope = dy.Float64(description="Least concave curve over the job's results, from nothing on", metadata={"unit": "units/h"})
    row = dy.Int64(min=1, description="Row of the benchmark file")


class LeftOut(dy.Schema):
    """Rows of the benchmark of which no recipe was made, and why."""

    row = dy.Int64(primary_key=True, min=1, description="Row of the benchmark file, 1 below its header")
    reason = dy.Enum(LeftOutReason, description="Why")
    column = dy.String(nullable=True, description="Column that the reason is in")
    value = dy.String(nullable=True, description="What was found")
    detail = dy.String(description="What was expected, or which recipe is as good")


class Worth(dy.Schema):
    """What one hour of an accelerator is worth at the prices of a run, whether anyone has offered it or not."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem the prices are the dual of")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    location = dy.String(primary_key=True, description="Where it would stand, and home of the work it would do")
    tier = dy.String(primary_key=True, description="Tier")
    resource = dy.String(primary_key=True, description="Accelerator")
    domain = dy.Int64(primary_key=True, min=1, description="Scale-up domain that it would stand in; 1 is none", metadata={"unit": "GPU"})
    worth = dy.Float64(description="(ω φ − Σ x λ of its hosts) / accelerators, by its best workload", metadata=USD_PER_RESOURCE_HOUR)
    workload = dy.String(description="The workload that it is worth the most in")
    recipe = dy.String(description="The recipe")
    price = dy.Float64(
        nullable=True, description="λ and the premium of the domain; null where it is not traded yet", metadata=USD_PER_RESOURCE_HOUR
    )
