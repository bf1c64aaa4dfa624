"""One `[[levels]]` table of a methodology file: read, and refused where its parts do not go together."""

from math import ceil
from typing import Literal, cast, get_args

from tenorgrid.data.kinds.index import Estimator, FilterRule, MedianTie, ObservationKind, Pooling, Vote, Weighting
from tenorgrid.indices.reviews import read_review
from tenorgrid.indices.section import Section
from tenorgrid.indices.spans import Span
from tenorgrid.indices.specification import RESERVED, Comparison, Filter, Level, Requirement, Sufficiency, Weights, Within

BY_QUANTITY = (Estimator.VWAP, Estimator.VOLUME_WEIGHTED_MEDIAN)
UNWEIGHTED = (Estimator.MEDIAN, Estimator.TWAP)
WITH_TIE = (Estimator.VOLUME_WEIGHTED_MEDIAN, Estimator.WEIGHTED_MEDIAN)
WITH_TRIM = (Estimator.TRIMMED_MEAN, Estimator.WINSORISED_MEAN)
MOST_PARTITIONS = 96
LEAST = {FilterRule.SIGMA: 3, FilterRule.MAD: 3, FilterRule.TUKEY: 4, FilterRule.TRIMMED: 3, FilterRule.VENUE: 3, FilterRule.TOO_FEW: 2}
NUMBERS = {FilterRule.SIGMA: "sigmas", FilterRule.MAD: "deviations", FilterRule.TUKEY: "fences", FilterRule.VENUE: "distance"}


def read_level(section: Section, *, window: Span, every: Span) -> Level:
    """The level of a table, as far as it can be read; everything that is wrong with it becomes a fault of the section."""
    least = _sufficiency(section.section("low_confidence"), default=Sufficiency())
    found = Level(
        name=section.text("name"),
        kinds=section.choices("kinds", ObservationKind),
        requirements=tuple(_requirement(part) for part in section.sections("require")),
        filters=tuple(_filter(part, window=window, every=every) for part in section.sections("filters")),
        review=read_review(section.section("review")) if section.has("review") else None,
        weights=_weights(section.section("weights")),
        pooling=section.choice("pooling", Pooling),
        vote=section.choice("vote", Vote) if section.has("vote") else None,
        estimator=section.choice("estimator", Estimator),
        trim=section.share("trim", below=0.5) if section.has("trim") else None,
        tie=section.choice("tie", MedianTie) if section.has("tie") else None,
        partitions=section.whole("partitions", least=2) if section.has("partitions") else 1,
        publish=_sufficiency(section.section("publish"), default=least) if section.has("publish") else None,
        low_confidence=least,
    )
    section.close()
    if not section.faulty("weights"):
        if not section.faulty("estimator"):
            _refuse_estimator(section, found)
        _refuse_weights(section, found)
    _refuse_filters(section, found)
    _refuse_sufficiency(section, found, window)
    return found


def _refuse_estimator(section: Section, level: Level) -> None:
    estimator, by = level.estimator, level.weights.by
    if estimator in BY_QUANTITY and Weighting.QUANTITY not in by:
        section.fault("weights.by", f"quantity with the estimator {estimator}", ", ".join(by))
    if estimator is Estimator.MEAN and Weighting.QUANTITY in by:
        section.fault("estimator", "vwap, which is what a mean by quantity is called", estimator)
    if estimator is Estimator.WEIGHTED_MEDIAN and (level.weights.plain or Weighting.QUANTITY in by):
        proper = Estimator.MEDIAN if level.weights.plain else Estimator.VOLUME_WEIGHTED_MEDIAN
        section.fault("estimator", f"{proper}, which is what a weighted median with these weights is called", estimator)
    if estimator in UNWEIGHTED and not level.weights.plain:
        section.fault("weights", f"equal weights without cap and floor with the estimator {estimator}", ", ".join(by))
    for key, value, takers in (("trim", level.trim, WITH_TRIM), ("tie", level.tie, WITH_TIE)):
        if (value is not None) != (estimator in takers):
            section.fault(key, f"a {key} with the estimators {' and '.join(takers)}, and with no other", value)
    by_observation = level.pooling is Pooling.OBSERVATION
    if by_observation != (level.vote is None):
        section.fault("vote", "a vote with pooling by contributor, and with no other", level.vote)
    if not by_observation and (estimator is Estimator.TWAP or level.partitions > 1):
        section.fault("pooling", "observation with the estimator twap and with partitions", level.pooling)
    if estimator is Estimator.TWAP and level.partitions > 1:
        section.fault("partitions", "no partitions with the estimator twap, which weighs by time itself", level.partitions)
    if level.partitions > MOST_PARTITIONS:
        section.fault("partitions", f"at most {MOST_PARTITIONS} partitions", level.partitions)


def _refuse_weights(section: Section, level: Level) -> None:
    weights = level.weights
    needed = {"quantity": Weighting.QUANTITY in weights.by, weights.confidence: Weighting.CONFIDENCE in weights.by}
    for column in (column for column, needs in needed.items() if needs and column):
        if not any(part.column == column and _above_zero(part) for part in level.requirements):
            section.fault("require", f"a {column} above 0, by which the level weighs")
    if level.review is not None and level.review.name != weights.confidence:
        section.fault("review.name", "the attribute that the level weighs by as confidence", level.review.name)
    contributors = (level.publish or level.low_confidence).contributors
    if weights.cap and contributors < (least := ceil(1 / weights.cap - 1e-9)):
        section.fault("publish.contributors", f"at least the {least} that a cap of {weights.cap:g} needs", contributors)


def _above_zero(part: Requirement) -> bool:
    limit = part.limit if part.missing == "exclude" and isinstance(part.limit, float) else -1.0
    return (part.comparison == "above" and limit >= 0) or (part.comparison == "at_least" and limit > 0)


def _refuse_filters(section: Section, level: Level) -> None:
    within = [part.within for part in level.filters]
    if within != sorted(within):  # period comes before window
        section.fault("filters", "filters within the period before those within the window", ", ".join(within))


def _refuse_sufficiency(section: Section, level: Level, window: Span) -> None:
    least, publish = level.low_confidence, level.publish or level.low_confidence
    for name in ("observations", "contributors", "days", "partitions", "quantity"):
        if getattr(publish, name) < getattr(least, name):
            section.fault(f"publish.{name}", "at least what low_confidence asks for", getattr(publish, name))
    if publish.largest_share > least.largest_share:
        section.fault("publish.largest_share", "at most what low_confidence allows", publish.largest_share)
    most = max(window.days, 1)
    if max(publish.days, least.days) > most:
        section.fault("publish.days", f"at most the {most} days of the window", publish.days)
    if max(publish.partitions, least.partitions) > level.partitions:
        section.fault("publish.partitions", f"at most the {level.partitions} partitions of the window", publish.partitions)


def _requirement(section: Section) -> Requirement:
    written = [name for name in get_args(Comparison) if section.has(name)]
    column = section.text("column")
    if column in RESERVED:
        section.fault("column", f"a column other than {', '.join(RESERVED)}", column)
    missing = section.text("missing", default="exclude")
    if missing not in ("exclude", "keep"):
        section.fault("missing", "one of exclude, keep", missing)
    limits = {
        name: section.texts(name) if name == "one_of" else section.text(name) if name == "differs_from" else section.number(name)
        for name in written
    }
    if len(written) != 1:
        section.fault("column", f"exactly one of {', '.join(get_args(Comparison))} for {column}", ", ".join(written) or "none")
        limits = {"above": 0.0}
    section.close()
    comparison, limit = next(iter(limits.items()))
    if comparison == "differs_from" and limit in (column, *RESERVED):
        section.fault("differs_from", "another column of the observations", limit)
    return Requirement(
        column=column, comparison=cast(Comparison, comparison), limit=limit, missing=cast(Literal["exclude", "keep"], missing)
    )


def _filter(section: Section, *, window: Span, every: Span) -> Filter:
    rule = section.choice("rule", FilterRule)
    if section.faulty("rule"):  # whose keys cannot be told
        return Filter(rule=rule, within="window")
    least = LEAST.get(rule)
    numbers = {"limit": section.positive(NUMBERS[rule])} if rule in NUMBERS else {}
    if rule is FilterRule.TRIMMED:
        numbers["limit"] = section.share("share", below=0.5)
    if rule is FilterRule.SIGMA:
        numbers["trim"] = section.share("trim", below=0.5)
    if rule is FilterRule.JUMP:
        numbers["limit"] = section.positive("move")
    if rule is FilterRule.BOUNDS:
        numbers |= {name: section.number(name) for name in ("lowest", "highest") if section.has(name)}
        if not numbers or numbers.get("lowest", -1e308) >= numbers.get("highest", 1e308):
            section.fault("lowest", "a lowest price below the highest, or one of the two", numbers.get("lowest"))
    found = Filter(
        rule=rule,
        within=_within(section, rule, window=window, every=every),
        at_least=1 if least is None else section.whole("at_least", least=least),
        column=section.text("column", default="provider") if rule is FilterRule.VENUE else "provider",
        age=section.span("older_than", units=("h", "min")).length if rule is FilterRule.STALE else None,
        back=section.whole("back", least=1) if rule is FilterRule.JUMP else 0,
        **numbers,
    )
    if found.column in RESERVED:
        section.fault("column", f"a column other than {', '.join(RESERVED)}", found.column)
    if found.age is not None and found.age >= window.length:
        section.fault("older_than", f"less than the window of {window}", found.age)
    section.close()
    return found


def _within(section: Section, rule: FilterRule, *, window: Span, every: Span) -> Within:
    """Where a filter looks: staleness is told at the cut-off, a jump and a bound from the period itself, the others say it."""
    if rule is FilterRule.STALE:
        return "window"
    if rule in (FilterRule.JUMP, FilterRule.BOUNDS):
        return "period"
    found = section.text("within")
    if found not in get_args(Within):
        section.fault("within", f"one of {', '.join(get_args(Within))}", found)
        return "window"
    if found == "period" and window.length <= every.length:
        section.fault("within", f"window, as a window of {window} holds no whole period of {every} beside its own", found)
    return cast(Within, found)


def _weights(section: Section) -> Weights:
    by = section.choices("by", Weighting)
    found = Weights(
        by=by,
        half_life=section.span("half_life", units=("h", "min")).length if section.has("half_life") else None,
        confidence=section.text("confidence") if section.has("confidence") else None,
        cap=section.share("cap", below=1) if section.has("cap") else None,
        floor=section.share("floor", below=0.5) if section.has("floor") else None,
    )
    if Weighting.EQUAL in by and len(by) > 1:
        section.fault("by", "equal alone, or the others", ", ".join(by))
    for key, value, needs in (("half_life", found.half_life, Weighting.RECENCY), ("confidence", found.confidence, Weighting.CONFIDENCE)):
        if (value is not None) != (needs in by):
            section.fault(key, f"a {key} with weights by {needs}, and with no other", value)
    if found.confidence in RESERVED:
        section.fault("confidence", f"a column other than {', '.join(RESERVED)}", found.confidence)
    for key, share in (("cap", found.cap), ("floor", found.floor)):
        if share == 0:
            section.fault(key, "a share above 0", share)
    if found.cap is not None and found.floor is not None and found.floor >= found.cap:
        section.fault("floor", "a floor below the cap", found.floor)
    section.close()
    return found


def _sufficiency(section: Section, *, default: Sufficiency) -> Sufficiency:
    found = Sufficiency(
        observations=section.whole("observations", least=1, default=default.observations),
        contributors=section.whole("contributors", least=1, default=default.contributors),
        days=section.whole("days", least=1, default=default.days),
        partitions=section.whole("partitions", least=1, default=default.partitions),
        quantity=section.number("quantity", default=default.quantity),
        largest_share=section.number("largest_share", default=default.largest_share),
    )
    if found.quantity < 0 or not 0 < found.largest_share <= 1:
        section.fault("largest_share", "a quantity of at least 0, and a largest share above 0 and at most 1", found.largest_share)
    section.close()
    return found
