"""Sets of values of workloads and of the benchmarks their recipes are made of."""

from enum import StrEnum


class BenchmarkFormat(StrEnum):
    """Layouts of published benchmarks that recipes are made of."""

    MLPERF_INFERENCE = "mlperf-inference"
    MLPERF_TRAINING = "mlperf-training"
    ML_ENERGY = "ml-energy"
    ML_ENERGY_IMAGES = "ml-energy-images"
    GAVEL = "gavel"


class Architecture(StrEnum):
    """Kinds of models that workload indices tell apart."""

    DENSE = "dense"  # a transformer whose every weight works on every token
    MOE = "moe"  # a mixture of experts
    HYBRID = "hybrid"  # attention beside another way to remember
    DIFFUSION_TRANSFORMER = "diffusion-transformer"
    DIFFUSION_CONVOLUTION = "diffusion-convolution"  # a diffusion model around a convolutional network


class WorkClass(StrEnum):
    """Kinds of work that workload indices tell apart."""

    PREFILL = "prefill"
    DECODE = "decode"
    GENERATION = "generation"  # of images or video
    PRE_TRAINING = "pre-training"
    POST_TRAINING = "post-training"
    RL = "rl"  # rollouts and the updates that learn from them


class FamilyShares(StrEnum):
    """What the shares of a family of workload indices are of."""

    WORK = "work"  # of the work: a price of a unit of it
    VALUE = "value"  # of what it costs at the base: index points


class LeftOutReason(StrEnum):
    """Why no recipe was made of a row of a benchmark."""

    UNCLEAR = "unclear"  # its unit, its accelerator or their number cannot be told
    DID_NOT_RUN = "did not run"
    OPEN_DIVISION = "open division"  # another model than the benchmark's may have been run
    NOT_CHOSEN = "not chosen"  # another model, accelerator or limit was asked for
    DOMINATED = "dominated"
