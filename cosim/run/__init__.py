"""Plan -> mosaik World -> results: the only place that starts mosaik."""

from cosim.run.manifest import run_folder
from cosim.run.runner import run

__all__ = ["run", "run_folder"]
