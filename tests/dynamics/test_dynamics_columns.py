"""Every column of a dynamic table changes something: a start or a kernel reads it."""

import ast
import inspect
import sys

import pytest

from grids.dynamics.device import Device, parameter_names
from grids.dynamics.devices.gen_frequency_trip import OVER, UNDER
from grids.dynamics.registry import device, device_names

KERNELS = ("inject", "measure", "rhs", "after")
TELLING = ("findings", "lags", "time_constants", "demands")
"""Functions that read a column to judge it, not to use it."""
UP_TO_3, UP_TO_6 = "123", (*"123456", "special")
BY_STAGE = {
    "ufls": [column.format(n) for n in UP_TO_6 for column in ("f{}_hz", "t{}_s", "share{}_pu")],
    "uvls": [column.format(n) for n in UP_TO_3 for column in ("v{}_pu", "t{}_s", "share{}_pu")],
    "gen_frequency_trip": [
        *(column.format(n + 1) for n in range(UNDER) for column in ("fu{}_hz", "tu{}_s")),
        *(column.format(n + 1) for n in range(OVER) for column in ("fo{}_hz", "to{}_s")),
    ],
    "electronic_load": [
        *(f"{x}cease{n}_{unit}" for n in "2345" for x, unit in (("v", "pu"), ("t", "s"))),
        *(f"{x}high{n}_{unit}" for n in "23" for x, unit in (("v", "pu"), ("t", "s"))),
    ],
    "reec_a": [f"{x}{axis}{n}_pu" for axis in "qp" for n in "1234" for x in "vi"],
    "reec_c": [f"{x}{axis}{n}_pu" for axis in "qp" for n in "1234" for x in "vi"],
}
"""Columns that are counted on from the first one, in this order."""
ELSEWHERE = {"hvdc_vsc": {"partner"}, "hvdc_lcc": {"partner"}}
"""Columns read by what the model imports."""


def read_names(cls: type[Device]) -> set[str]:
    """Return what the sources of a model name, its parameters and what judges them apart."""
    owners = {sys.modules[c.__module__] for c in cls.__mro__ if issubclass(c, Device) and c is not Device}
    owners |= {sys.modules[getattr(cls, k).__module__] for k in KERNELS if getattr(cls, k) is not None}
    own = cls.__module__.rpartition(".")[2]
    owners |= {
        sys.modules[made.__module__]
        for made in vars(sys.modules[cls.__module__]).values()
        if f".{own}_" in str(getattr(made, "__module__", ""))
    }
    found: set[str] = set()

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef) and node.name in TELLING:
            return
        if isinstance(node, ast.ClassDef) and node.name.endswith("Params"):
            return
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        if isinstance(node, ast.Constant):
            found.add(str(node.value))
        for child in ast.iter_child_nodes(node):
            walk(child)

    for owner in owners:
        walk(ast.parse(inspect.getsource(owner)))
    return found


@pytest.mark.parametrize("name", device_names())
def test_every_column_is_read(name: str) -> None:
    cls = device(name)
    known = read_names(cls) | set(BY_STAGE.get(name, ())) | ELSEWHERE.get(name, set())
    assert set(cls.params_type.model_fields) - known == set()


@pytest.mark.parametrize("name", sorted(BY_STAGE))
def test_the_stages_of_a_table_stand_in_the_order_they_are_counted(name: str) -> None:
    names, expected = parameter_names(device(name).params_type), BY_STAGE[name]
    first = names.index(expected[0])
    assert list(names[first : first + len(expected)]) == expected
