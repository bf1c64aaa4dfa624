"""Which of many like tests run in the quick loop; the others are slow twins."""

from collections.abc import Iterable
from typing import Any

import pytest


def few(values: Iterable[Any], *, every: int = 2) -> list[Any]:
    """All of these as parameters: one of `every` in the quick loop, the rest marked slow. A tuple is several arguments."""
    return [
        value if number % every == 0 else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
        for number, value in enumerate(values)
    ]
