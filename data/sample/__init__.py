"""The packaged synthetic market: fleet, buyers, the processes behind them, and the case that they bid."""

from tenorgrid.data.sample.market import FIRST, PackagedMarket, packaged_market

__all__ = ["FIRST", "PackagedMarket", "packaged_market"]
