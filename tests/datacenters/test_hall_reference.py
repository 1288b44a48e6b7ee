"""The hall kernel against two independent solutions: NumPy sub-step by sub-step, and a stiff ODE solver."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from cosim.core.streams import Streams
from datacenters.hall import GpuHallParams
from datacenters.hall_model import HallModel
from datacenters.kernels import hall_rows as r
from datacenters.kernels.hall import take
from datacenters.sizing import thermal_network
from datacenters.smoothing import Smoothing
from datacenters.thermal import heat_flows, rates

PARAMS = [
    GpuHallParams(it_rated_mw=100.0),
    GpuHallParams(rack="h100_hgx_air", racks_count=500, rack_groups_count=7, memory_bound_pu=0.3),
    GpuHallParams(
        it_rated_mw=50.0,
        gpus_count=25000,
        curve_exponent_pu=1.6,
        memory_bound_pu=0.4,
        work_intensity_pu=0.9,
        rack_groups_count=12,
        smoothing=Smoothing(floor_pu=0.5, ramp_up_pu_per_s=0.2, ramp_down_pu_per_s=0.1),
    ),
]
NETWORKS = [thermal_network(p) for p in PARAMS]
STATES = slice(0, r.N_RACK_STATES)


def made():
    model = HallModel(PARAMS)
    model.reset(Streams(3), ["a", "b", "c"])
    model.inputs[:] = [8000.0, 20.0, 1.0, 1.0, 1.0, 15.0, 0.0, 1.0]
    assert not model.settle().any()
    model.params[:, [r.T_TRIP, r.T_INLET_TRIP]] = np.inf
    return model


def clocks(p, die):
    over = np.clip((die - p[r.T_THROTTLE]) / p[r.BAND], 0, 1)
    return 1 - (1 - p[r.CLOCK_MIN]) * over


def cap_clock(p, cap, leak, on):
    room = cap * p[r.RATED_MW] - on * p[r.IDLE_MW] - leak
    by_cap = np.clip(room / (on * p[r.SPAN_MW]), 0, 1) ** (1 / p[r.EXPONENT])
    return max(by_cap, p[r.CLOCK_MIN]) if cap < 1 else 1.0


def speed(p, clock):
    return 1 / ((1 - p[r.MEMORY_BOUND]) / clock + p[r.MEMORY_BOUND])


def wishes(p, die, assigned, most):
    """Return what racks want [MW], (racks,), where heat may hold clocks below `most`."""
    clock = np.minimum(most, clocks(p, die))
    busy = np.minimum(assigned * speed(p, most) / speed(p, clock), 1)
    curve = busy if p[r.CURVE] == 1 else 2 * busy - busy ** p[r.CURVE]
    return (p[r.IDLE_MW] + p[r.SPAN_MW] * curve * clock ** p[r.EXPONENT]) / p[r.RACKS]


def shaped(p, wanted, clock, cap, leak, *, held, dt_s):
    """Return what work may draw and what is drawn with ballast on top [MW], all racks on."""
    highest = held + p[r.RISE_MW_PER_S] * dt_s
    work = min(wanted, highest)
    least = max(min(p[r.FLOOR_MW], highest), held - p[r.FALL_MW_PER_S] * dt_s)
    ceiling = p[r.IDLE_MW] + (p[r.RATED_MW] - p[r.IDLE_MW]) * clock ** p[r.EXPONENT]
    if cap < 1:
        ceiling = min(ceiling, max(cap * p[r.RATED_MW] - leak, p[r.IDLE_MW]))
    return work, max(work, min(least, ceiling))


def means(p, wish, block, around, dt_s):
    """Return die, coolant, mass temperature and power amid a sub-step, rack by rack."""
    (wanted, slope), (supply, air) = wish, around
    wet = p[r.WET] > 0
    left = (1 - np.exp(-dt_s / p[r.TAU_POWER_S])) * p[r.TAU_POWER_S] / dt_s
    found = []
    for k in range(block.shape[1]):
        power, die, coolant, mass, on, ua, flow = block[:7, k]
        leak = p[r.LEAK_MW_PER_K] / p[r.RACKS] * on
        fixed = wanted[k] + (power - wanted[k]) * left - slope[k] * (1 - left) * die
        gain = slope[k] * (1 - left)
        a, b = np.zeros((3, 3)), np.zeros(3)
        a[0, 0] = p[r.SHARE_DIE] * gain + leak - ua
        b[0] = p[r.SHARE_DIE] * fixed - leak * p[r.T_REFERENCE]
        a[1, 0] = p[r.SHARE_COOLANT] * gain
        b[1] = p[r.SHARE_COOLANT] * fixed
        a[2] = [p[r.SHARE_AIR] * gain, 0, -p[r.UA_MASS]]
        b[2] = p[r.SHARE_AIR] * fixed + p[r.UA_MASS] * air
        if wet:
            a[0, 1] += 0.5 * ua
            b[0] += 0.5 * ua * supply
            a[1] += [ua, -0.5 * ua - flow, 0]
            b[1] += (flow - 0.5 * ua) * supply
        else:
            b[0] += ua * air
            a[1], b[1] = 0, 0
        c = np.array([p[r.C_DIE], p[r.C_COOLANT] if wet else 1.0, p[r.C_MASS]])
        x = np.array([die, coolant, mass])
        middle = np.linalg.solve(np.diag(c) - 0.5 * dt_s * a, c * x + 0.5 * dt_s * b)
        found.append([*middle, fixed + gain * middle[0]])
    return np.array(found).T


def plants(p, machines, now, middle):
    """Return heat taken from both waters and the power it needs [MW]."""
    taken, drawn = [], np.zeros(4)
    for one, mcp, target, back in (
        (machines[0], p[r.LIQUID_MCP], p[r.LIQUID_SET], middle[r.T_BACK]),
        (machines[1], p[r.AIR_MCP], p[r.AIR_SET], middle[r.T_CHILLED_BACK]),
    ):
        outdoor, wetbulb = now[r.TEMP_OUTDOOR_DEGC], min(now[r.TEMP_WETBULB_DEGC], now[r.TEMP_OUTDOOR_DEGC])
        taken.append(
            take(one, mcp, target, back, outdoor, wetbulb, p[r.PRESSURE_BAR], now[r.COOLING_PU], 1.0, drawn)
        )
    return taken, drawn[0] + drawn[1]


def reference(model, i, dt_s):
    """Advance a copy of one hall by one sub-step in NumPy; return its states and means."""
    p, now, net = model.params[i], model.inputs[i], NETWORKS[i]
    nodes, drives, memory = model.nodes[i].copy(), model.drives[i].copy(), model.memory[i]
    block = model.block(i).copy()
    a, b = rates(net)
    big = np.zeros((14, 14))
    big[:8, :8], big[:8, 8:] = a, b
    middle = (expm(0.5 * dt_s * big) @ np.concatenate([nodes, drives]))[:8]
    most = cap_clock(p, now[r.CAP_PU], memory[r.LAST_LEAK_MW], 1.0)
    busy = min(now[r.WORK_GPU] / (p[r.GPUS] * speed(p, most)), 1)
    assigned = busy + block[r.SPREAD] * busy * (1 - busy)
    die = block[r.DIE_DEGC].copy()
    wanted = wishes(p, die, assigned, most)
    step_k = 0.02 * p[r.BAND]
    bends = (die > p[r.T_THROTTLE] - step_k) & (die < p[r.T_THROTTLE] + p[r.BAND])
    slope = np.where(bends, (wishes(p, die + step_k, assigned, most) - wanted) / step_k, 0)
    if (die <= p[r.T_THROTTLE]).all():
        slope[:] = 0
    clock = np.minimum(most, clocks(p, die)).mean()
    total = wanted.sum()
    work, drawn = shaped(
        p, total, clock, now[r.CAP_PU], memory[r.LAST_LEAK_MW], held=memory[r.HELD_MW], dt_s=dt_s
    )
    if drawn < total:
        wanted, slope = wanted * drawn / total, slope * drawn / total
    else:
        wanted = wanted + (drawn - total) / p[r.RACKS]
    around = (middle[r.T_SUPPLY], middle[r.T_INLET])
    t_die, t_coolant, t_mass, power = means(p, (wanted, slope), block, around, dt_s)
    end = wanted + slope * (t_die - die)
    decay = np.exp(-dt_s / p[r.TAU_POWER_S])
    block[r.POWER_MW] = end + (block[r.POWER_MW] - end) * decay
    for row, mean in ((r.DIE_DEGC, t_die), (r.COOLANT_DEGC, t_coolant), (r.MASS_DEGC, t_mass)):
        block[row] = 2 * mean - block[row]
    leak = p[r.LEAK_MW_PER_K] / p[r.RACKS] * (t_die - p[r.T_REFERENCE]).sum()
    drives[r.RACKS_TO_COOLANT] = (block[r.FLOW] * (t_coolant - middle[r.T_SUPPLY])).sum()
    drives[r.RETURN_DEGC] = (block[r.FLOW] * t_coolant).sum() / p[r.FLOW_MW_PER_K] if p[r.WET] else 0.0
    air = (p[r.UA_MASS] * (t_mass - middle[r.T_INLET])).sum()
    dry = 0.0 if p[r.WET] else (block[r.UA_DIE] * (t_die - middle[r.T_INLET])).sum()
    drives[r.RACKS_TO_AIR] = air + dry
    (drives[r.TAKEN_LIQUID], drives[r.TAKEN_AIR]), plant_mw = plants(p, model.plants[i], now, middle)
    nodes = (expm(dt_s * big) @ np.concatenate([nodes, drives]))[:8]
    able = np.minimum(most, clocks(p, t_die if slope.any() or (die > p[r.T_THROTTLE]).any() else die))
    done = np.minimum(assigned * speed(p, most), speed(p, able)).mean() * p[r.GPUS]
    if work < total:
        share = max((work - p[r.IDLE_MW]) / (total - p[r.IDLE_MW]), 0)
        done *= speed(p, clock * share ** (1 / p[r.EXPONENT])) / speed(p, clock) if share else 0.0
    return (
        nodes,
        block,
        np.array(
            [
                power.sum() + leak,
                p[r.MOVERS_MW] + plant_mw,
                drives[r.TAKEN_LIQUID] + drives[r.TAKEN_AIR],
                done,
            ]
        ),
    )


@pytest.mark.parametrize("seed", range(4))
def test_kernel_equals_numpy_on_random_inputs(seed):
    rng = np.random.default_rng(seed)
    model = made()
    ballast_mw = hottest = 0.0
    for _ in range(40):
        model.inputs[:, r.WORK_GPU] = rng.uniform(0, 5e4, 3)
        model.inputs[:, r.TEMP_OUTDOOR_DEGC] = rng.uniform(-20, 70, 3)
        model.inputs[:, r.CAP_PU] = rng.uniform(0.4, 1.2, 3)
        model.inputs[:, r.COOLING_PU] = rng.uniform(0, 0.4, 3)
        dt_s = rng.choice([0.1, 0.25])
        wanted = [reference(model, i, dt_s) for i in range(3)]
        out = model.advance(dt_s)
        got = out[[r.IT_MW, r.COOLING_MW, r.REJECTED_MW, r.DONE]].T
        for i, (nodes, block, flows) in enumerate(wanted):
            assert_allclose(model.nodes[i], nodes, rtol=1e-11)
            assert_allclose(model.block(i)[STATES], block[STATES], rtol=1e-9)
            assert_allclose(got[i], flows, rtol=1e-9, atol=1e-9)
        ballast_mw = max(ballast_mw, out[r.BALLAST_MW, 2])
        hottest = max(hottest, (out[r.OUT_DIE_MAX] - model.params[:, r.T_THROTTLE]).max())
        model.inputs[:, r.WORK_GPU], model.inputs[:, r.CAP_PU] = 6e4, 1.0
        model.advance(16.0)
    assert ballast_mw > 1.0
    assert hottest > 0.1


def slopes(flat, model, i):
    """Return the rates of nodes, then power, die, coolant and mass temperature of all racks, nothing held."""
    p, now, fixed, (a, b) = model.params[i], model.inputs[i], model.block(i), rates(NETWORKS[i])
    groups, wet = int(p[r.RACKS]), p[r.WET] > 0
    nodes, (power, die, coolant, mass) = flat[:8], flat[8:].reshape(4, groups)
    busy = min(now[r.WORK_GPU] / p[r.GPUS], 1)
    assigned = busy + fixed[r.SPREAD] * busy * (1 - busy)
    wanted = np.maximum(wishes(p, die, assigned, 1.0), p[r.FLOOR_MW] / groups)
    leak = p[r.LEAK_MW_PER_K] / groups * (die - p[r.T_REFERENCE])
    air = nodes[r.T_INLET]
    away = fixed[r.UA_DIE] * (die - (0.5 * (coolant + nodes[r.T_SUPPLY]) if wet else air))
    to_air, heated = p[r.UA_MASS] * (mass - air), fixed[r.FLOW] * (coolant - nodes[r.T_SUPPLY])
    drives = np.array([heated.sum(), 0.0, (to_air + (0 if wet else away)).sum(), 0, 0, 1.0])
    if wet:
        drives[r.RETURN_DEGC] = (fixed[r.FLOW] * coolant).sum() / p[r.FLOW_MW_PER_K]
    (drives[r.TAKEN_LIQUID], drives[r.TAKEN_AIR]), _ = plants(p, model.plants[i], now, nodes)
    return np.concatenate(
        [
            a @ nodes + b @ drives,
            (wanted - power) / p[r.TAU_POWER_S],
            (p[r.SHARE_DIE] * power + leak - away) / p[r.C_DIE],
            (p[r.SHARE_COOLANT] * power + away - heated) / p[r.C_COOLANT] if wet else 0 * die,
            (p[r.SHARE_AIR] * power - to_air) / p[r.C_MASS],
        ]
    )


def continuous(model, until_s):
    """Return nodes and racks of all halls after `until_s` from a stiff ODE solver."""
    found = []
    for i in range(3):
        first = np.concatenate([model.nodes[i], model.block(i)[:4].ravel()])
        done = solve_ivp(
            lambda _, x, i=i: slopes(x, model, i), (0, until_s), first, method="LSODA", rtol=1e-9, atol=1e-9
        )
        found.append(done.y[:, -1])
    return found


def test_substeps_converge_to_the_continuous_solution_with_second_order():
    # into throttling: loss of most of the cooling at full work, where held feedback would show most
    errors = {}
    for dt_s in (0.25, 0.125):
        model = made()
        model.inputs[:, r.WORK_GPU] = 7e4
        model.inputs[:, r.TEMP_OUTDOOR_DEGC] = 45.0
        model.inputs[:, r.COOLING_PU] = 0.3
        model.advance(240.0)  # beyond ramp limits, which the continuous solution does not have
        exact = continuous(model, 40.0)
        for _ in range(round(40.0 / dt_s)):
            out = model.advance(dt_s)
        assert out[r.OUT_DIE_MAX, 0] > 85.2
        got = [np.concatenate([model.nodes[i], model.block(i)[:4].ravel()]) for i in range(3)]
        errors[dt_s] = max(np.abs(g - e).max() for g, e in zip(got, exact, strict=True))
    assert errors[0.25] < 0.02  # K and MW
    assert errors[0.25] / errors[0.125] > 3.0  # 4 for smooth feedback; kinks of clocks and plant cost some


def test_heat_leaving_one_node_arrives_in_another():
    for net in NETWORKS:
        a, b = heat_flows(net)
        assert_allclose(a.sum(axis=0), -b[:, r.RETURN_DEGC].sum(), atol=1e-12 * np.abs(a).max())
        into = b.sum(axis=0)
        assert_allclose(into[[r.RACKS_TO_COOLANT, r.RACKS_TO_AIR]], 1.0)
        assert_allclose(into[[r.TAKEN_LIQUID, r.TAKEN_AIR]], -1.0)  # what the plants take leaves once
        assert_allclose(into[r.RETURN_DEGC], 0.0, atol=1e-15)
        assert into[r.ONE] == pytest.approx(net.pump_mw + net.room_fan_mw)
