"""Scenario files: YAML with parents, checked against the installed models, frozen.

`load` gives a `Scenario` or one error with everything that is wrong with the file.
"""

from cosim.scenario.language import Expectation, Scenario
from cosim.scenario.loading import load, parse
from cosim.scenario.parents import shipped

__all__ = ["Expectation", "Scenario", "load", "parse", "shipped"]
