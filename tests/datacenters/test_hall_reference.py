"""The hall kernel against two independent solutions: NumPy step by step, and a stiff ODE solver."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

from datacenters.hall import GpuHall, GpuHallParams
from datacenters.kernels import hall as k
from datacenters.sizing import thermal_network
from datacenters.smoothing import Smoothing
from datacenters.thermal import heat_flows, propagators, rates

PARAMS = [
    GpuHallParams(it_rated_mw=100.0),
    GpuHallParams(rack="h100_hgx_air", racks_count=500),
    GpuHallParams(
        it_rated_mw=50.0,
        gpus_count=25000,
        curve_exponent_pu=1.6,
        memory_bound_pu=0.4,
        work_intensity_pu=0.9,
        smoothing=Smoothing(floor_pu=0.5, ramp_up_pu_per_s=0.2, ramp_down_pu_per_s=0.1),
    ),
]
P = np.array([GpuHall([p])._params[0] for p in PARAMS])
NETWORKS = [thermal_network(p) for p in PARAMS]


def forcing(now, die, coolant, air):
    """Return drives (units, 4), relative clock, and heat by (free, chiller, fan speed) of both circuits."""
    work, outdoor, cap, service = now
    by_heat = 1 - (1 - P[:, k.CLOCK_MIN]) * np.clip((die - P[:, k.T_THROTTLE]) / P[:, k.BAND], 0, 1)
    leak = P[:, k.LEAK_MW_PER_K] * (die - P[:, k.T_REFERENCE])
    room = (cap * P[:, k.RATED_MW] - P[:, k.IDLE_MW] - leak) / P[:, k.SPAN_MW]
    by_cap = np.where(cap < 1, np.clip(room, 0, 1) ** (1 / P[:, k.EXPONENT]), 1.0)
    clock = np.maximum(np.minimum(by_heat, by_cap), P[:, k.CLOCK_MIN])
    speed = 1 / ((1 - P[:, k.MEMORY]) / clock + P[:, k.MEMORY])
    busy = np.minimum(work / (P[:, k.GPUS] * speed), 1)
    curve = np.where(P[:, k.CURVE] == 1, busy, 2 * busy - busy ** P[:, k.CURVE])
    drives = np.ones((len(P), 4))
    drives[:, 0] = P[:, k.IDLE_MW] + P[:, k.SPAN_MW] * curve * clock ** P[:, k.EXPONENT]
    plant = []
    for column, back, base in ((1, coolant, k.LIQUID_MCP), (2, air, k.AIR_MCP)):
        flow, target, free_ua, chiller = (P[:, base + j] for j in range(4))
        want = np.where(service > 0, flow * np.maximum(back - target, 0), 0)
        free_max = service * free_ua * np.maximum(back - outdoor, 0)
        free = np.minimum(want, free_max)
        chill = np.minimum(want - free, service * chiller)
        drives[:, column] = free + chill
        plant.append((free, chill, np.divide(free, free_max, out=np.zeros_like(free), where=free_max > 0)))
    return drives, clock, speed, plant


def shaped(wanted, clock, cap, die, *, held, dt_s):
    """Return what work may draw and what is drawn with ballast on top (units,)."""
    highest = held + P[:, k.RISE_MW_PER_S] * dt_s
    work = np.minimum(wanted, highest)
    least = np.maximum(np.minimum(P[:, k.FLOOR_MW], highest), held - P[:, k.FALL_MW_PER_S] * dt_s)
    ceiling = P[:, k.IDLE_MW] + (P[:, k.RATED_MW] - P[:, k.IDLE_MW]) * clock ** P[:, k.EXPONENT]
    leak = P[:, k.LEAK_MW_PER_K] * (die - P[:, k.T_REFERENCE])
    capped = np.maximum(cap * P[:, k.RATED_MW] - leak, P[:, k.IDLE_MW])
    ceiling = np.where(cap < 1, np.minimum(ceiling, capped), ceiling)
    return work, np.maximum(work, np.minimum(least, ceiling))


def reference(state, now, dt_s, held, burnt):
    """Advance one step in NumPy: state, means of it ... done and ballast, what shaping remembers."""
    steps = int(np.ceil(dt_s / 0.25 - 1e-9))
    whole, half = (np.array(m) for m in zip(*(propagators(n, dt_s / steps) for n in NETWORKS), strict=True))
    sums = np.zeros((5, len(P)))
    carnot = [
        np.where(
            (lift := now[1] + P[:, k.CONDENSER_K] - P[:, s] + P[:, k.EVAPORATOR_K]) > 0,
            np.minimum(P[:, k.CARNOT] * (P[:, s] - P[:, k.EVAPORATOR_K] + 273.15) / lift, P[:, k.COP_MAX]),
            P[:, k.COP_MAX],
        )
        for s in (k.LIQUID_SET, k.AIR_SET)
    ]
    for _ in range(steps):
        drives, clock, *_ = forcing(now, state[:, k.T_DIE], state[:, k.T_COOLANT], state[:, k.T_AIR])
        short_s, cap = dt_s / steps, now[2]
        drives[:, 0] = shaped(drives[:, 0], clock, cap, state[:, k.T_DIE], held=held, dt_s=short_s)[1]
        middle = np.einsum("uc,ucr->ur", np.hstack([state, drives]), half)
        drives, clock, speed, plant = forcing(now, *middle.T)
        wanted = drives[:, 0].copy()
        work, held = shaped(wanted, clock, cap, middle[:, k.HALF_DIE], held=held, dt_s=short_s)
        drives[:, 0] = held
        lag = whole[:, [k.P_FILTERED, k.N_STATES]]
        both = np.stack([burnt, held - work], axis=1)
        burnt, ballast = ((both * lag[:, :, row]).sum(axis=1) for row in (k.P_FILTERED, k.MEAN_POWER))
        end = np.einsum("uc,ucr->ur", np.hstack([state, drives]), whole)
        state = end[:, : k.N_STATES]
        it = end[:, k.MEAN_POWER] + P[:, k.LEAK_MW_PER_K] * (end[:, k.MEAN_DIE] - P[:, k.T_REFERENCE])
        cooling = P[:, k.LIQUID_MOVER] + P[:, k.AIR_MOVER]
        for (_, chill, share), fan, cop in zip(plant, (k.LIQUID_FAN, k.AIR_FAN), carnot, strict=True):
            cooling = cooling + P[:, fan] * share**3 + chill / cop
        share = np.clip((work - P[:, k.IDLE_MW]) / (wanted - P[:, k.IDLE_MW] + 1e-300), 1e-300, 1)
        slow = clock * share ** (1 / P[:, k.EXPONENT])
        held_back = 1 / ((1 - P[:, k.MEMORY]) / slow + P[:, k.MEMORY]) / speed
        done = np.minimum(now[0], P[:, k.GPUS] * speed) * np.where(work < wanted, held_back, 1)
        sums += np.array([it, cooling, drives[:, 1] + drives[:, 2], done, ballast])
    return state, sums / steps, held, burnt


@pytest.mark.parametrize("seed", range(4))
def test_kernel_equals_numpy_on_random_inputs(seed):
    rng = np.random.default_rng(seed)
    hall = GpuHall(PARAMS)
    names = ("work_gpu", "temp_outdoor_degc", "cap_pu", "cooling_pu")
    rest = {"vm_pu": np.ones(3), "f_hz": np.full(3, 50.0), "connected_pu": np.ones(3)}
    start = np.array([np.full(3, 8000.0), np.full(3, 20.0), np.ones(3), np.ones(3)])
    hall.step(0.0, 1.0, dict(zip(names, start, strict=True)) | rest)
    state = hall._state.copy()
    held, burnt = hall._shaped.T.copy()
    ballast_mw = 0.0
    for _ in range(30):
        now = np.array(
            [rng.uniform(0, 5e4, 3), rng.uniform(-20, 45, 3), rng.uniform(0.4, 1.2, 3), rng.uniform(0, 1, 3)]
        )
        dt_s = rng.choice([0.1, 0.25, 1.0, 7.0])
        out = hall.step(0.0, dt_s, dict(zip(names, now, strict=True)) | rest)
        state, means, held, burnt = reference(state, now, dt_s, held, burnt)
        assert_allclose(hall._state, state, rtol=1e-12, atol=1e-12)
        got = [out[n] for n in ("it_mw", "cooling_mw", "heat_rejected_mw", "work_done_gpu", "ballast_mw")]
        assert_allclose(got, means, rtol=1e-12, atol=1e-12)
        held, burnt = hall._shaped.T.copy()
        ballast_mw = max(ballast_mw, out["ballast_mw"][2])
        state = hall._state.copy()  # compare step by step: switches amplify rounding over many steps

    assert ballast_mw > 1.0


def continuous(state, now, until_s):
    """Return the states after `until_s` from a stiff ODE solver on x' = A x + B u(x), nothing held."""
    matrices = [rates(n) for n in NETWORKS]

    def slope(_, flat):
        x = flat.reshape(len(P), -1)
        drives, *_ = forcing(now, x[:, k.T_DIE], x[:, k.T_COOLANT], x[:, k.T_AIR])
        drives[:, 0] = np.maximum(drives[:, 0], P[:, k.FLOOR_MW])
        return np.concatenate([a @ x[i] + b @ drives[i] for i, (a, b) in enumerate(matrices)])

    done = solve_ivp(slope, (0, until_s), state.ravel(), method="Radau", rtol=1e-9, atol=1e-9, max_step=0.05)
    return done.y[:, -1].reshape(state.shape)


def test_substeps_converge_to_the_continuous_solution_with_second_order():
    # into throttling: loss of cooling at full work, where held feedback would show most
    now = np.array([np.full(3, 7e4), np.full(3, 45.0), np.ones(3), np.full(3, 0.3)])
    names = ("work_gpu", "temp_outdoor_degc", "cap_pu", "cooling_pu")
    rest = {"vm_pu": np.ones(3), "f_hz": np.full(3, 50.0), "connected_pu": np.ones(3)}
    errors = {}
    for dt_s in (0.25, 0.125):
        hall = GpuHall(PARAMS)
        hall.step(0.0, dt_s, dict(zip(names, [now[0], now[1], now[2], np.ones(3)], strict=True)) | rest)
        start = hall._state.copy()
        for _ in range(round(30.0 / dt_s)):
            hall.step(0.0, dt_s, dict(zip(names, now, strict=True)) | rest)
        assert hall._state[0, k.T_DIE] > 85.2
        errors[dt_s] = np.max(np.abs(hall._state - continuous(start, now, 30.0)))
    assert errors[0.25] < 0.02  # K and MW
    assert errors[0.25] / errors[0.125] > 3.5  # 4 for smooth feedback; kinks of clocks and plant cost some


def test_heat_leaving_one_node_arrives_in_another():
    for net in NETWORKS:
        a, b = heat_flows(net)
        into = a[1:].sum(axis=0)
        assert_allclose(into[k.P_FILTERED], 1.0, atol=1e-15)  # all IT power becomes heat
        leak = np.zeros(k.N_STATES)
        leak[k.P_FILTERED], leak[k.T_DIE] = 1.0, net.leak_mw_per_k
        assert_allclose(into, leak, atol=1e-12 * np.abs(a).max())
        assert_allclose(b[1:, 1:3].sum(axis=0), -1.0)  # what the plant takes leaves once
