"""The electrical chain of halls: losses, groups that differ, transfers that racks do or do not bridge."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.core.streams import Streams
from datacenters.feeds import MechanicalFeed, Transformer
from datacenters.psu import Psu, RackBattery
from datacenters.supply import Drawn, Supply
from datacenters.supply_offer import SupplyParams
from datacenters.ups import EFFICIENCY, Loss, Spread, Ups

RATED_MW = 100.0
SPREAD = Spread(transfer_low_pu=0.08, transfer_s=0.004, good_s=5.0, walk_in_s=5.0, dips_count=1)


def made(*params, seed=1, told=None):
    supply = Supply(params, np.full(len(params), RATED_MW), np.full(len(params), 6e4))
    names = tuple(f"hall_{i}" for i in range(len(params)))
    emit = (lambda *event: told.append(event)) if told is not None else (lambda *_: None)
    supply.reset(Context(streams=Streams(seed), names=names, emit=emit))
    return supply


def drawn(it_mw=90.0, cooling_mw=12.0, mover_mw=4.0, count=1, spread_mw2=0.0):
    it, cooling = np.full(count, it_mw), np.full(count, cooling_mw)
    return Drawn(it, it**2 + spread_mw2, it, cooling, cooling, np.full(count, mover_mw))


def stepped(supply, *, connected=1.0, ceased=0.0, feed=1.0, dt_s=1.0, **what):
    count = len(supply._params)
    heard = {"connected_pu": connected, "vm_pu": 1.0, "ceased_count": ceased, "feed_pu": feed}
    behind = supply.fed(0.0, dt_s, {name: np.full(count, value) for name, value in heard.items()})
    return behind, supply.carry(drawn(count=count, **what), dt_s)


@pytest.mark.parametrize("mode", list(EFFICIENCY))
def test_the_parabola_of_losses_gives_back_the_efficiencies_it_was_made_of(mode):
    loss = Loss.through(EFFICIENCY[mode])
    x = np.array([0.25, 0.5, 1.0])
    lost = loss.fixed_pu + loss.linear_pu * x + loss.square_pu * x**2
    assert_allclose(x / (x + lost), EFFICIENCY[mode], rtol=1e-12)
    assert 0.0 < loss.least_pu() < 0.01


def test_double_conversion_is_within_the_published_band_and_eco_at_99_percent():
    assert all(0.94 <= eta <= 0.97 for eta in EFFICIENCY["double_conversion"])
    assert EFFICIENCY["eco"][2] == 0.99


def test_losses_are_those_of_supply_and_transformer_in_a_row():
    supply = made(SupplyParams(transformer=Transformer(no_load_pu=0.002, load_pu=0.01)))
    _, out = stepped(supply)
    a, b, c = Loss.through(EFFICIENCY["double_conversion"])
    ups_mw = 100.0 * a + 102.0 * b + 102.0**2 / 100.0 * c
    transformer_mw = 0.002 * 130.0 + 0.01 * (102.0 + ups_mw) ** 2 / 130.0
    assert out["loss_mw"][0] == pytest.approx(ups_mw + transformer_mw, rel=1e-12)
    assert out["p_mw"][0] == pytest.approx(102.0 + ups_mw + transformer_mw, rel=1e-12)
    assert out["pue_pu"][0] == pytest.approx(out["p_mw"][0] / 90.0, rel=1e-12)


def test_eco_mode_loses_a_third_and_racks_that_face_the_grid_lose_least():
    double, eco, bare = (
        stepped(made(SupplyParams(**how)))[1]["loss_mw"][0]
        for how in ({"ups": Ups()}, {"ups": Ups(mode="eco")}, {"psu": Psu()})
    )
    assert bare < eco < 0.5 * double
    assert double - bare == pytest.approx(102.0 * (1 / 0.97 - 1), rel=0.05)


def test_a_power_that_swings_within_a_step_loses_more_than_its_mean():
    square_pu = Loss.through(EFFICIENCY["double_conversion"]).square_pu
    swinging, still = (
        stepped(made(SupplyParams(transformer=Transformer(load_pu=0.0))), spread_mw2=v)[1]["loss_mw"][0]
        for v in (400.0, 0.0)
    )
    assert swinging - still == pytest.approx(square_pu / RATED_MW * 400.0, rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_power_and_energy_close_whatever_is_connected(share):
    how = {"mechanical_feed": MechanicalFeed()}
    supply = made(
        SupplyParams(ups=Ups(shave_above_pu=1.0), **how), SupplyParams(psu=Psu(battery=RackBattery()), **how)
    )
    before = stepped(supply)[1]["ups_energy_mwh"]
    _, out = stepped(supply, connected=share)
    given = out["p_mw"] + out["ups_mw"]
    assert_allclose(given, 90.0 + 12.0 + out["loss_mw"] + out["capacitor_mw"], rtol=1e-12)
    assert_allclose(before - out["ups_energy_mwh"], out["ups_mw"] / 3600.0, rtol=1e-9)
    assert_allclose(out["order_mw"], out["order_racks_mw"] + out["order_plant_mw"], rtol=1e-12)


def test_groups_differ_as_stated_and_the_seed_and_the_units_name_decide():
    ups = Ups(groups_count=200, spread=SPREAD)
    supply = made(SupplyParams(ups=ups), SupplyParams(ups=ups))
    groups = np.array(supply.settings(0))
    stated = np.array([ups.transfer_low_pu, ups.transfer_s, ups.good_s, ups.walk_in_s, ups.dips_count])
    half = np.array([SPREAD.transfer_low_pu, SPREAD.transfer_s, SPREAD.good_s, SPREAD.walk_in_s, 1.0])
    assert np.all(np.abs(groups - stated) <= half)
    assert_allclose(groups.std(axis=0)[:4], half[:4] / np.sqrt(3.0), rtol=0.15)  # uniform
    assert_allclose(np.bincount(groups[:, 4].astype(int))[2:], 200 / 3, rtol=0.3)
    assert supply.settings(0) == made(SupplyParams(ups=ups)).settings(0)
    assert supply.settings(0) != supply.settings(1)
    assert supply.settings(0) != made(SupplyParams(ups=ups), seed=2).settings(0)


def test_more_groups_leave_the_first_ones_as_they_were():
    few, many = (made(SupplyParams(ups=Ups(groups_count=n, spread=SPREAD))).settings(0) for n in (3, 8))
    assert many[:3] == few


def test_groups_and_the_plants_feed_are_parts_of_one_device():
    (offer,) = made(SupplyParams(ups=Ups(groups_count=4), mechanical_feed=MechanicalFeed())).devices()
    assert [part.name for part in offer.parts] == ["ups 1", "ups 2", "ups 3", "ups 4", "plant"]
    assert sum(part.share_pu for part in offer.parts[:4]) == pytest.approx(1.0)
    ports = {port.name for port in Supply.outputs} | {port.name for port in Supply.inputs}
    assert {*offer.inputs, *offer.reports} <= ports
    ratings = [part.models["electronic_load"]["sn_mva"] for part in offer.parts]
    assert ratings == pytest.approx([32.5, 32.5, 32.5, 32.5, 50.0])


def test_racks_without_a_supply_go_dark_when_their_power_supplies_let_go():
    told = []
    supply = made(SupplyParams(psu=Psu()), told=told)
    assert stepped(supply)[0] == [1.0]
    assert stepped(supply, ceased=1.0)[0] == [0.0]  # though all were back at the end of the exchange
    assert stepped(supply, ceased=1.0, connected=0.4)[0] == [0.0]
    assert stepped(supply, ceased=1.0)[0] == [1.0]
    assert [event[1:3] for event in told] == [("hall_0", "racks_drop")]


@pytest.mark.parametrize(
    ("hold_s", "it_mw", "drops"), [(0.020, 90.0, False), (0.008, 90.0, True), (0.008, 40.0, False)]
)
def test_an_eco_transfer_drops_racks_whose_hold_up_is_shorter(hold_s, it_mw, drops):
    supply = made(SupplyParams(ups=Ups(mode="eco", eco_transfer_s=0.006), psu=Psu(hold_s=hold_s)))
    stepped(supply, it_mw=it_mw)
    behind, _ = stepped(supply, connected=0.0, ceased=1.0, it_mw=it_mw)
    assert (behind[0] == 0.0) is np.bool_(drops)
    assert stepped(supply, connected=0.0, ceased=1.0)[0] == [1.0]  # the batteries have them now


def test_double_conversion_has_no_gap_to_bridge():
    supply = made(SupplyParams(ups=Ups(), psu=Psu(hold_s=0.001)))
    stepped(supply)
    assert stepped(supply, connected=0.0, ceased=1.0)[0] == [1.0]


def test_the_plant_stands_still_while_its_feed_is_open():
    supply = made(SupplyParams(mechanical_feed=MechanicalFeed()), SupplyParams())
    assert [stepped(supply, feed=f)[0].tolist() and supply.plant_pu.tolist() for f in (1.0, 0.0, 1.0)] == [
        [1.0, 1.0],
        [0.0, 1.0],
        [1.0, 1.0],
    ]


def test_a_battery_shaves_peaks_down_to_its_reserve_and_recharges_below_the_level():
    ups = Ups(battery_min=5.0, shave_above_pu=1.0, shave_reserve_pu=0.9)
    supply = made(SupplyParams(ups=ups))
    _, peak = stepped(supply)
    assert peak["p_mw"][0] == pytest.approx(100.0)
    assert peak["ups_mw"][0] == pytest.approx(peak["facility_mw"][0] - 100.0)
    for _ in range(600):
        _, peak = stepped(supply)
    assert peak["p_mw"][0] == pytest.approx(peak["facility_mw"][0])
    assert peak["ups_energy_mwh"][0] == pytest.approx(0.9 * 100.0 * 5.0 / 60.0)
    _, below = stepped(supply, it_mw=80.0)
    assert below["p_mw"][0] == pytest.approx(100.0)
    assert below["ups_mw"][0] < 0.0


def test_a_battery_that_cannot_feed_its_hall_for_one_step_is_refused_with_the_numbers():
    supply = made(SupplyParams(ups=Ups(battery_min=0.01)))
    stepped(supply, dt_s=0.5)
    with pytest.raises(ScenarioError) as told:
        stepped(supply, dt_s=1.0)
    assert str(told.value) == (
        "hall_0: battery_min=0.01 holds 0.01667 MWh, which cannot feed the rated 100 MW for one step of 1 s"
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ups": {"spread": {"transfer_low_pu": 0.1}}}, "with its spread transfer_low_pu=0.9 is not below"),
        (
            {"ups": {"spread": {"transfer_s": 0.01}}},
            "spread of transfer_s=0.01 is more than transfer_s=0.005",
        ),
        ({"ups": {"spread": {"dips_count": 3}}}, "with its spread dips_count=3 is not within 1 to 10"),
        ({"ups": {"eta_quarter_pu": 0.6, "eta_half_pu": 0.99}}, "no supply loses less than nothing"),
        ({"ups": {}, "psu": {"battery": {}}}, "not both"),
        ({"ups": {}, "psu": {"ride_through": "itic"}}, "psu.ride_through=.itic.: power supplies behind an"),
    ],
)
def test_what_cannot_be_a_supply_is_refused_with_numbers(given, says):
    with pytest.raises(ValueError, match=says):
        SupplyParams(**given)


def test_a_curve_that_is_wrong_is_refused_when_the_hall_is_built():
    with pytest.raises(ScenarioError, match="neither itic, semi_f47"):
        made(SupplyParams(ups=Ups(ride_through="cbmea")))


def test_a_curve_that_lets_go_where_the_supply_would_come_back_is_refused_with_both_voltages(tmp_path):
    file = tmp_path / "narrow.csv"
    file.write_text("duration_s,vm_low_pu,vm_high_pu\n0.02,0,1.4\ninf,0.95,1.05\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as told:
        made(SupplyParams(ups=Ups(ride_through=str(file))), SupplyParams(psu=Psu(ride_through="itic")))
    low, high = str(told.value).splitlines()
    assert low.endswith("narrow.csv: its last vm_low_pu=0.95 is above good_low_pu=0.9")
    assert high.endswith("narrow.csv: its last vm_high_pu=1.05 is below good_high_pu=1.1")


def test_a_battery_never_gives_more_than_it_has_and_rests_until_the_grid_is_back():
    supply = made(SupplyParams(ups=Ups(battery_min=5.0)))
    stepped(supply, dt_s=60.0)
    lit, energy_mwh = [], []
    for connected in (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0):
        heard = {"connected_pu": connected, "vm_pu": 1.0, "ceased_count": 0.0, "feed_pu": 1.0}
        runs = supply.fed(0.0, 60.0, {name: np.full(1, value) for name, value in heard.items()})[0]
        out = supply.carry(drawn() if runs else drawn(0.0, 0.0, 0.0), 60.0)
        lit.append(runs)
        energy_mwh.append(out["ups_energy_mwh"][0])
    assert lit == [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    assert 0.0 < energy_mwh[3] == energy_mwh[7] < energy_mwh[8]


def test_rectifiers_give_reactive_power_within_the_circle_of_their_rating():
    """Of 130 MVA with 102 MW and their losses behind them; a supply that only switches cannot."""
    supply = made(SupplyParams(ups=Ups()))
    _, plain = stepped(supply)
    room_mvar = np.sqrt(130.0**2 - plain["order_racks_mw"] ** 2)
    for order_mvar, whole_mvar in ((-30.0, plain["q_mvar"] - 30.0), (-500.0, -room_mvar), (500.0, room_mvar)):
        out = supply.carry(drawn(), 1.0, np.array([order_mvar]))
        assert_allclose(out["q_mvar"], whole_mvar, rtol=1e-9)
        assert_allclose(out["p_mw"], plain["p_mw"])
    with pytest.raises(ScenarioError, match="hall_0: q_order_mvar=-1 needs rectifiers"):
        made(SupplyParams(ups=Ups(mode="eco"))).carry(drawn(), 1.0, np.array([-1.0]))
