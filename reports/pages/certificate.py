"""Certificates of clearing: no solver status is believed."""

from tenorgrid.data.wording import counted
from tenorgrid.reports.figures import certificate
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, table


def section(run: Run) -> Section | None:
    """The worst infeasibility and gap of every horizon."""
    if run.certificate is None:
        return None
    rows = certificate.worst(run.certificate)
    whole = [
        Column(name="incumbent_gap", head="Search gap", unit="largest, 1", form=".1e"),
        Column(name="hull_gap", head="Hull gap", unit="largest, 1", form=".1e"),
    ]
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="problems", head="Problems", unit="count", form=",d"),
        Column(name="hours", head="Intervals", unit="count", form=",d"),
        *(Column(name=measure, head=measure.capitalize(), unit="largest, 1", form=".1e") for measure in certificate.MEASURES),
        *(whole if rows["incumbent_gap"].is_not_null().any() else []),
        Column(name="columns", head="Columns", unit="most", form=",d"),
        Column(name="rows", head="Rows", unit="most", form=",d"),
        Column(name="seconds", head="Time", unit="s, all", form=",.2f"),
    ]
    return Section(
        name="certificate",
        title="Certificates",
        lead="Every solution is checked from its own primal and dual values alone; what the solver says of itself is not believed.",
        blocks=[
            Drawing(
                name="measures",
                title="Worst certificate of each horizon",
                figure=certificate.measures(run.certificate),
                caption=(
                    f"Largest relative infeasibility, complementarity and gap over {counted(run.certificate.height, 'problem')}; "
                    f"the dotted line is {certificate.LIMIT:.0e}, "
                    "past which nothing is published. A zero is drawn at 1e-18."
                ),
            ),
            Listing(
                name="certificates",
                title="Certificates in numbers",
                table=table(rows, columns, name="certificates-table"),
                caption=(
                    "Primal and dual are infeasibilities, relative to their row, bound or cost; "
                    "complementarity and gap are relative to the objective. Where orders are decided whole, the search gap is the "
                    "best solution's distance from the search's own bound, the hull gap that from the hull, from dual values alone."
                ),
            ),
        ],
    )
