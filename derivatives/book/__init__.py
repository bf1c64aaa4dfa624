"""Books of trades: read by kind, priced on one market, with what moves them.

`valuation` values a book; `market` is what it reads, `legs` what prices are averaged over, `kinds/` the pricing of each family of kinds,
`risks` the table of sensitivities, `scenarios` full revaluations.
"""

from tenorgrid.derivatives.book.risks import MONTH as MONTH
from tenorgrid.derivatives.book.valuation import BookValue as BookValue
from tenorgrid.derivatives.book.valuation import value as value
