"""Rules of methodologies: every key belongs to one, hybrids are methodologies, and what cannot be separated is exchanged together."""

from itertools import combinations, permutations
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.indices.decomposition.coalitions import FREE, MOST, coalitions, groups_of
from tenorgrid.indices.decomposition.hybrids import Pair, held, moving, named
from tenorgrid.indices.decomposition.rules import EVIDENCE, TITLES, differing, keys_of, level_part, rules_of, whole_part
from tenorgrid.indices.methodology import of_values, shipped, values_of

PAIRS = list(permutations(shipped(), 2))
COLUMNS = [
    "provider", "price", "kind", "tier", "quantity", "buyer", "country", "gpu_count", "reliability", "term_hours", "confidence",
]  # fmt: skip


def seen(*columns: str) -> pl.DataFrame:
    return pl.DataFrame({name: ["list price"] for name in columns})


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Keys and values by an own walk through the file."""
    if isinstance(value, dict) and value:
        return {name: leaf for key, part in value.items() for name, leaf in leaves(part, f"{path}.{key}" if path else key).items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {name: leaf for place, part in enumerate(value, 1) for name, leaf in leaves(part, f"{path}[{place}]").items()}
    return {path: value}


@pytest.mark.parametrize("name", shipped())
def test_every_key_of_a_file_belongs_to_exactly_one_rule(name: str) -> None:
    values = values_of(name)
    whole = leaves(values)
    told = keys_of(values)
    assert {path: leaf for path, (_, leaf) in told.items()} == whole
    rules = rules_of(values)
    assert {rule for rule, _ in told.values()} <= set(rules)
    parts = [leaves(whole_part(values, rule)) for rule in rules]
    parts += [leaves(level_part(level, rule)) for level in values["levels"] for rule in rules]
    assert sum(len(part) for part in parts if part != {"": {}}) == len(whole)  # none left out, none twice


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_every_difference_of_two_files_is_in_exactly_one_rule_and_the_rules_together_are_the_other_file(one: str, other: str) -> None:
    mine, theirs = values_of(one), values_of(other)
    apart = differing(mine, theirs)
    flat = [leaves(values) for values in (mine, theirs)]
    changed = {path for path in flat[0].keys() | flat[1].keys() if flat[0].get(path) != flat[1].get(path)}
    owners = {(side, path) for side in (0, 1) for path in changed if path in flat[side]}
    rules = [keys_of(values) for values in (mine, theirs)]
    for side, path in owners:  # a place may hold one filter here and another there: each file's key is in its own file's rule
        assert sum(path in paths and rule == rules[side][path][0] for rule, paths in apart.items()) == 1
    assert {path for paths in apart.values() for path in paths} >= changed
    pair = Pair(one=mine, other=theirs)
    assert pair.hybrid(()) == mine
    assert pair.hybrid(rules_of(mine, theirs)) == theirs
    same = [rule for rule in pair.rules if rule not in apart and rule != EVIDENCE]  # with which the names of levels go
    assert pair.hybrid(same) | {"name": mine["name"]} == mine


@pytest.mark.parametrize(("one", "other"), [("ccir-1.1.0", "ccir-1.1.1"), ("eu-cri-0.2.0", "eu-cri-0.3.0"), ("ornn-like", "brr-like")])
def test_every_coalition_of_the_groups_is_a_methodology(one: str, other: str) -> None:
    pair = Pair(one=values_of(one), other=values_of(other))
    groups, joined = groups_of(pair, moving(pair, ("EU", "EU")), seen=seen(*COLUMNS, "term"))
    assert all(part.reason for part in joined)
    for taken in coalitions(groups):
        assert pair.methodology(taken).levels


@pytest.mark.parametrize(
    ("one", "other"), [("ccir-1.1.1", "gpu-markets-like"), ("eu-cri-0.2.0", "eu-cri-0.3.0"), ("ornn-like", "brr-like")]
)
def test_groups_are_the_same_in_both_directions(one: str, other: str) -> None:
    files = values_of(one), values_of(other)
    there, back = (Pair(one=first, other=second) for first, second in (files, files[::-1]))
    found = [groups_of(pair, moving(pair, ("US", "US")), seen=seen(*COLUMNS, "term"))[0] for pair in (there, back)]
    assert found[0] == found[1]


def test_a_weight_and_the_requirement_that_it_needs_are_exchanged_together_and_it_is_said_why() -> None:
    pair = Pair(one=values_of("eu-cri-0.2.0"), other=values_of("eu-cri-0.3.0"))
    _, joined = groups_of(pair, moving(pair, ("EU", "EU")), seen=seen(*COLUMNS, "term"))
    (found,) = joined
    assert found.rules == ("eligibility", "weights")
    assert "by which the level weighs" in found.reason


def test_rules_that_are_taken_as_free_are_free() -> None:
    """Every shipped file with these rules of any other shipped file is still a methodology."""
    for one, other in PAIRS:
        assert Pair(one=values_of(one), other=values_of(other)).methodology(FREE).levels


def test_a_coalition_is_the_complement_of_one_of_the_other_direction() -> None:
    one, other = values_of("house"), values_of("gpu-markets-like")
    there = Pair(one=one, other=other, deciding=("list prices", "venue offers"))
    back = Pair(one=other, other=one, deciding=("venue offers", "list prices"))
    for taken in combinations(there.rules, 3):
        rest = [rule for rule in there.rules if rule not in taken]
        assert there.hybrid(taken) | {"name": "", "source": "", "restatement": ""} == back.hybrid(rest) | {
            "name": "", "source": "", "restatement": ""
        }  # fmt: skip


def test_a_level_of_evidence_that_the_other_does_not_know_keeps_its_own_rules() -> None:
    pair = Pair(one=values_of("house"), other=values_of("gpu-markets-like"), deciding=("list prices", "venue offers"))
    own = {level["name"]: level for level in pair.one["levels"]}
    mixed = {level["name"]: level for level in pair.hybrid({"estimator", "pooling"})["levels"]}
    assert mixed["traded"] == own["traded"]
    assert (mixed["list prices"]["estimator"], mixed["list prices"]["pooling"]) == ("median", "observation")
    assert not {"trim", "vote"} & set(mixed["list prices"])


def test_titles_and_regions_of_other_indices_move_nothing() -> None:
    pair = Pair(one=values_of("house"), other=values_of("gpu-markets-like"))
    assert "regions" in differing(pair.one, pair.other)
    assert "regions" not in moving(pair, ("GLOBAL", "GLOBAL"))
    assert "regions" in moving(pair, ("US", "US"))
    assert TITLES not in moving(pair, ("US", "US"))
    assert held(values_of("ccir-1.1.1"), "EU") == "nothing"


def test_a_name_follows_the_rules_on_regions_and_terms() -> None:
    index = ("H100-SXM.US.FIRM.1Y", "H100-SXM.EU.FIRM")
    assert [named(index, taken) for taken in ((), {"regions"}, {"terms"}, {"regions", "terms"})] == [
        "H100-SXM.US.FIRM.1Y", "H100-SXM.EU.FIRM.1Y", "H100-SXM.US.FIRM", "H100-SXM.EU.FIRM",
    ]  # fmt: skip


def test_rules_are_taken_together_as_asked_and_unknown_ones_are_refused() -> None:
    pair = Pair(one=values_of("house"), other=values_of("gpu-markets-like"), deciding=("list prices", "venue offers"))
    rules = moving(pair, ("GLOBAL", "GLOBAL"))
    groups, joined = groups_of(pair, rules, seen=seen(*COLUMNS), together=[("estimator", "clock")])
    assert ("clock", "estimator") in groups
    assert joined[0].reason == "as asked"
    for wrong in ([("clock", "weather")], [("clock", "estimator"), ("clock",)]):
        with pytest.raises(InputError, match="each once"):
            groups_of(pair, rules, seen=seen(*COLUMNS), together=wrong)


def test_too_many_rules_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenorgrid.indices.decomposition.coalitions.MOST", 3)
    pair = Pair(one=values_of("house"), other=values_of("gpu-markets-like"), deciding=("list prices", "venue offers"))
    with pytest.raises(InputError, match=r"clock, .*estimator.*at most 3 that differ"):
        groups_of(pair, moving(pair, ("GLOBAL", "GLOBAL")), seen=seen(*COLUMNS))


def test_no_two_shipped_files_differ_in_more_rules_than_can_be_exchanged() -> None:
    files = {name: values_of(name) for name in shipped()}
    for one, other in combinations(files, 2):
        assert len(moving(Pair(one=files[one], other=files[other]), ("US", "US"))) <= MOST


def test_a_key_that_no_rule_knows_is_refused() -> None:
    with pytest.raises(InputError, match="each of which belongs to a rule"):
        keys_of({"levels": [], "weather": "fair"})


def test_a_hybrid_that_makes_no_sense_is_refused_as_a_file_is() -> None:
    values = values_of("brr-like")
    values["levels"][0]["estimator"] = "median"
    with pytest.raises(InputError, match="equal weights"):
        of_values(values, file="hybrid")
