"""What a book gained from one moment to the next, and what of it each thing that happened made: by Greeks and by revaluation."""

from tenorgrid.derivatives.explain.book import Explained as Explained
from tenorgrid.derivatives.explain.book import explained as explained
from tenorgrid.derivatives.explain.run import ExplainedRun as ExplainedRun
from tenorgrid.derivatives.explain.run import explain_days as explain_days
from tenorgrid.derivatives.explain.standing import standing as standing
