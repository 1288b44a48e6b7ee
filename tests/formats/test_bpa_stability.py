"""PSD-BPA stability cards become rows of the dynamic tables, or are listed."""

import pytest
from bpa_made import NINE, SWITCHING, files
from numpy.testing import assert_allclose

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.dynamics.start import begin
from grids.dynamics.tables import read_units
from grids.formats.importing import import_case

SUBSTITUTED = """GJ GEN2    18.  .02  .0013 20.  3                                    .1   -.1
GA GEN2    18.  200.  .2  .4  -1. 1.  1.05-.02.02 8.                  .1  -.1
FV GEN2    18.          .01  50.  1. 1.   8.   .1   .1   10.  .01       1.
F+ GEN2    18.  10.  -10.                           7.8 -6. .1
SI GEN2    18.   .02   6.
GH GEN1    16.5 250.  .04  .5   .05  5.   1.   .2   .1   .4
90
"""
TWO_AT_ONE = """M  GEN2    18. 160.   .9             .2   .2   .03 .05
MF GEN2    18. 1240.  .6 .7 60.     .25  .4   1.8  1.7  6.  .5 .15
M  GEN2    18. 240.   .9             .2   .2   .03 .05
MF GEN2    18. 2160.  .4 .3 40.     .25  .4   1.8  1.7  6.  .5 .15
"""


def machines(swi):
    """Return the cards of machines alone."""
    return "\n".join(line for line in swi.splitlines() if line[:2] in {"M ", "MF"}) + "\n"


def read(folder, swi, **how):
    said = import_case(files(folder, NINE, swi), folder / "case", **how)
    case = load_case(str(folder / "case"))
    return case, {(u.model, u.element): u.params for u in read_units(case)}, said


def test_machines_governors_exciters_and_loads_have_the_values_of_their_cards(tmp_path):
    case, units, _ = read(tmp_path, SWITCHING)
    hydro, steam = units["gensal", "gen_GEN1_16.5"], units["genrou", "gen_GEN2_18"]
    assert_allclose((hydro.h_s, hydro.xd_pu, hydro.xq_pu, hydro.xl_pu), (23.64, 0.146, 0.0969, 0.0336))
    assert_allclose((steam.xd1_pu, steam.xq1_pu, steam.xd2_pu, steam.tq10_s), (0.1198, 0.1969, 0.09, 0.54))
    assert_allclose(units["genrou", "gen_GEN3_13.8"].xd_pu, 1.3125)
    reheat, plain = units["ieeeg1", "gen_GEN2_18"], units["ieeeg1", "gen_GEN3_13.8"]
    assert_allclose(
        (reheat.sn_mva, reheat.k_pu, reheat.t5_s, reheat.k3_pu, reheat.uc_pu_per_s), (200, 20, 8, 0.4, -1)
    )
    assert_allclose((plain.sn_mva, plain.k_pu, plain.k1_pu, plain.t4_s), (150, 20, 1, 0.4))
    rotating, static = units["ieeex1", "gen_GEN2_18"], units["exst1", "gen_GEN3_13.8"]
    assert_allclose((rotating.te_s, rotating.e2_pu, rotating.se2_pu, rotating.ka_pu), (0.314, 2.4, 0.163, 20))
    assert_allclose((static.kc_pu, static.vimin_pu, static.ka_pu), (0.05, -0.2, 200))
    mixed, named = units["zip", "load_BUS5_230"], units["zip", "load_BUS8_230"]
    assert_allclose((mixed.pz_pu, mixed.pp_pu, mixed.qp_pu, mixed.kpf_pu), (0.4, 0.4, 0.3, 1.2))
    assert (named.pz_pu, named.qz_pu) == (1.0, 1.0)
    assert_allclose(case.net.gen["sn_mva"], 100.0)


def test_the_case_starts_flat(tmp_path):
    case, _, _ = read(tmp_path, SWITCHING)
    assert abs(begin(case, step_s=0.005).derivatives).max() < 1e-6


def test_events_and_settings_are_listed_and_nothing_is_read_behind_90(tmp_path):
    _, _, said = read(tmp_path, SWITCHING)
    for line in (
        "LS: 1 card not taken (an event",
        "FF: 1 card",
        "90: 3 cards not taken (from here on",
        "lines 23-25",
    ):
        assert line in said


def test_substitutes_are_taken_only_when_told_to_and_are_named(tmp_path):
    swi = machines(SWITCHING) + SUBSTITUTED
    with pytest.raises(CaseError) as error:
        read(tmp_path, swi)
    assert "SI: 1 card not taken (a stabiliser is left out), line 11" in str(error.value)
    _, units, said = read(tmp_path, swi, replace=True)
    valve, field = units["ieeeg1", "gen_GEN2_18"], units["exst1", "gen_GEN2_18"]
    assert_allclose((valve.k_pu, valve.t3_s, valve.uo_pu_per_s, valve.uc_pu_per_s), (20, 0.05, 0.25, -0.5))
    assert_allclose((valve.dbu_pu, valve.plim_pu), (0.00065, 0.1))
    assert_allclose((field.ka_pu, field.tc_s, field.tb_s, field.kc_pu, field.vrmin_pu), (500, 1, 8, 0.1, -6))
    gate = units["hygov", "gen_GEN1_16.5"]
    assert_allclose(
        (gate.rperm_pu, gate.rtemp_pu, gate.tr_s, gate.tw_s, gate.velm_pu_per_s), (0.04, 0.4, 5, 2, 0.1)
    )
    assert "hygov is GH with a nonlinear water column (unconfirmed); at GEN1 '1'" in said
    assert (tmp_path / "case" / "ieeeg1.csv").read_text(encoding="utf-8").count("derived") == 1


def test_converters_ride_through_at_the_size_of_their_card(tmp_path):
    dat = NINE.replace("B     BUS8    230.1A100. 35.", "B     BUS8    230.1A100. 35.          60. 45.")
    swi = machines(SWITCHING) + "MS BUS8    230.\nEU BUS8    230.   .02\n"
    import_case(files(tmp_path, dat, swi), tmp_path / "case", replace=True)
    case = load_case(str(tmp_path / "case"))
    units = {u.model: u for u in read_units(case) if u.element == "pv_BUS8_230"}
    assert set(units) == {"regc_a", "reec_a"}
    assert_allclose(units["regc_a"].params.sn_mva, 60 / 0.9)
    assert_allclose(case.net.sgen["p_mw"], 45.0)


def test_the_overshoot_of_a_turbine_moves_share_from_the_reheated_stage_to_the_first(tmp_path):
    reheat = next(line for line in SWITCHING.splitlines() if line.startswith("TB"))
    swi = SWITCHING.replace(reheat, f"{reheat:<76}.5")
    with pytest.raises(CaseError, match="overshoot of TB"):
        read(tmp_path, swi)
    _, units, _ = read(tmp_path, swi, replace=True)
    stages = units["ieeeg1", "gen_GEN2_18"]
    assert_allclose((stages.k1_pu, stages.k3_pu, stages.k5_pu), (0.45, 0.25, 0.3))


def test_units_at_one_bus_share_what_its_card_makes(tmp_path):
    others = [line for line in machines(SWITCHING).splitlines() if "GEN2" not in line]
    swi = "\n".join([*others, TWO_AT_ONE])
    case, units, _ = read(tmp_path, swi)
    gens = case.net.gen.set_index("name")
    assert_allclose(gens.loc[["gen_GEN2_18", "gen_GEN2_18_2"], "p_mw"], (0.6 * 163, 0.4 * 163))
    assert_allclose(gens.loc["gen_GEN2_18_2", "max_q_mvar"], 0.3 * 200)
    assert {units["genrou", name].sn_mva for name in ("gen_GEN2_18", "gen_GEN2_18_2")} == {60.0, 40.0}


def test_a_machine_behind_its_transient_reactance_is_gencls_and_one_of_mg_saturates_by_its_curve(tmp_path):
    swi = """MC GEN1    16.5 999999      100.    .001
M  GEN2    18.  200.  .9             .2   .2   .03 .05
MG GEN2    18.  500.        200.    .25  .4   1.8  1.7  6.  .5 8.   1.   .15
"""
    _, units, _ = read(tmp_path, swi)
    assert_allclose(units["gencls", "gen_GEN1_16.5"].h_s, 9999.99)
    curve = units["genrou", "gen_GEN2_18"]
    assert_allclose((curve.s10_pu, curve.s12_pu), (0.15, 0.15 * 1.2**7))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "MF GEN2    18.  640.",
            "MF GEN2    18.  64O.",
            "line 6, card MF, columns 17-22 (energy_mws): '64O.'",
        ),
        ("M  GEN2 ", "MX GEN2 ", "MX: 1 card not taken (no such card is read), line 5"),
        ("FZ GEN2 ", "SF GEN2 ", "GEN2' has no FZ card"),
        ("GS GEN2    18.  200.  0.    .05", "GS GEN2    18.  200.  0.    0. ", "R 0, PMAX 200"),
        (".4   .5   .2   .2   .4   .3 ", ".4   .5   .2   .2   .3   .3 ", "shares of P sum to 0.9"),
        (
            "TA GEN3    13.8",
            "TA BUS9    230.",
            "TA: 1 card not taken (its bus makes nothing in nine.dat), line 13",
        ),
        ("GS GEN3    13.8", "GS GEN4    13.8", "GS: 1 card not taken (its bus is not in nine.dat), line 12"),
    ],
)
def test_what_cannot_be_names_file_line_and_card(tmp_path, old, new, said):
    assert old in SWITCHING
    with pytest.raises(CaseError) as error:
        read(tmp_path, SWITCHING.replace(old, new, 1), replace=not said.endswith(("13", "12", "5")))
    assert said in str(error.value)


def test_what_is_wrong_and_what_is_not_read_is_told_together_of_both_files(tmp_path):
    dat = NINE.replace(".0085 .072", ".0085 .0x2").replace("(END)", "QP   X\n(END)")
    swi = SWITCHING.replace("M  GEN2 ", "MX GEN2 ", 1)
    with pytest.raises(CaseError) as error:
        import_case(files(tmp_path, dat, swi), tmp_path / "case")
    assert len(str(error.value).splitlines()) == 3
    for said in ("card L, columns 45-50", "nine.dat: QP: 1 card not taken", "MX: 1 card not taken"):
        assert said in str(error.value)
    swi = swi.replace("2364.", "23x4.").replace("640.", "64O.")
    with pytest.raises(CaseError) as error:
        import_case(files(tmp_path, NINE, swi), tmp_path / "case")
    for said in ("'23x4.'", "'64O.'", "MX: 1 card not taken"):
        assert said in str(error.value)
