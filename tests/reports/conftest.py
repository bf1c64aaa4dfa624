"""Made-up runs, each written once a session."""

from pathlib import Path

import pytest

from tests.reports.made_up_run import make_observations_run, make_run


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run, of four resources so that tests stay quick; run made_up_run for one of all nine."""
    return make_run(tmp_path_factory.mktemp("runs") / "run", resources=("a100-sxm", "h100-sxm", "b200-sxm", "vcpu"))


@pytest.fixture(scope="session")
def observations_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on observed prices."""
    return make_observations_run(tmp_path_factory.mktemp("observed") / "run")
