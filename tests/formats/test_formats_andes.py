"""A case written for ANDES carries the whole operating point and every device, by itself."""

import numpy as np
import pytest
from formats_made import raw_text, written
from numpy.testing import assert_allclose

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.dynamics.registry import device, device_names
from grids.dynamics.tables import read_units
from grids.formats.andes import ADDED_PU, andes_records, write_andes
from grids.formats.andes_models import MODELS
from grids.formats.importing import import_case

TWO_AT_ONE_BUS = {
    "bus": ["1,'A',20.0,3", "2,'B',230.0,1", "3,'C',20.0,2"],
    "generator": [
        "1,'1 ',0.0,0.0,999.0,-999.0,1.02,0,900.0,0.0,0.25,0.0,0.0,1.0,1,100.0,900.0,0.0",
        "3,'1 ',100.0,0.0,999.0,-999.0,1.01,0,200.0,0.0,0.3,0.0,0.0,1.0,1,100.0,200.0,0.0",
        "3,'2 ',50.0,0.0,999.0,-999.0,1.01,0,100.0,0.0,0.3,0.0,0.0,1.0,1,100.0,100.0,0.0",
    ],
    "load": ["2,'1 ',1,1,1,300.0,80.0"],
    "fixed shunt": ["2,'1 ',1,2.0,30.0"],
    "transformer": [
        *("1,2,0,'1 ',1,1,1,0.001,-0.002,2,'T',1", "0.001,0.02,100.0", "1.03,0.0,30.0", "1.0,0.0"),
        *("2,3,0,'1 ',1,1,1,0.0,0.0,2,'T',1", "0.0,0.05,100.0", "1.0,0.0,-30.0", "0.98,0.0"),
    ],
}


def network_of(records):
    """Return bus admittances and voltages from the records alone, by the equations of ANDES's Line."""
    place = {bus["idx"]: k for k, bus in enumerate(records["Bus"])}
    y = np.zeros((len(place), len(place)), dtype=complex)
    for line in records["Line"]:
        f, t = place[line["bus1"]], place[line["bus2"]]
        ys = 1 / complex(line["r"] + ADDED_PU, line["x"] + ADDED_PU)
        half = complex(line.get("g", 0.0), line.get("b", 0.0)) / 2
        m = line["tap"] * np.exp(1j * line["phi"])
        y[f, f] += (ys + half + complex(line.get("g1", 0.0), line.get("b1", 0.0))) / abs(m) ** 2
        y[t, t] += ys + half + complex(line.get("g2", 0.0), line.get("b2", 0.0))
        y[f, t] -= ys / np.conj(m)
        y[t, f] -= ys / m
    for shunt in records["Shunt"]:
        y[place[shunt["bus"]], place[shunt["bus"]]] += complex(shunt["g"], shunt["b"])
    v = np.array([bus["v0"] * np.exp(1j * bus["a0"]) for bus in records["Bus"]])
    return place, y, v


def mismatch(records):
    place, y, v = network_of(records)
    s = v * np.conj(y @ v)
    for model, sign in (("PQ", 1.0), ("PV", -1.0), ("Slack", -1.0)):
        for row in records[model]:
            s[place[row["bus"]]] += sign * complex(row["p0"], row["q0"])
    return np.abs(s).max()


@pytest.mark.parametrize("name", ["kundur", "smib", "ieee39"])
def test_the_records_alone_hold_a_solved_power_flow(name):
    records, remarks = andes_records(load_case(name))
    assert mismatch(records) < 1e-9
    assert remarks == []


def test_phase_shifters_shunts_and_machines_that_share_a_bus_are_kept(tmp_path):
    raw = written(tmp_path, "shared.raw", raw_text(33, TWO_AT_ONE_BUS))
    dyr = "".join(f"{bus} 'GENCLS' {key} {h} 0.0 /\n" for bus, key, h in ((1, 1, 5), (3, 1, 4), (3, 2, 3)))
    import_case([str(raw), str(written(tmp_path, "shared.dyr", dyr))], tmp_path / "case")
    records, _ = andes_records(load_case(str(tmp_path / "case")))
    assert mismatch(records) < 1e-9
    assert_allclose([line["phi"] for line in records["Line"]], np.deg2rad([-30, -30]))
    assert len(records["PV"]) == 1
    shares = {row["name"]: row for row in records["GENCLS"]}
    assert_allclose(shares["gen_3"]["gammap"] + shares["gen_3_2"]["gammap"], 1.0)
    assert_allclose(shares["gen_3"]["gammaq"] + shares["gen_3_2"]["gammaq"], 1.0)
    assert_allclose(shares["gen_3"]["gammap"], 2 / 3, atol=1e-6)
    assert [shares[n]["M"] for n in ("gen_1", "gen_3", "gen_3_2")] == [10.0, 8.0, 6.0]
    assert [shares[n]["xd1"] for n in ("gen_1", "gen_3", "gen_3_2")] == [0.25, 0.3, 0.3]


def test_every_unit_hangs_on_the_device_of_its_element():
    case = load_case("ieee39")
    records, _ = andes_records(case)
    units = read_units(case)
    idx = {model: {row["idx"]: row["name"] for row in rows} for model, rows in records.items()}
    for unit in units:
        model = MODELS[unit.model]
        row = next(r for r in records[model.name] if r["name"] == unit.element)
        if model.host != "gen":
            hosts = {k: v for rows in idx.values() for k, v in rows.items()}
            assert hosts[row[model.host]] == unit.element
    assert sum(len(records[MODELS[m].name]) for m in {u.model for u in units}) == len(units)


@pytest.mark.parametrize("model", MODELS)
def test_the_map_to_andes_names_fields_of_our_model(model):
    assert model in device_names()
    fields = device(model).params_type.model_fields
    assert set(MODELS[model].params) <= set(fields)
    kept = {"h_s", "dbl_pu", "dbu_pu", "plim_pu", "vr_follows_v_code", "tf_s", "tw_s"}
    assert set(fields) - set(MODELS[model].params) <= kept


def test_what_andes_does_not_have_is_listed(tmp_path):
    with pytest.raises(CaseError, match=r"'\.mat' is not written \(allowed: \.json, \.xlsx\)"):
        write_andes(load_case("kundur"), tmp_path / "k.mat")
    raw = written(tmp_path, "salient.raw", raw_text(33, TWO_AT_ONE_BUS))
    salient = "8.0 0.05 0.07 4.0 0.0 1.1 0.7 0.35 0.25 0.12 0.05 0.2 /\n"
    dyr = "1 'GENCLS' 1 5.0 0.0 /\n" + "".join(f"3 'GENSAL' {key} {salient}" for key in (1, 2))
    import_case([str(raw), str(written(tmp_path, "salient.dyr", dyr))], tmp_path / "case")
    with pytest.raises(CaseError, match=r"gensal\.csv: is not written for ANDES 2\.0, of gen_3, gen_3_2"):
        andes_records(load_case(str(tmp_path / "case")))
