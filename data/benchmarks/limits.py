"""Limits on how long whoever waits may wait: each makes a workload of its own, which fewer results meet.

MLPerf Inference has its scenarios, MLPerf Training the longest time to train, ML.ENERGY the least tokens a second of a user, Gavel the
least steps a second of a job, ML.ENERGY for images the longest time of a batch. Without a limit the work may take as long as it takes.

Source of the scenarios' times: loadgen/mlperf.conf of github.com/mlcommons/inference, commit 001712e9daf8; time to the first token and time
per token of output, both at the 99th percentile.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenorgrid.data.benchmarks.mlperf_inference import SCENARIOS
from tenorgrid.data.benchmarks.mlperf_training import MINUTES
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import BenchmarkFormat

NONE = "none"
# the ladder that is taken where no limit is asked for, the loosest first
LADDERS: Mapping[BenchmarkFormat, tuple[str, ...]] = {
    BenchmarkFormat.MLPERF_INFERENCE: tuple(name.lower() for name in SCENARIOS),
    BenchmarkFormat.MLPERF_TRAINING: (NONE, "240", "60", "20", "5", "1"),
    BenchmarkFormat.ML_ENERGY: (NONE, "10", "20", "50", "100"),
    BenchmarkFormat.GAVEL: (NONE, "1", "10", "100"),
    BenchmarkFormat.ML_ENERGY_IMAGES: (NONE, "20", "10", "5", "3"),
}
UNITS: Mapping[BenchmarkFormat, tuple[str, str]] = {  # what ends a workload's name, and the words of the limit
    BenchmarkFormat.MLPERF_TRAINING: ("min", "at most {:g} minutes to train"),
    BenchmarkFormat.ML_ENERGY: ("tps", "at least {:g} tokens a second for each user"),
    BenchmarkFormat.GAVEL: ("sps", "at least {:g} steps a second of a job"),
    BenchmarkFormat.ML_ENERGY_IMAGES: ("s", "at most {:g} seconds to the images of a batch"),
}
LONGEST: Mapping[BenchmarkFormat, float] = {  # where a limit is the longest time: that time is this over the speed
    BenchmarkFormat.MLPERF_TRAINING: MINUTES,
    BenchmarkFormat.ML_ENERGY_IMAGES: 1.0,
}
FIRST_AND_EACH: Mapping[tuple[str, str], tuple[int, int]] = {  # ms to the first token, ms for each one after
    ("llama2-70b", "server"): (2000, 200),
    ("llama2-70b", "interactive"): (450, 40),
    ("mixtral-8x7b", "server"): (2000, 200),
    ("llama3.1-405b", "server"): (6000, 175),
    ("llama3.1-405b", "interactive"): (4500, 80),
    ("llama3.1-8b", "server"): (2000, 100),
    ("llama3.1-8b", "interactive"): (500, 30),
    ("deepseek-r1", "server"): (2000, 80),
    ("deepseek-r1", "interactive"): (1500, 15),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit: `suffix` of the workload's name, and the least `speed` (as `Measured` has it) that meets it."""

    suffix: str
    speed: float
    value: float | None = None

    def words(self, format: BenchmarkFormat, family: str) -> str | None:
        """The limit as a sentence has it; None where there is none.

        >>> Limit(suffix="server", speed=1.0).words(BenchmarkFormat.MLPERF_INFERENCE, "llama2-70b-99")
        'server scenario: first token within 2000 ms, then 200 ms a token'
        """
        if format in UNITS:
            return None if self.value is None else UNITS[format][1].format(self.value)
        for (model, scenario), (first, each) in FIRST_AND_EACH.items():
            if family.startswith(model) and scenario == self.suffix:
                return f"{scenario} scenario: first token within {first} ms, then {each} ms a token"
        return None if self.suffix == SCENARIOS[0].lower() else f"{self.suffix} scenario"


def limits(format: BenchmarkFormat, asked: Sequence[str] = ()) -> list[Limit]:
    """Limits from the loosest on.

    Args:
        format: of the benchmark.
        asked: scenarios; minutes; tokens a second of a user; steps a second of a job; seconds of a batch, by format. `none` is no limit.
            Empty is the format's own ladder.

    Raises `InputError` for what is no limit of the format.

    >>> [limit.suffix for limit in limits(BenchmarkFormat.MLPERF_TRAINING, ["20", "none"])]
    ['', '20min']
    """
    found = {limit.suffix: limit for limit in (_limit(format, text) for text in asked or LADDERS[format])}
    return sorted(found.values(), key=lambda limit: limit.speed)


def _limit(format: BenchmarkFormat, text: str) -> Limit:
    if format not in UNITS:
        names = LADDERS[format]
        if text.lower() not in names:
            raise InputError.of("limit", f"one of {', '.join(names)}", value=text)
        return Limit(suffix=text.lower(), speed=float(names.index(text.lower())))
    if text.lower() == NONE:
        return Limit(suffix="", speed=-math.inf)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 < value < math.inf):
        raise InputError.of("limit", f"{NONE}, or a number above 0: {UNITS[format][1].format(1).replace('1', 'so many', 1)}", value=text)
    speed = LONGEST[format] / value if format in LONGEST else value
    return Limit(suffix=f"{value:g}{UNITS[format][0]}", speed=speed * (1 - 1e-12), value=value)
