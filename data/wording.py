"""Sentences about numbers of things."""


def counted(count: int, noun: str) -> str:
    """A number of things, with their noun in the number that it takes.

    >>> counted(1, "horizon"), counted(2400, "trade")
    ('1 horizon', '2,400 trades')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
