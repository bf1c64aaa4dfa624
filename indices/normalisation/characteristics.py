"""What a hedonic regression looks at: the characteristics of an offer, how each enters, and the specification prices are brought to."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args
from zoneinfo import ZoneInfo

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.indices.normalisation.two_way import Errors
from tenorgrid.indices.section import Section

Form: TypeAlias = Literal["log", "level", "category"]
Missing: TypeAlias = Literal["exclude", "level"]
Weights: TypeAlias = Literal["equal", "quantity", "contributor"]
Dependent: TypeAlias = Literal["refuse", "leave"]
Period: TypeAlias = Literal["none", "1h", "1d", "1w", "1mo"]
T = TypeVar("T")

OWN = (
    "observation_id",
    "time",
    "price",
    "quantity",
    "period",
    "cluster",
    "factor",
    "factor_se",
    "adjusted",
    "reason",
)  # are no characteristics
LEAST = 10  # rows beyond the coefficients, unless the model asks for more


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """One property of an offer.

    `form`: `log` and `level` are numbers, of which the logarithm or the value itself enters; `category` is text or a truth, one effect a
    value. `base`: what prices are brought to; without one the characteristic is controlled for, and prices stay at their own.
    `missing`: whether a row without a value is left alone, or has a category of its own.
    """

    column: str
    form: Form
    base: float | str | None = None
    missing: Missing = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A whole hedonic regression: log price on characteristics and a dummy of each period.

    `by`: columns whose values have a fit each. `period`: of the dummies, in `timezone`. `days`: how far before its end a fit looks back;
    None is as far as there are rows. `weights`: `contributor` gives every provider the same weight in a period. `outliers`: rows whose
    residual of a first fit is more than so many standard deviations (1.4826 times the median absolute residual) are left out of a second;
    None keeps all. `at_least`: rows beyond the coefficients that a fit needs. `dependent`: whether a column that is a combination of others
    (or has one value) refuses the fit, or is left out; offers that differ from the base in what was left out are then not adjusted.
    `product`: what together names a product of the time-product-dummy; empty is the provider and every characteristic.
    """

    name: str
    source: str
    characteristics: tuple[Characteristic, ...]
    by: tuple[str, ...] = ()
    period: Period = "1d"
    timezone: str = "UTC"
    days: int | None = None
    weights: Weights = "equal"
    errors: Errors = "robust"
    cluster: str = "provider"
    outliers: float | None = None
    at_least: int = LEAST
    dependent: Dependent = "refuse"
    product: tuple[str, ...] = ()

    @property
    def products(self) -> tuple[str, ...]:
        """Columns that name what is compared with itself."""
        return self.product or tuple(dict.fromkeys(("provider", *(one.column for one in self.characteristics))))

    @property
    def adjusted(self) -> tuple[Characteristic, ...]:
        """Characteristics that prices are adjusted for."""
        return tuple(one for one in self.characteristics if one.base is not None)


def shipped_models() -> tuple[str, ...]:
    """Names of the models that come with the package.

    >>> shipped_models()
    ('clouds', 'daily', 'listings', 'regional')
    """
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load_model(model: Model | Path | str) -> Model:
    """A shipped model by its name, or one from a TOML file; a model that is loaded already is handed back.

    Raises `InputError` with every fault.

    >>> load_model("daily").by
    ('resource', 'tier')
    """
    if isinstance(model, Model):
        return model
    named = str(model)
    path = _folder() / f"{named}.toml" if named in shipped_models() else Path(model)
    if isinstance(path, Path) and (path.suffix != ".toml" or not path.is_file()):
        raise InputError.of("model", f"one of {', '.join(shipped_models())}, or the path of a TOML file", value=named)
    try:
        values = tomllib.loads(path.read_bytes().decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError.of(path.name, "TOML in UTF-8", value=str(error)) from error
    return parse(values, file=path.name)


def _folder() -> Any:
    return files("tenorgrid.indices.normalisation") / "definitions"


def parse(values: Mapping[str, Any], *, file: str = "normalisation") -> Model:
    """A model from a table of TOML, as a file of its own or the section `[normalisation]` of a methodology.

    Args:
        values: name, source, [[characteristics]] with column, form, base and missing; and what `Model` names.
        file: what faults call it.

    Raises `InputError` with every fault: unknown keys, values out of range, columns twice, a base that does not fit its form.

    >>> model = parse({"name": "m", "source": "s", "characteristics": [{"column": "gpu_count", "form": "log", "base": 8}]})
    >>> model.characteristics[0].base, model.period
    (8.0, '1d')
    """
    faults: list[Fault] = []
    top = Section(values, path="", file=file, faults=faults)
    found = Model(
        name=top.text("name"),
        source=top.text("source"),
        characteristics=tuple(_characteristic(part, faults) for part in top.sections("characteristics")),
        by=top.texts("by", default=()),
        period=_one_of(top, "period", cast(tuple[Period, ...], get_args(Period)), default="1d"),
        timezone=top.text("timezone", default="UTC"),
        days=top.whole("days", least=1) if top.has("days") else None,
        weights=_one_of(top, "weights", cast(tuple[Weights, ...], get_args(Weights)), default="equal"),
        errors=_one_of(top, "errors", cast(tuple[Errors, ...], get_args(Errors)), default="robust"),
        cluster=top.text("cluster", default="provider"),
        outliers=top.number("outliers") if top.has("outliers") else None,
        at_least=top.whole("at_least", least=1, default=LEAST),
        dependent=_one_of(top, "dependent", cast(tuple[Dependent, ...], get_args(Dependent)), default="refuse"),
        product=top.texts("product", default=()),
    )
    _refuse_impossible(top, found)
    top.close()
    if faults:
        raise InputError(faults)
    return found


def _characteristic(section: Section, faults: list[Fault]) -> Characteristic:
    before = len(faults)
    form = _one_of(section, "form", cast(tuple[Form, ...], get_args(Form)))
    base: float | str | None = None
    if section.has("base"):
        base = section.text("base") if form == "category" else section.number("base")
    read = len(faults) == before  # else form and base are not what stands in the file
    found = Characteristic(
        column=section.text("column"),
        form=form,
        base=base,
        missing=_one_of(section, "missing", cast(tuple[Missing, ...], get_args(Missing)), default="exclude"),
    )
    if found.column in OWN:
        section.fault("column", f"a column other than {', '.join(OWN)}", found.column)
    if read and form == "log" and isinstance(base, float) and base <= 0:
        section.fault("base", "a number above 0 for a logarithm", base)
    if read and form != "category" and found.missing == "level":
        section.fault("missing", "exclude for a number", found.missing)
    section.close()
    return found


def _refuse_impossible(top: Section, model: Model) -> None:
    columns = [*model.by, *(one.column for one in model.characteristics)]
    if not model.characteristics:
        top.fault("characteristics", "at least one characteristic")
    for column in sorted({column for column in columns if columns.count(column) > 1}):
        top.fault("characteristics", "each column once, in by or among the characteristics", column)
    for key, named in (("by", model.by), ("product", model.product)):
        if own := sorted(set(named) & set(OWN)):
            top.fault(key, f"columns other than {', '.join(OWN)}", ", ".join(own))
    if model.outliers is not None and model.outliers <= 0:
        top.fault("outliers", "a number above 0", model.outliers)
    try:
        ZoneInfo(model.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        top.fault("timezone", "a time zone like America/New_York", model.timezone)


def _one_of(section: Section, key: str, values: tuple[T, ...], *, default: T | None = None) -> T:
    found = section.text(key, default=None if default is None else str(default))
    if found not in values:
        if found:
            section.fault(key, f"one of {', '.join(map(str, values))}", found)
        return values[0]
    return values[values.index(cast(T, found))]
