"""Why two indices differ: two prints, what each rule adds to their gap, and every coalition behind it."""

import dataframely as dy

from tenorgrid.data.kinds.index import MarkStatus

PRICE = {"unit": "see unit"}


class Gaps(dy.Schema):
    """Two prints of one thing by two methodologies, and why they differ in a sentence."""

    index = dy.String(primary_key=True, description="Index, as the one methodology names it")
    index_against = dy.String(description="As the other names it")
    when = dy.String(description="Day, each methodology's own, or the moment that the periods hold")
    methodology = dy.String(description="The one methodology")
    against = dy.String(description="The other")
    start = dy.Datetime(time_zone="UTC", description="First instant of the period of the one's print")
    start_against = dy.Datetime(time_zone="UTC", description="Of the other's")
    value = dy.Float64(description="Print of the one", metadata=PRICE)
    value_against = dy.Float64(description="Print of the other", metadata=PRICE)
    status = dy.Enum(MarkStatus, description="Of the one")
    status_against = dy.Enum(MarkStatus, description="Of the other")
    unit = dy.String(description="Of both")
    gap = dy.Float64(description="The one less the other", metadata=PRICE)
    sentence = dy.String(description="Why they differ")


class GapRules(dy.Schema):
    """What each rule adds to a gap. Shares sum to it; the least and most are over all orders in which the rules are exchanged."""

    index = dy.String(primary_key=True, description="Index, as the one methodology names it")
    rule = dy.String(primary_key=True, description="A rule, or several that are exchanged together, with + between")
    meaning = dy.String(description="What the rule says, in words")
    share = dy.Float64(description="Shapley value: what it adds averaged over all orders", metadata=PRICE)
    lowest = dy.Float64(description="The least that it adds", metadata=PRICE)
    highest = dy.Float64(description="The most that it adds", metadata=PRICE)
    alone = dy.Float64(description="What it adds to the other's print where it alone is the one's", metadata=PRICE)
    last = dy.Float64(description="What it adds where all other rules are the one's already", metadata=PRICE)
    exchanged = dy.Bool(description="Whether coalitions were made of it; where not its share is 0, and the note says why")
    note = dy.String(nullable=True, description="Why it is not exchanged, or not by itself")
    keys = dy.String(description="Keys of the two files that differ, with spaces between")


class GapCoalitions(dy.Schema):
    """The print of every coalition: the one methodology with some rules of the other."""

    index = dy.String(primary_key=True, description="Index, as the one methodology names it")
    taken = dy.String(primary_key=True, description="Rules of the other, with commas between; empty is the one itself")
    value = dy.Float64(description="Its print", metadata=PRICE)
    status = dy.Enum(MarkStatus, description="Of the print; carried by the coalition's own fallback")
    level = dy.String(nullable=True, description="Level of evidence that made it")
