"""Units in names, frozen parameters, named streams and the registry."""

import importlib.metadata
from types import SimpleNamespace

import numpy as np
import pydantic
import pytest

from cosim.core.component import Port
from cosim.core.errors import ComponentError
from cosim.core.params import Params, column, columns
from cosim.core.registry import Registry, UnknownNameError, components, grids
from cosim.core.streams import Streams
from cosim.core.units import UNITS, unit_of


class Sample(Params):
    """A parameter model of this test."""

    p_rated_mw: float
    gpus_count: int = 4
    name: str = "x"


def test_the_longest_unit_wins():
    assert unit_of("ramp_mw_per_s") == UNITS["mw_per_s"]
    assert unit_of("p_mw") == UNITS["mw"]
    assert unit_of("power") is None


def test_a_number_without_unit_cannot_become_a_parameter():
    with pytest.raises(TypeError, match=r"Bad\.power is a number without a unit"):
        type("Bad", (Params,), {"__annotations__": {"power": float}, "__module__": __name__})


def test_a_port_without_unit_is_refused():
    with pytest.raises(TypeError, match="'power'"):
        Port("power", "no unit")


def test_parameters_are_frozen_and_refuse_unknown_keys_and_nan():
    with pytest.raises(pydantic.ValidationError):
        Sample(p_rated_mw=1.0).p_rated_mw = 2.0
    with pytest.raises(pydantic.ValidationError):
        Sample(p_rated_mw=1.0, q_rated_mvar=1.0)
    with pytest.raises(pydantic.ValidationError):
        Sample(p_rated_mw=float("nan"))


def test_columns_are_arrays_over_units():
    units = [Sample(p_rated_mw=1.0), Sample(p_rated_mw=2.5)]
    assert column(units, "p_rated_mw").tolist() == [1.0, 2.5]
    assert set(columns(units)) == {"p_rated_mw", "gpus_count"}
    assert columns([]) == {}


def test_a_stream_depends_on_seed_and_name_alone():
    first = Streams(1).stream("hefei").random(4)
    other = Streams(1)
    other.stream("huaibei").random(100)
    assert np.array_equal(first, other.stream("hefei").random(4))
    assert not np.array_equal(first, Streams(1).stream("huaibei").random(4))
    assert not np.array_equal(first, Streams(2).stream("hefei").random(4))


def test_an_unknown_name_lists_the_installed_and_the_nearest():
    with pytest.raises(UnknownNameError) as error:
        components().get("batery")
    assert "Did you mean 'battery'?" in str(error.value)
    assert "gpu_hall" in str(error.value)


def test_every_installed_entry_point_loads():
    for registry in (components(), grids()):
        for name in registry.names():
            assert hasattr(registry.get(name), "params_type"), name


def test_a_broken_entry_point_names_itself():
    entry = importlib.metadata.EntryPoint("lost", "no_such_module_anywhere:Thing", "suandian.components")
    with pytest.raises(ComponentError, match=r"lost = no_such_module_anywhere:Thing"):
        Registry("suandian.components", [entry]).get("lost")


def test_a_class_added_by_hand_is_found_and_forgotten():
    registry = Registry("suandian.components")
    registry.add("mine", SimpleNamespace)
    assert registry.get("mine") is SimpleNamespace
    registry.remove("mine")
    assert registry.names() == ()


def test_our_packages_have_exactly_one_owner():
    owners = importlib.metadata.packages_distributions()
    for package in ("cosim", "grids", "datacenters"):
        assert set(owners.get(package, ["suandian"])) == {"suandian"}


def test_a_broken_package_does_not_hide_the_sound_ones():
    entry = importlib.metadata.EntryPoint("lost", "no_such_module_anywhere:Thing", "suandian.components")
    registry = Registry("suandian.components", [entry])
    registry.add("mine", SimpleNamespace)
    assert registry.sound() == {"mine": SimpleNamespace}
