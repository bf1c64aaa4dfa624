"""Recipes from benchmarks, in the hand of a desk: `tg.recipes(...)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tenorgrid.data.benchmarks.merge import merged
from tenorgrid.data.benchmarks.recipes import Domains, RecipeBook, Unclear, make_recipes
from tenorgrid.data.benchmarks.worth import worth
from tenorgrid.data.case import Case, read_case, write_case
from tenorgrid.data.kinds.work import BenchmarkFormat
from tenorgrid.data.store import write_manifest, write_table, writing
from tenorgrid.results import Run, Tables

TABLES = ("workloads", "recipes", "recipe_resources", "resources")  # of a market case
AUDIT = ("frontier", "scaling", "hosts", "left_out")


@dataclass(frozen=True, kw_only=True)
class BenchmarkRecipes(Tables, RecipeBook):
    """Recipes of a benchmark as tables of a market case, with the frontier they were drawn from and what was left out."""

    path: Path = field(repr=False)
    settings: Mapping[str, object] = field(repr=False)

    def into(self, case: Case | Path | str, offers: pl.DataFrame | None = None) -> Case:
        """The case with these rows, and further offers, beside its own. Raises `InputError` with every clash."""
        return merged(case if isinstance(case, Case) else read_case(case), self, offers)

    def worth(self, run: Run) -> pl.DataFrame:
        """`Worth`: what an hour of each accelerator is worth at the prices of a run, whether it was offered there or not."""
        return worth(
            self.recipes,
            self.recipe_resources,
            self.resources,
            prices=run.prices,
            workload_prices=run.workload_prices,
            domain_prices=run.domain_prices,
        )

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.benchmark import render  # plotly, only needed here

        return render(self)

    def save(
        self, folder: Path, *, case: Case | None = None, worth: pl.DataFrame | None = None, inputs: Mapping[str, Path] | None = None
    ) -> Path:
        """Write the tables, the audit and the page into `folder`, replaced as a whole; returns the path of the page.

        Args:
            folder: where.
            case: what `into` returned: the folder is then that whole market case.
            worth: what `worth` returned.
            inputs: what else was read, for the manifest.
        """
        from tenorgrid.reports.benchmark import FILE

        page = self.page()
        with writing(folder) as temporary:
            if case is not None:
                write_case(case, temporary)
            for name in AUDIT if case is not None else (*TABLES, *AUDIT):
                write_table(temporary, name, getattr(self, name))
            if worth is not None:
                write_table(temporary, "worth", worth)
            (temporary / FILE).write_text(page, encoding="utf-8")
            given = {self.path.name: self.path, **(inputs or {})}
            write_manifest(temporary, command="recipes", inputs=given, settings=self.settings)
        return folder / FILE


def recipes(
    benchmark: Path | str,
    *,
    format: BenchmarkFormat | str | None = None,
    models: Sequence[str] = (),
    accelerators: Sequence[str] = (),
    limits: Sequence[str] = (),
    hosts: Path | str | None = None,
    domains: Domains = "measured",
    unclear: Unclear = "refuse",
    names: Mapping[str, str] | None = None,
) -> BenchmarkRecipes:
    """Recipes of a file of MLPerf inference or training results, ML.ENERGY or Gavel throughputs, as tables of a market case.

    Args:
        benchmark: CSV (also .csv.gz) or Parquet.
        format: mlperf-inference, mlperf-training, ml-energy or gavel; None tells it from the header.
        models: only these, by the name of a workload without its limit.
        accelerators: only results on these, by our names.
        limits: scenarios, minutes to train, tokens a second of a user or steps a second of a job, by format; `none` is no limit. Empty
            is the format's own ladder.
        hosts: file of `Hosts` rows: names, scale-up domain, vCPU, memory and network of accelerators, ours overridden or new ones.
        domains: `measured`: a recipe needs the scale-up domain that it was measured in; `none`: of none.
        unclear: `leave-out` goes on without rows whose unit, accelerators or their number cannot be told.
        names: workloads that are to be called otherwise.

    Raises InputError with every fault: file, row, column, the value found and what was expected.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     path = Path(place) / "jobs.csv"
    ...     rows = ["job_type,n_gpus,gpu,steps_per_sec", "LM,4,v100,30", "LM,4,v100_unconsolidated,12"]
    ...     _ = path.write_text(chr(10).join(rows))
    ...     recipes(path, limits=["none"]).recipes.select("recipe", "output_per_hour", "domain").rows()
    [('v100-x4', 108.0, 4), ('v100-x4-spread', 43.2, None)]
    """
    path = Path(benchmark)
    file = None if hosts is None else Path(hosts)
    book = make_recipes(
        path, format=format, models=models, accelerators=accelerators, limits_at=limits, hosts_file=file, domains=domains, unclear=unclear,
        names=names,
    )  # fmt: skip
    settings: dict[str, object] = {
        "format": str(book.format), "models": list(models), "accelerators": list(accelerators), "limits": list(limits),
        "domains": domains, "unclear": unclear, "names": dict(names or {}),
    }  # fmt: skip
    parts = {name: getattr(book, name) for name in (*TABLES, *AUDIT)}
    return BenchmarkRecipes(format=book.format, source=book.source, limits=book.limits, path=path, settings=settings, **parts)
