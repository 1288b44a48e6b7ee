"""The generated loop is another one as soon as any file its kernels reach is another one."""

import importlib
import sys

from grids.dynamics.device import Device
from grids.dynamics.devices.genrou import DEVICE as GENROU
from grids.dynamics.driver import Part, _source_files, source

KERNEL = """
from cosim.core.jit import jit
import slow_helpers

@jit
def rhs(u, x, v, w, s, dx):
    for k in range(u.port.size):
        dx[0, k] = slow_helpers.middle(x[0, k])
"""
HELPERS = """
from cosim.core.jit import jit
from deep_helpers import rate

@jit
def middle(x):
    return rate(x)
"""
DEEP = """
from cosim.core.jit import jit

@jit
def rate(x):
    return {sign}x
"""


def test_an_edit_two_calls_away_gives_another_driver(tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "slow_kernel.py").write_text(KERNEL)
    (tmp_path / "slow_helpers.py").write_text(HELPERS)
    (tmp_path / "deep_helpers.py").write_text(DEEP.format(sign="-"))
    kernel = importlib.import_module("slow_kernel").rhs
    model = type("Slow", (Device,), {"rhs": staticmethod(kernel), "states": ("x",)})
    parts = [Part(model, injects=False, nonlinear=False)]
    before = source(parts, (0,))
    assert source(parts, (0,)) == before
    (tmp_path / "deep_helpers.py").write_text(DEEP.format(sign="+"))
    assert source(parts, (0,)) != before
    for name in ("slow_kernel", "slow_helpers", "deep_helpers"):
        del sys.modules[name]


def test_the_shared_blocks_of_a_model_count() -> None:
    names = {path.name for path in _source_files([Part(GENROU, injects=True, nonlinear=False)])}
    assert {"device.py", "genrou.py", "blocks.py"} <= names
