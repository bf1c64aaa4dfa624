"""Refusing the arguments of a kernel, all faults at once."""

from tenorgrid.data.errors import Fault, InputError

Rule = tuple[str, object, str, bool]  # column, value found, what was expected, whether it holds


def refuse(file: str, *rules: Rule) -> None:
    """Raise `InputError` with every rule that does not hold.

    >>> refuse("swing", ("maximum", -1, "at least 0", False), ("minimum", 0, "at least 0", True))
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: swing, column maximum: found -1, expected at least 0
    """
    faults = [Fault(file=file, column=column, value=str(value), expected=expected) for column, value, expected, good in rules if not good]
    if faults:
        raise InputError(faults)
