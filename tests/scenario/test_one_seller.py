"""What a controller governs is activated by the controller alone."""

from pathlib import Path

import pytest

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError

SCENARIO = """\
title: a test
start: 2025-08-06T20:00:00+08:00
until_s: 60
seed: 1
clock: {step_s: 10}
grid: {case: ieee39}
units:
  cells: {component: battery, at: bus_16, p_rated_mw: 60, e_rated_mwh: 120}
  seller:
    component: controller
    battery: cells
    down_mw: 60
    laws: [{law: demand_response, p_mw: 20, ramp_mw_per_s: 2}]
events:
  - {at_s: 10, activate: {unit: UNIT, p_mw: -20, duration_s: 20}}
"""


def test_a_governed_unit_is_not_activated_beside_its_controller(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(SCENARIO.replace("UNIT", "seller"))
    prepare(file)
    file.write_text(SCENARIO.replace("UNIT", "cells"))
    with pytest.raises(ScenarioError) as error:
        prepare(file)
    told = "cells is governed by seller, which sells what it can give; allowed: activate: {unit: seller, ...}"
    assert told in str(error.value)
