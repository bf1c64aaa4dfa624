"""The seven folders at the root are imported as tenorgrid.<folder> and in no other way."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["data", "clearing", "indices", "curves", "derivatives", "settlement", "reports"])
def test_a_second_copy_of_a_package_cannot_be_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    with pytest.raises(ImportError, match=rf"import tenorgrid\.{name}, not {name}"):
        import_module(name)
    assert import_module(f"tenorgrid.{name}").__name__ == f"tenorgrid.{name}"
