"""Virtual bids of a trader who dislikes losses: bought or sold ahead, closed at real time.

`scenarios` are past days' pairs of prices; `program` chooses the bid curves; `outcome` tells what bids earn; `backtest` bids day after
day with what was known.
"""
