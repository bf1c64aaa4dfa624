"""Numbers in a sentence: enough digits to tell prices apart, and parts that add up as they are written."""

from collections.abc import Sequence
from math import floor, log10

LEAST, MOST, SIGNIFICANT = 4, 10, 4  # digits after the point, and digits that say anything


def digits(price: float) -> int:
    """Digits after the point that a price is written with.

    >>> digits(2.61), digits(0.000649)
    (4, 7)
    """
    if price == 0.0:
        return LEAST
    return min(max(LEAST, SIGNIFICANT - 1 - floor(log10(abs(price)))), MOST)


def rounded(parts: Sequence[float], whole: float, *, places: int) -> list[float]:
    """Parts rounded so that they add up to the rounded whole: those that lose most by rounding take what is left.

    >>> rounded([1.00006, 1.00002, 0.0], 2.00008, places=4)
    [1.0001, 1.0, 0.0]
    """
    unit = 10**places
    scaled = [part * unit for part in parts]
    down = [floor(part) for part in scaled]
    missing = round(whole * unit) - sum(down)
    order = sorted(range(len(parts)), key=lambda at: (down[at] - scaled[at], at))
    for turn in range(abs(missing)):
        down[order[turn % len(order)] if missing > 0 else order[-1 - turn % len(order)]] += 1 if missing > 0 else -1
    return [part / unit for part in down]


def written(value: float, *, places: int) -> str:
    """A number with a true minus sign, and no negative zero.

    >>> written(-0.5, places=2), written(-0.0001, places=2)
    ('−0.50', '0.00')
    """
    text = f"{abs(value):,.{places}f}"
    return f"−{text}" if value < 0 and any(digit in text for digit in "123456789") else text


def summed(parts: Sequence[tuple[str, float]], whole: float, *, places: int) -> str:
    """Parts as a sum in words: the first as it is, the others with their sign; parts that round to nothing are left out.

    >>> summed([("offer o-17 at", 2.31), ("scarcity", 0.3), ("domain", 0.0)], 2.61, places=2)
    'offer o-17 at 2.31 + scarcity 0.30'
    """
    figures = rounded([amount for _, amount in parts], whole, places=places)
    text = ""
    for at, ((name, amount), figure) in enumerate(zip(parts, figures, strict=True)):
        if at == 0:
            text = f"{name} {written(figure, places=places)}"
        elif figure != 0.0 or abs(amount) > 10.0**-places:
            text += f" {'−' if figure < 0 else '+'} {name} {written(abs(figure), places=places)}"
    return text
