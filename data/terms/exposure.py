"""What somebody runs and pays the market's price for: work or resource-hours over a period."""

from dataclasses import dataclass
from datetime import date
from math import isfinite

from tenorgrid.data.errors import Fault, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """`quantity` per hour of one workload, or of one resource, over the local days `[first, end)`; positive when bought.

    `home` is the location where the work belongs, or the region of the resource; `price` is null where the market's is paid. Days may
    be given as ISO 8601 text.

    >>> fleet = Exposure(workload="llama2-70b-decode", quantity=4.0, unit="1e6 tokens/h", home="us-west", tier="firm",
    ...                  first="2027-04-01", end="2027-07-01")
    >>> fleet.index, fleet.name
    ('LLAMA2-70B-DECODE.US-WEST.FIRM', 'LLAMA2-70B-DECODE.US-WEST.FIRM')
    """

    quantity: float
    unit: str
    home: str
    tier: str
    first: date
    end: date
    workload: str | None = None
    resource: str | None = None
    price: float | None = None  # USD per unit
    name: str = ""  # empty: named after the index that marks it

    def __post_init__(self) -> None:
        faults = []
        for field in ("first", "end"):
            value = getattr(self, field)
            if isinstance(value, str):
                try:
                    object.__setattr__(self, field, date.fromisoformat(value))
                except ValueError:
                    faults.append((field, value, "a day such as 2027-04-01"))
        if (self.workload is None) == (self.resource is None):
            faults.append(("workload", f"{self.workload} and {self.resource}", "either a workload or a resource"))
        if not isfinite(self.quantity) or self.quantity == 0:
            faults.append(("quantity", str(self.quantity), "a number other than 0"))
        if self.price is not None and not isfinite(self.price):
            faults.append(("price", str(self.price), "a number"))
        faults += [(field, "nothing", "a name") for field in ("unit", "home", "tier") if not getattr(self, field)]
        if not faults and not self.first < self.end:
            faults.append(("end", str(self.end), f"a day after {self.first}"))
        if faults:
            raise InputError(Fault(file="exposure", column=column, value=value, expected=expected) for column, value, expected in faults)
        if not self.name:
            object.__setattr__(self, "name", self.index)

    @property
    def index(self) -> str:
        """Name of the index that marks it: WORKLOAD.HOME.TIER or RESOURCE.REGION.TIER."""
        return f"{self.workload or self.resource}.{self.home}.{self.tier}".upper()
