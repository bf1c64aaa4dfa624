"""Published figures in the layouts of their benchmarks, few enough to be cited one by one.

Sources:
    ml-energy.csv: github.com/ml-energy/leaderboard, public/data/tasks/lm-arena-chat.json and gpqa.json, commit 0cd52dab897c (2026-02-27).
        Of Llama 3.1 70B (dense) and gpt-oss-120b (mixture of experts) on H100 and B200 the results that do the most work of one
        accelerator at 0, 10, 20, 30 and 50 tokens a second for each user.
    ml-energy-images.csv: the same repository, public/data/models/stabilityai__stable-diffusion-3.5-large__text-to-image.json, commit
        0ea52b6a219f. Of Stable Diffusion 3.5 Large, a diffusion transformer, results that no others dominate at some latency, rounded
        to ten decimals.
"""

from importlib.resources import as_file, files
from pathlib import Path

from tenorgrid.data.errors import InputError

SUFFIX = ".csv"


def cited() -> tuple[str, ...]:
    """Names of the files.

    >>> cited()
    ('ml-energy', 'ml-energy-images')
    """
    return tuple(sorted(entry.name.removesuffix(SUFFIX) for entry in files(__name__).iterdir() if entry.name.endswith(SUFFIX)))


def cited_file(name: str) -> Path:
    """The file of cited figures, to be read like any other of its layout. Raises `InputError` for an unknown name."""
    if name not in cited():
        raise InputError.of("figures", f"one of {', '.join(cited())}", value=name)
    with as_file(files(__name__) / f"{name}{SUFFIX}") as path:
        return path
