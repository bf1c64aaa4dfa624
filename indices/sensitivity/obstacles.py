"""Why no attack of one contributor moves a mark far enough, in words."""

from tenorgrid.data.kinds.index import FilterRule
from tenorgrid.indices.sensitivity.ground import Ground
from tenorgrid.indices.sensitivity.plans import FARTHEST, SHARE, interval, panel

FILTERS = {
    FilterRule.VENUE: "a venue far from the others is taken out",
    FilterRule.JUMP: "a price that moved too far counts from the next period on",
}
QUIET = (FilterRule.BOUNDS, FilterRule.STALE, FilterRule.TOO_FEW)
FAR = "a price far from the others is taken out ({})"


def obstacle(ground: Ground, mark: int, value: float, sign: float, *, new: bool) -> str:
    """What stands in the way on the level that decides a mark.

    Args:
        ground: of the level.
        mark: its number.
        value: what it is.
        sign: 1 upward, -1 downward.
        new: whether it is a new name that cannot.
    """
    level, found = ground.level, []
    low, high = interval(level, "price")
    edge = min(high, FARTHEST * value) if sign > 0 else max(low, value / FARTHEST)
    if sign * (edge - value * (1 + sign * SHARE)) <= 0:
        found.append(f"the rule takes no price {'above' if sign > 0 else 'below'} {edge:g}")
    listed = panel(level)
    if new and listed is not None and set(listed) <= set(_names(ground, mark)):
        return "the rule takes nobody beside its panel"
    if level.weights.cap is not None:
        found.append(f"one contributor has at most {100 * level.weights.cap:g} % of the weight")
    elif any(part.largest_share < 1 for part in (level.publish, level.low_confidence) if part is not None):
        found.append("one contributor may not have more of the weight than the level allows")
    if level.vote is not None:
        found.append(f"a contributor has one vote, the {level.vote} of what it shows")
    found += [FILTERS.get(part.rule, FAR.format(part.rule)) for part in level.filters if part.rule not in QUIET]
    return "; ".join(found or [f"no price from {value / FARTHEST:g} to {FARTHEST * value:g} does it"])


def _names(ground: Ground, mark: int) -> list[str]:
    return [str(name) for name in ground.rows[ground.bounds[mark] : ground.bounds[mark + 1]]["provider"].unique().to_list()]
