"""Secondary control: frequency and exchange return as the closed form says, in cycles and within limits."""

import numpy as np
import pytest

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.dynamics import GeneratorTrip, LoadStep, begin, simulate
from grids.dynamics.devices.agc import Agc, AgcParams
from grids.dynamics.tables import Unit

KUNDUR = load_case("kundur")
EQUALLY = "gen_1:0.25; gen_2:0.25; gen_3:0.25; gen_4:0.25"
BETA_MW_PER_HZ = 4 * 900.0 / 0.05 / 60.0
"""Primary response of the four machines: rating over droop."""
STEP_MW = 100.0


def _units(**changes):
    given = {"participants": EQUALLY, "bias_mw_per_hz": BETA_MW_PER_HZ, "ki_per_s": 0.02} | changes
    return [Unit("agc", "gen_1", AgcParams(**given))]


def _run(until_s: float, *events, **changes):
    wanted = events or (LoadStep(STEP_MW, 1.0, bus=7),)
    return simulate(KUNDUR, wanted, until_s=until_s, step_s=1 / 60, units=_units(**changes))


@pytest.fixture(scope="module")
def settling():
    """Return a run long enough for the turbines to follow."""
    return _run(120.0)


def test_it_starts_flat() -> None:
    assert np.abs(begin(KUNDUR, units=_units()).derivatives).max() < 1e-8


def test_the_frequency_returns_with_the_time_constant_of_the_loop(settling) -> None:
    # between cycles the primary response holds df = (order - loss)/beta; with B = beta each cycle takes
    # ki Tc of the error away
    late = settling.f_coi_hz[settling.t_s >= 44.0] - 60.0
    at = [late.iloc[np.argmin(np.abs(late.index - t))] for t in (44.0, 84.0)]
    assert at[1] / at[0] == pytest.approx((1.0 - 0.02 * 4.0) ** 10, rel=0.05)


def test_orders_come_in_exact_cycles_and_add_up_the_errors(settling) -> None:
    ace, order = settling.signal("ace_mw")["gen_1"], settling.signal("agc_mw")["gen_1"]
    change = order.diff()[order.diff().abs() > 1e-9]
    assert np.allclose(change.index, np.arange(4.0, 120.1, 4.0), rtol=0, atol=1e-9)
    assert np.allclose(change, -0.02 * 4.0 * ace[change.index], rtol=1e-9)


def test_participants_share_the_order_by_their_factors() -> None:
    shares = {"gen_1": 0.5, "gen_2": 0.3, "gen_3": 0.2}
    text = "; ".join(f"{name}:{share}" for name, share in shares.items())
    run = _run(30.0, participants=text)
    paux = {name: run.session.signal(name, "paux") for name in shares}
    order_pu = run.session.signal("gen_1", "agc_mw") / 900.0
    for name, share in shares.items():  # paux of TGOV1 is a speed: it is divided by the droop
        assert paux[name] == pytest.approx(order_pu * share * 0.05, rel=1e-12)


def test_the_order_of_a_tripped_participant_goes_to_the_others() -> None:
    run = _run(12.0, GeneratorTrip("gen_2", at_s=1.0))
    paux = [run.session.signal(f"gen_{i}", "paux") for i in (1, 2, 3)]
    assert paux[1] == 0.0
    assert paux[0] == pytest.approx(run.session.signal("gen_1", "agc_mw") / 3 / 900.0 * 0.05, rel=1e-12)


def test_only_the_area_that_changed_answers_in_the_end_and_the_tie_returns_to_schedule() -> None:
    lines = [name for name in KUNDUR.net.line["name"] if name.startswith("line_7_8")]
    units = []
    for at, pair in (("bus_7", ("gen_1", "gen_2")), ("bus_8", ("gen_3", "gen_4"))):
        params = AgcParams(
            participants="; ".join(f"{name}:0.5" for name in pair),
            ties="; ".join(f"{name}:{at}" for name in lines),
            bias_mw_per_hz=BETA_MW_PER_HZ / 2,
            ki_per_s=0.03,
        )
        units.append(Unit("agc", pair[0], params))
    run = simulate(
        KUNDUR, [LoadStep(STEP_MW, 1.0, bus=8)], until_s=240.0, step_s=1 / 60, units=units, every=60
    )
    ace, order = run.signal("ace_mw").iloc[-1], run.signal("agc_mw").iloc[-1]
    assert ace.abs().max() < 1.0
    assert order["gen_3"] > 0.7 * STEP_MW
    assert abs(order["gen_1"]) < 0.1 * STEP_MW
    assert abs(run.f_coi_hz.iloc[-1] - 60.0) < 1e-3


def test_a_limited_order_does_not_wind_up() -> None:
    back = [LoadStep(STEP_MW, 1.0, bus=7), LoadStep(-STEP_MW, 60.0, bus=7)]
    run = _run(90.0, *back, limit_mw=10.0, ki_per_s=0.05)
    order = run.signal("agc_mw")["gen_1"]
    assert order.max() == 10.0
    assert order[order.index < 59.0].iloc[-1] == 10.0
    assert order[order.index > 69.0].iloc[0] < 10.0  # released within two cycles of the return


def test_the_order_moves_no_faster_than_its_ramp() -> None:
    order = _run(30.0, ramp_mw_per_s=0.5).signal("agc_mw")["gen_1"]
    assert order.diff().abs().max() == pytest.approx(2.0)


def test_a_fork_in_mid_cycle_continues_bit_by_bit() -> None:
    session = begin(KUNDUR, [LoadStep(STEP_MW, 1.0, bus=7)], step_s=1 / 60, units=_units())
    session.advance(6.5)
    fork = session.state()
    session.advance(13.0)
    x, s = session.system.x.copy(), session.system.s.copy()
    session.restore(fork)
    session.advance(13.0)
    assert np.array_equal(session.system.x, x)
    assert np.array_equal(session.system.s, s)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"participants": "gen_1:0.5; gen_9:0.5"}, ["'gen_9' has no governor", "Did you mean 'gen_"]),
        ({"participants": "load_7:1"}, ["'load_7' has no governor"]),
        ({"ties": "line_7_9:bus_7"}, ["'line_7_9' at 'bus_7'"]),
        ({"ties": "line_5_6:bus_7"}, ["'line_5_6' at 'bus_7'"]),
    ],
)
def test_what_is_not_there_is_refused(changes: dict[str, str], words: list[str]) -> None:
    with pytest.raises(CaseError) as error:
        begin(KUNDUR, units=_units(**changes))
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize("text", ["gen_1", "gen_1:0.5; gen_2:0.4", "gen_1:1.5; gen_2:-0.5", ""])
def test_shares_that_cannot_be_read_or_do_not_sum_to_one_are_found(text: str) -> None:
    assert Agc.findings(AgcParams(participants=text, bias_mw_per_hz=1.0))


def test_a_cycle_shorter_than_the_step_is_refused() -> None:
    with pytest.raises(
        CaseError, match=r"gen_1 \(agc\) cycle_s=0.01 is shorter than the step of 0.0166667 s"
    ):
        _run(1.0, cycle_s=0.01)
