"""The main job's minute by part, as `tenorgrid run` notes it in its manifest."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter


def by_part() -> tuple[dict[str, float], float]:
    """Seconds of each part of `tenorgrid run` on the packaged market, and of the whole command.

    Raises CalledProcessError where the command fails, KeyError where its manifest notes no seconds among its settings.
    """
    with TemporaryDirectory() as place:
        out, begun = Path(place) / "out", perf_counter()
        subprocess.run([sys.executable, "-m", "tenorgrid", "run", "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
        whole = perf_counter() - begun
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return {str(part): float(seconds) for part, seconds in manifest["settings"]["seconds"].items()}, whole
