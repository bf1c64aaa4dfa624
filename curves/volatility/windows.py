"""Over how many of its periods a methodology's mark averages, and the same methodology with a window of one."""

from typing import Any

from tenorgrid.data.errors import InputError
from tenorgrid.indices.methodology import Methodology, load, of_values, shipped, values_of

UNWINDOWED = " un-windowed"  # end of a methodology's name


def window_of(methodology: Methodology | str) -> int | None:
    """Periods in the window of a mark: 1 where it looks at its own period alone; None for a name that is not shipped.

    Raises `InputError` for a window that holds no whole number of periods.

    >>> window_of("ccir-1.1.1"), window_of("house"), window_of("my own")
    (7, 1, None)
    """
    if isinstance(methodology, str) and methodology not in shipped():
        return None
    rule = load(methodology)
    window, every = rule.window.length, rule.every.length
    if window <= every:
        return 1
    if window % every:
        raise InputError.of(rule.name, "a window of a whole number of periods", column="window", value=f"{rule.window} every {rule.every}")
    return window // every


def unwindowed(methodology: str) -> Methodology:
    """A shipped methodology with a window of one period: what each period's observations alone say.

    Days that a level asks for are lowered to one, as there is only one, and what its filters do within a period they do within the window.
    Its name says so, so that its prints are never taken for the published ones.

    >>> rule = unwindowed("ccir-1.1.1")
    >>> rule.name, str(rule.window)
    ('ccir-1.1.1 un-windowed', '1d')
    """
    values: dict[str, Any] = values_of(methodology)
    levels = []
    for level in values["levels"]:
        lowered = dict(level)
        for part in ("publish", "low_confidence"):
            if "days" in lowered.get(part, {}):
                lowered[part] = {**lowered[part], "days": 1}
        lowered["filters"] = [{**one, "within": "window"} if "within" in one else one for one in level.get("filters", [])]
        levels.append(lowered)
    name = f"{values['name']}{UNWINDOWED}"
    return of_values({**values, "name": name, "window": values["every"], "levels": levels}, file=name)
