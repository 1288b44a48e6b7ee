"""Area frequency on the inner clock: swing equation, RoCoF window, and passing over rest."""

from cosim.core.jit import jit
from grids.kernels.frequency_state import D_P_MW, D_SUM_MW, LONG_ROWS, ORDER_MW, STATE_ROWS, Area, Model, Span
from grids.kernels.response import (
    CLOSE_MW,
    blend,
    droops_power,
    machines_power,
    move_droops,
    move_machines,
    order_agc,
    prepare,
)

WINDOW_S = 0.5
"""Length of the sliding window of the rate of change of frequency."""

CALM_HZ_PER_S2 = 1e-4
"""While the slope of frequency changes no faster than this for half a second, long steps are taken."""

SAMPLES = 8192
"""Length of the ring of samples, a power of two: half a second down to inner steps of 0.06 ms."""


@jit
def add_sample(a: Area, t_s: float) -> None:
    """Put the present deviation into the ring."""
    a.newest[0] += 1
    place = a.newest[0] & (SAMPLES - 1)
    a.sample_s[place] = t_s
    a.sample_hz[place] = a.df_hz[0]


@jit
def window_rocof(a: Area) -> float:
    """Return the mean rate of change over the window that ends at the newest sample [Hz/s]."""
    newest = a.newest[0]
    start_s = a.sample_s[newest & (SAMPLES - 1)] - WINDOW_S
    behind = max(a.behind[0], newest - SAMPLES + 1)
    while behind + 1 < newest and a.sample_s[(behind + 1) & (SAMPLES - 1)] <= start_s:
        behind += 1
    a.behind[0] = behind
    one, two = behind & (SAMPLES - 1), (behind + 1) & (SAMPLES - 1)
    span_s = a.sample_s[two] - a.sample_s[one]
    part = min(max((start_s - a.sample_s[one]) / span_s, 0.0), 1.0)
    then_hz = a.sample_hz[one] + part * (a.sample_hz[two] - a.sample_hz[one])
    return float((a.df_hz[0] - then_hz) / WINDOW_S)


@jit
def window_is_flat(a: Area) -> bool:
    """Return whether every sample of the window has the present deviation."""
    for place in range(a.behind[0], a.newest[0] + 1):
        if a.sample_hz[place & (SAMPLES - 1)] != a.df_hz[0]:
            return False
    return True


@jit
def remember(model: Model) -> bool:
    """Write down the state of an area; return whether it was already there, bit for bit."""
    before, m, d = model.area.before, model.machines.state, model.droops.state
    same = before[STATE_ROWS, 0] == model.area.df_hz[0]
    before[STATE_ROWS, 0] = model.area.df_hz[0]
    for row in range(ORDER_MW):
        for i in range(m.shape[1]):
            same = same and before[row, i] == m[row, i]
            before[row, i] = m[row, i]
    for j in range(d.shape[1]):
        same = same and before[STATE_ROWS, 1 + j] == d[D_P_MW, j]
        before[STATE_ROWS, 1 + j] = d[D_P_MW, j]
    return bool(same)


@jit
def swing(df_hz: float, power_mw: float, damping_mw_per_hz: float, hz_per_mw: float) -> float:
    r"""Return the deviation half an inner step on, of :math:`M \dot{\Delta f} = P - D\,\Delta f` for held P.

    Exact: `hz_per_mw` is :math:`(1 - e^{-\lambda h/2})/(\lambda M)` with :math:`\lambda = D/M`.
    """
    surplus_mw = power_mw - damping_mw_per_hz * df_hz
    return df_hz if abs(surplus_mw) < CLOSE_MW else df_hz + surplus_mw * hz_per_mw


@jit
def count_calm(calm: int, change_hz_per_s: float, step_s: float, steps: int) -> int:
    """Return for how many inner steps the slope of frequency has hardly changed, `steps` more included."""
    return calm + steps if abs(change_hz_per_s) <= CALM_HZ_PER_S2 * step_s else 0


@jit
def half_step_gain(step_s: float, damping_mw_per_hz: float, inertia_mws_per_hz: float) -> float:
    """Return by how much a surplus, held over half of a step, raises frequency: see `swing` [Hz/MW]."""
    if damping_mw_per_hz <= 0.0:
        return 0.5 * step_s / inertia_mws_per_hz
    return blend(0.5 * step_s, inertia_mws_per_hz / damping_mw_per_hz) / damping_mw_per_hz


@jit
def rest(model: Model, span: Span, done: int) -> int:
    """Pass over inner steps of an area at rest; return how many are done when an AGC order ends it."""
    a, d, t_s, step_s = model.area, model.droops, span.t_s, span.step_s
    k = done
    while k < span.steps:
        if t_s + k * step_s >= a.agc_next_s[0] - 1e-6:
            a.agc_next_s[0] += model.agc.cycle_s
            if order_agc(model.machines, a, model.agc):
                break
        due = max(k + 1, int((a.agc_next_s[0] - t_s) / step_s) - 1)
        while due < span.steps and t_s + due * step_s < a.agc_next_s[0] - 1e-6:
            due += 1
        due = min(due, span.steps)
        for j in range(d.state.shape[1]):
            d.state[D_SUM_MW, j] += (due - k) * d.state[D_P_MW, j]
        k = due
    if k > done:
        add_sample(a, t_s + k * step_s)
    return k


@jit
def advance(model: Model, span: Span) -> None:
    r"""Advance one area by `span.steps` inner steps; results are in the model's arrays.

    .. math:: \frac{2 E_k}{f_0}\,\dot{\Delta f}
       = \sum P_{gov} + \sum P_{agc} - D\,\Delta f - \sum P_{droop} - P_{imbalance}

    Strang splitting: half a step of frequency with powers held, a whole step of powers with
    frequency held, half a step of frequency; each part exact for what is held, so the error is of
    second order. While the slope of frequency hardly changes, several inner steps are taken as one
    long step. When one step changes nothing, bit for bit, and the window is flat, the steps up
    to the next AGC cycle are not carried out: they would change nothing either.
    """
    m, a, d, t_s, step_s = model.machines, model.area, model.droops, span.t_s, span.step_s
    damping, inertia = a.damping_mw_per_hz, a.inertia_mws_per_hz
    hz_per_mw = half_step_gain(step_s, damping, inertia)
    long_hz_per_mw = half_step_gain(span.long_steps * step_s, damping, inertia)
    prepare(m, d, step_s, span.long_steps * step_s)
    power = machines_power(m) - droops_power(d) - span.imbalance_mw
    if a.sample_s[a.newest[0] & (SAMPLES - 1)] < t_s - 1e-9:
        add_sample(a, t_s)  # the past before the first exchange is flat
    df = a.df_hz[0]
    lowest, highest, steepest = df, df, 0.0
    slope = (power - damping * df) / inertia
    calm = count_calm(a.calm[0], slope - a.found[3], step_s, 0)
    check_every = int(WINDOW_S / step_s) + 1
    k, checked = 0, -check_every
    while k < span.steps:
        ordered = False
        if t_s + k * step_s >= a.agc_next_s[0] - 1e-6:
            a.agc_next_s[0] += model.agc.cycle_s
            ordered = order_agc(m, a, model.agc)
        check = k - checked >= check_every and not ordered
        if check:
            remember(model)
            checked = k
        ahead = min(span.steps, int((a.agc_next_s[0] - t_s) / step_s + 1e-6)) - k
        if calm * step_s >= WINDOW_S and 1 < span.long_steps <= ahead:
            steps, rows, gain = span.long_steps, LONG_ROWS, long_hz_per_mw
        else:
            steps, rows, gain = 1, 0, hz_per_mw
        df = swing(df, power, damping, gain)
        power = move_machines(m, df, steps * step_s, rows) - move_droops(d, df, steps) - span.imbalance_mw
        df = swing(df, power, damping, gain)
        k += steps
        a.df_hz[0] = df
        add_sample(a, t_s + k * step_s)
        rocof = window_rocof(a)
        lowest, highest = min(lowest, df), max(highest, df)
        if abs(rocof) > abs(steepest):
            steepest = rocof
        before, slope = slope, (power - damping * df) / inertia
        calm = count_calm(calm, slope - before, steps * step_s, steps)
        if check and remember(model) and window_is_flat(a):
            k = rest(model, span, k)
    a.found[0], a.found[1], a.found[2] = lowest, highest, steepest
    a.found[3], a.calm[0] = slope, calm
