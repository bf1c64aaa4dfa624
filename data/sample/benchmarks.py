"""Published benchmark figures, cited line by line, and the recipes made from them.

A figure says that a system of `gpus` accelerators reached `value` (tokens a second, or minutes to the benchmark's target). Hosts (vCPU,
memory, network per accelerator) are a convention of this market, not part of the citation.

Sources:
    MLPerf Inference v5.1, closed division, datacenter: github.com/mlcommons/inference_results_v5.1, summary_results.json,
    commit 965182b03376 (2025-09-09).
    MLPerf Training v5.0, closed division: github.com/mlcommons/training_results_v5.0, result logs, commit 0fdc28f01325 (2025-05-30);
    minutes are the mean of the runs without the best and the worst, times the reference-convergence scaling.
    TensorRT-LLM v0.6.1: github.com/NVIDIA/TensorRT-LLM, docs/source/performance.md, commit 138f96d45f90.
    TensorRT-LLM v1.0: github.com/NVIDIA/TensorRT-LLM, docs/source/performance/perf-overview.md, commit 00f37686aa85.
"""

from dataclasses import dataclass
from typing import Literal

import polars as pl

INFERENCE = "MLPerf Inference v5.1"
TRAINING = "MLPerf Training v5.0"
TRT_06 = "TensorRT-LLM v0.6.1"
TRT_10 = "TensorRT-LLM v1.0"

Measure = Literal["output tokens/s", "minutes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One published result: `gpus` of `resource` reached `value` on the benchmark; `entry` finds it in its source."""

    workload: str
    resource: str
    gpus: int
    value: float
    measure: Measure
    source: str
    entry: str

    @property
    def per_gpu_hour(self) -> float:
        """Tokens of output, or shares of a whole training, that one accelerator makes in an hour."""
        return self.value * 3600 / self.gpus if self.measure == "output tokens/s" else 60 / (self.value * self.gpus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One workload: how its figures become units of work, and what its hosts need for each accelerator."""

    workload: str
    class_: str
    unit: str
    units_per_measured: float  # units of work per token of output, or per whole training
    egress_gib_per_gpu_hour: float  # data that leaves home with the work of one H100-hour
    vcpu: float
    ram_gib: float
    net_gbps: float


TOKENS, PROMPT, RUN = 1e-6, 16e-6, 1e3
# A prompt of 2,048 tokens with 128 of output: 16 tokens read for each written. In RL, rollouts take as many GPU-hours as the updates that
# learn from them.
ROLLOUT = 0.5e-6

KINDS = (
    Kind(
        workload="llama2-70b-decode",
        class_="decode",
        unit="1e6 output tokens",
        units_per_measured=TOKENS,
        egress_gib_per_gpu_hour=2.0,
        vcpu=12,
        ram_gib=128,
        net_gbps=25,
    ),
    Kind(
        workload="llama-7b-decode",
        class_="decode",
        unit="1e6 output tokens",
        units_per_measured=TOKENS,
        egress_gib_per_gpu_hour=2.0,
        vcpu=12,
        ram_gib=96,
        net_gbps=25,
    ),
    Kind(
        workload="llama3.3-70b-prefill",
        class_="prefill",
        unit="1e6 prompt tokens",
        units_per_measured=PROMPT,
        egress_gib_per_gpu_hour=3.0,
        vcpu=16,
        ram_gib=160,
        net_gbps=50,
    ),
    Kind(
        workload="llama-7b-prefill",
        class_="prefill",
        unit="1e6 prompt tokens",
        units_per_measured=PROMPT,
        egress_gib_per_gpu_hour=3.0,
        vcpu=16,
        ram_gib=96,
        net_gbps=50,
    ),
    Kind(
        workload="llama3.1-405b-pretrain",
        class_="pre-training",
        unit="0.001 training",
        units_per_measured=RUN,
        egress_gib_per_gpu_hour=1.0,
        vcpu=14,
        ram_gib=192,
        net_gbps=400,
    ),
    Kind(
        workload="stable-diffusion-pretrain",
        class_="pre-training",
        unit="0.001 training",
        units_per_measured=RUN,
        egress_gib_per_gpu_hour=2.5,
        vcpu=20,
        ram_gib=192,
        net_gbps=200,
    ),
    Kind(
        workload="llama2-70b-lora",
        class_="post-training",
        unit="0.001 training",
        units_per_measured=RUN,
        egress_gib_per_gpu_hour=1.5,
        vcpu=12,
        ram_gib=192,
        net_gbps=200,
    ),
    Kind(
        workload="llama3.1-8b-rl",
        class_="post-training",
        unit="1e6 rollout tokens",
        units_per_measured=ROLLOUT,
        egress_gib_per_gpu_hour=1.5,
        vcpu=64,
        ram_gib=256,
        net_gbps=100,
    ),
)


def _figures(workload: str, measure: Measure, source: str, *rows: tuple[str, int, float, str]) -> tuple[Figure, ...]:
    return tuple(
        Figure(workload=workload, resource=resource, gpus=gpus, value=value, measure=measure, source=source, entry=entry)
        for resource, gpus, value, entry in rows
    )


FIGURES = (
    *_figures(
        "llama2-70b-decode",
        "output tokens/s",
        INFERENCE,
        ("h100-sxm", 16, 61101.3, "5.1-0015, Cisco, HGX-H100_H100-SXM-80GBx16_TRT, llama2-70b-99, Server"),
        ("h200-sxm", 8, 34193.8, "5.1-0007, ASUSTeK, ESC_N8_H200-SXM-141GBx8_TRT, llama2-70b-99, Server"),
        ("mi300x", 8, 24593.8, "5.1-0001, AMD, 8xMI300X_2xEPYC_9575F, llama2-70b-99, Server"),
        ("b200-sxm", 8, 99139.2, "5.1-0024, Dell, XE9680L_B200_SXM_180GBx8_TRT, llama2-70b-99, Server"),
        ("gb200-nvl72", 4, 49359.6, "5.1-0070, NVIDIA, GB200-NVL72_GB200-186GB_aarch64x4_TRT, llama2-70b-99, Server"),
    ),
    *_figures(
        "llama-7b-decode",
        "output tokens/s",
        TRT_06,
        ("a100-sxm", 1, 1928, "A100 GPUs (FP16), LLaMA 7B, batch 60, TP 1, input 128, output 2048"),
        ("h100-sxm", 1, 6818, "H100 GPUs (FP8), LLaMA 7B, batch 112, TP 1, input 128, output 2048"),
    ),
    *_figures(
        "llama3.3-70b-prefill",
        "output tokens/s",
        TRT_10,
        ("h100-sxm", 2, 762, "Llama 3.3 70B, 2048/128, H100 TP2 (FP8)"),
        ("h200-sxm", 1, 442, "Llama 3.3 70B, 2048/128, H200 TP1 (FP8)"),
        ("b200-sxm", 1, 1339, "Llama 3.3 70B, 2048/128, B200 TP1 (FP4)"),
        ("gb200-nvl72", 1, 1450, "Llama 3.3 70B, 2048/128, GB200 TP1 (FP4)"),
    ),
    *_figures(
        "llama-7b-prefill",
        "output tokens/s",
        TRT_06,
        ("a100-sxm", 1, 591, "A100 GPUs (FP16), LLaMA 7B, batch 52, TP 1, input 2048, output 128"),
        ("h100-sxm", 1, 2244, "H100 GPUs (FP8), LLaMA 7B, batch 80, TP 1, input 2048, output 128"),
    ),
    *_figures(
        "llama3.1-405b-pretrain",
        "minutes",
        TRAINING,
        ("h100-sxm", 512, 269.12157, "NVIDIA, eos-dfw_n64_ngc25.01_nemo, llama31_405b"),
        ("h200-sxm", 512, 244.59437, "Nebius, nebius_soperator_8xH200_n64_ngc25.01_nemo, llama31_405b"),
        ("gb200-nvl72", 512, 121.75733, "NVIDIA, tyche_ngpu512_ngc25.04_nemo, llama31_405b"),
    ),
    *_figures(
        "stable-diffusion-pretrain",
        "minutes",
        TRAINING,
        ("h200-sxm", 8, 29.49408, "ASUSTeK, ESC_N8_E11, stable_diffusion"),
        ("b200-sxm", 8, 14.01867, "Dell, 1xXE9680Lx8B200-SXM-180GB, stable_diffusion"),
        ("gb200-nvl72", 4, 25.43057, "Dell, 1xXE9712x4GB200, stable_diffusion"),
    ),
    *_figures(
        "llama2-70b-lora",
        "minutes",
        TRAINING,
        ("h100-sxm", 64, 4.55567, "SCITIX, scitix_n8_ngc24.09_nemo, llama2_70b_lora"),
        ("h200-sxm", 8, 23.36872, "Dell, XE9680x8H200-SXM-141GB, llama2_70b_lora"),
        ("mi300x", 8, 29.25021, "AMD, MI300X_EPYC_9575F_pytorch, llama2_70b_lora"),
        ("b200-sxm", 8, 11.26538, "GigaComputing, G893-SD1_pytorch, llama2_70b_lora"),
        ("gb200-nvl72", 8, 10.99633, "Oracle, 2xBM.GPU.GB200.4, llama2_70b_lora"),
    ),
    *_figures(
        "llama3.1-8b-rl",
        "output tokens/s",
        INFERENCE,
        ("h100-sxm", 1, 5777.08, "5.1-0083, RedHat, XE8640_4xH100_vLLM, llama3.1-8b, Offline"),
        ("h200-sxm", 8, 58304.3, "5.1-0014, Cisco, C885_H200x8_TRT, llama3.1-8b, Offline"),
        ("b200-sxm", 8, 143309.0, "5.1-0024, Dell, XE9680L_B200_SXM_180GBx8_TRT, llama3.1-8b, Offline"),
    ),
)

NODE = {"gb200-nvl72": 72}  # accelerators of one recipe; 8 elsewhere

# One GPU-hour in H100-hours: what the market's cost curves and demand are scaled by, rounded from the figures above (H100 = 1).
RELATIVE = {"a100-sxm": 0.25, "h100-sxm": 1.0, "h200-sxm": 1.18, "mi300x": 0.86, "b200-sxm": 3.55, "gb200-nvl72": 3.6}
ACCELERATORS = tuple(RELATIVE)


def h100_hours(workload: str) -> float:
    """H100-hours (or the equal of them) in one unit of work: the geometric mean over the workload's recipes.

    >>> round(h100_hours("llama3.1-405b-pretrain"), 2)
    2.77
    """
    kind = next(kind for kind in KINDS if kind.workload == workload)
    found = [
        RELATIVE[figure.resource] / (figure.per_gpu_hour * kind.units_per_measured) for figure in FIGURES if figure.workload == workload
    ]
    product = 1.0
    for hours in found:
        product *= hours
    return float(product ** (1 / len(found)))


def workload_table() -> pl.DataFrame:
    """`Workloads`: data moved per unit follows from the H100-hours in it."""
    return pl.DataFrame(
        [(kind.workload, kind.class_, kind.unit, round(kind.egress_gib_per_gpu_hour * h100_hours(kind.workload), 6)) for kind in KINDS],
        schema=["workload", "class", "unit", "egress_gib_per_unit"],
        orient="row",
    )


def recipe_tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    """`Recipes` and `RecipeResources`: one recipe per figure, on a node of 8 accelerators or a rack of 72.

    A faster accelerator's host works harder: host resources grow with the square root of what the accelerator does, against an H100's.
    """
    kinds = {kind.workload: kind for kind in KINDS}
    recipes, resources = [], []
    for figure in FIGURES:
        kind, node = kinds[figure.workload], NODE.get(figure.resource, 8)
        name = f"{figure.resource}-x{node}"
        recipes.append((figure.workload, name, figure.per_gpu_hour * kind.units_per_measured * node))
        host = RELATIVE[figure.resource] ** 0.5
        used = {figure.resource: 1.0, "vcpu": host * kind.vcpu, "ram_gib": host * kind.ram_gib, "net_gbps": host * kind.net_gbps}
        resources += [(figure.workload, name, resource, round(amount * node, 3)) for resource, amount in used.items()]
    return (
        pl.DataFrame(recipes, schema=["workload", "recipe", "output_per_hour"], orient="row"),
        pl.DataFrame(resources, schema=["workload", "recipe", "resource", "per_hour"], orient="row"),
    )
