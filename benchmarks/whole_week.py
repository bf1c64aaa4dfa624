"""The clearing line in arrays, all hours in one `passModel` call: `python -m benchmarks.whole_week HOURS`."""

import sys

import highspy
import numpy as np
from scipy.sparse import block_diag, csc_array

from benchmarks.arrays import posed
from benchmarks.measure import Stopwatch, tell
from benchmarks.week import week


def main(hours: int) -> None:
    """Build and solve the week."""
    case, clock = week(hours), Stopwatch()
    with clock.step("build"):
        problem = posed(case, hours)
        matrix = csc_array(block_diag([problem.layout.matrix] * hours, format="csc"))
    with clock.step("solve"):
        highs = highspy.Highs()  # type: ignore[no-untyped-call]  # its methods carry no types
        for option, value in (("output_flag", False), ("presolve", "off"), ("threads", 1)):
            highs.setOptionValue(option, value)
        rows, columns = matrix.shape
        highs.passModel(
            columns,
            rows,
            matrix.nnz,
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            problem.cost.ravel(),
            np.zeros(columns),
            problem.upper.ravel(),
            problem.row_lower.ravel(),
            problem.row_upper.ravel(),
            matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
            np.zeros(columns, dtype=np.int32),
        )
        highs.run()
        primal = np.array(highs.getSolution().col_value)
    tell(**clock.seconds, columns=columns, rows=rows, surplus=-float(problem.cost.ravel() @ primal))


if __name__ == "__main__":
    main(int(sys.argv[1]))
