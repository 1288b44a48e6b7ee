"""How many racks advance by a second in a second, with CDU, loops and plant, on one thread?

Halls of NVL72 racks, each by itself, advanced by the model the component uses, a minute a call; against the
same in NumPy with buffers in place. Best of many short runs: the machine does other things, too.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np
from tools import bar

from cosim.core.types import Floats
from datacenters.hall import GpuHallParams
from datacenters.hall_model import LONGEST_SUBSTEP_S, HallModel
from datacenters.kernels import hall_rows as r
from datacenters.kernels.hall import take
from datacenters.sizing import thermal_network
from datacenters.thermal import propagators

CALL_S = 64.0
GIGAWATT_10 = {"halls": 100, "racks": 833}


def made(racks: int, halls: int = 1) -> HallModel:
    """Return halls in equilibrium, at seven tenths of their work in mild weather."""
    params = GpuHallParams(racks_count=racks, rack_groups_count=racks)
    model = HallModel([params] * halls)
    model.inputs[:] = [0.7 * params.size().gpus_count, 20.0, 1.0, 1.0, 1.0, 15.0, 0.0, 1.0]
    model.settle()
    return model


def best_s(run: Callable[[], object], repeats: int) -> float:
    """Return the shortest time of a few runs [s]."""
    times = []
    for _ in range(repeats):
        began = perf_counter()
        run()
        times.append(perf_counter() - began)
    return min(times)


class InPlace:
    """One hall that neither throttles nor trips, in NumPy, nothing allocated in a step."""

    def __init__(self, model: HallModel) -> None:
        self.p, self.block = model.params[0], model.block(0).copy()
        self.nodes, self.drives = model.nodes[0].copy(), model.drives[0].copy()
        racks = GpuHallParams(racks_count=self.p[r.RACKS], rack_groups_count=int(self.p[r.RACKS]))
        moves = propagators(thermal_network(racks), LONGEST_SUBSTEP_S)
        self.whole, self.half = moves[r.WHOLE], moves[r.HALF]
        p, ua, flow, dt_s = self.p, self.block[r.UA_DIE], self.block[r.FLOW], LONGEST_SUBSTEP_S
        self.now, self.machines = model.inputs[0], model.plants[0]
        self.plant, self.wanted = np.zeros(4), np.empty(ua.size)
        self.decay = np.exp(-dt_s / p[r.TAU_POWER_S])
        self.mean = (1.0 - self.decay) * p[r.TAU_POWER_S] / dt_s
        self.leak = p[r.LEAK_MW_PER_K] / p[r.RACKS]
        self.alpha, self.beta = 0.5 * dt_s / p[r.C_DIE], 0.5 * dt_s / p[r.C_COOLANT]
        slack = 0.5 * dt_s / p[r.C_MASS]
        self.mu = slack / (1.0 + slack * p[r.UA_MASS])
        self.a = 1.0 + self.alpha * (ua - self.leak)
        self.b = 0.5 * self.alpha * ua
        self.c = self.beta * ua
        self.d = 1.0 + self.beta * (flow + 0.5 * ua)
        self.each = 1.0 / (self.a * self.d - self.b * self.c)
        self.by_supply = self.beta * (flow - 0.5 * ua)
        self.work = np.empty((4, ua.size))
        self.column, self.middle = np.empty(r.N_COLUMNS), np.empty(r.N_NODES)

    def step(self) -> None:
        """Advance by one sub-step."""
        p = self.p
        self.column[: r.N_NODES], self.column[r.N_NODES :] = self.nodes, self.drives
        np.dot(self.column, self.half, out=self.middle)
        supply = self.middle[r.T_SUPPLY]
        heated, to_air = self.racks(supply, self.middle[r.T_INLET])
        self.drives[r.RACKS_TO_COOLANT] = heated - p[r.FLOW_MW_PER_K] * supply
        self.drives[r.RETURN_DEGC] = heated / p[r.FLOW_MW_PER_K]
        self.drives[r.RACKS_TO_AIR] = to_air
        self.plant[:] = 0.0
        for drive, one, mcp, target, back in (
            (r.TAKEN_LIQUID, 0, r.LIQUID_MCP, r.LIQUID_SET, r.T_BACK),
            (r.TAKEN_AIR, 1, r.AIR_MCP, r.AIR_SET, r.T_CHILLED_BACK),
        ):
            self.drives[drive] = take(
                self.machines[one], p[mcp], p[target], self.middle[back], self.now[r.TEMP_OUTDOOR_DEGC],
                self.now[r.TEMP_WETBULB_DEGC], p[r.PRESSURE_BAR], 1.0, 1.0, self.plant,
            )  # fmt: skip
        self.column[r.N_NODES :] = self.drives
        np.dot(self.column, self.whole, out=self.nodes)

    def racks(self, supply: float, air: float) -> tuple[float, float]:
        """Advance the racks; return flow times coolant, and the heat they give the air [MW]."""
        p, block, (power, x, y, z) = self.p, self.block, self.work
        busy = min(self.now[r.WORK_GPU] / p[r.GPUS], 1.0)
        np.multiply(block[r.SPREAD], p[r.SPAN_MW] * busy * (1.0 - busy) / p[r.RACKS], out=self.wanted)
        self.wanted += (p[r.IDLE_MW] + p[r.SPAN_MW] * busy) / p[r.RACKS]
        die, coolant, mass, drawn = (block[k] for k in (r.DIE_DEGC, r.COOLANT_DEGC, r.MASS_DEGC, r.POWER_MW))
        np.subtract(drawn, self.wanted, out=drawn)
        np.multiply(drawn, self.mean, out=power)
        power += self.wanted
        self.it_mw = power.sum() + 0.5 * self.leak * die.sum()
        drawn *= self.decay
        drawn += self.wanted
        np.multiply(self.b, supply, out=x)
        x += die
        np.multiply(power, self.alpha * p[r.SHARE_DIE], out=z)
        z -= self.alpha * self.leak * p[r.T_REFERENCE]
        x += z
        np.multiply(self.by_supply, supply, out=y)
        y += coolant
        np.multiply(power, self.beta * p[r.SHARE_COOLANT], out=z)
        y += z
        die *= -1.0
        coolant *= -1.0
        np.multiply(x, self.d, out=z)
        np.multiply(x, self.c, out=x)
        z *= self.each
        x *= self.each
        y *= self.each
        die += z
        die += z
        np.multiply(y, self.b, out=z)
        die += z
        die += z
        self.it_mw += self.leak * (0.5 * die.sum() - die.size * p[r.T_REFERENCE])
        np.subtract(die, p[r.T_THROTTLE], out=z)
        np.maximum(z, 0.0, out=z)
        self.over_k = z.sum()
        y *= self.a
        y += x
        coolant += y
        coolant += y
        heated = float(np.dot(block[r.FLOW], y))
        np.subtract(air, mass, out=z)
        z *= p[r.UA_MASS]
        power *= p[r.SHARE_AIR]
        z += power
        z *= self.mu
        mass += z
        to_air = p[r.UA_MASS] * (float(mass.sum()) - mass.size * air)
        mass += z
        return heated, to_air


def main() -> None:
    """Print the table and the bars."""
    print("racks | M rack-steps/s | µs a second of the hall | NumPy M/s | times")
    rate, ratio = {}, {}
    for racks in (8, 128, 1024, 10240):
        model = made(racks)
        peer = InPlace(model)
        calls = max(1, round(2e5 / racks / CALL_S))
        ours_s = best_s(lambda m=model, n=calls: [m.advance(CALL_S) for _ in range(n)], 60) / calls / CALL_S
        steps = max(5, round(5e3 / racks))
        peer_s = best_s(lambda q=peer, n=steps: [q.step() for _ in range(n)], 60) / steps
        apart(model, peer)
        rate[racks], ratio[racks] = racks / ours_s / 1e6, peer_s / ours_s
        numpy_rate = racks / peer_s / 1e6
        print(f"{racks} | {rate[racks]:.0f} | {1e6 * ours_s:.2f} | {numpy_rate:.2f} | {ratio[racks]:.1f}")
    for racks in (128, 1024, 10240):
        bar(f"{racks} racks a hall, one thread", rate[racks], 100.0, "M rack-steps/s", at_least=True)
        bar(f"{racks} racks a hall, on a busy machine", rate[racks], 20.0, "M rack-steps/s", at_least=True)
    bar("128 racks against NumPy in place", ratio[128], 50.0, "times", at_least=True)
    bar("1,024 racks against NumPy in place", ratio[1024], 5.0, "times", at_least=True)
    fleet = made(GIGAWATT_10["racks"], GIGAWATT_10["halls"])
    fleet_mw = float(fleet.params[:, r.RATED_MW].sum())
    fleet_s = best_s(lambda: fleet.advance(CALL_S), 5) / CALL_S
    bar(
        f"{fleet_mw / 1e3:.1f} GW of NVL72 racks at 1 s",
        1.0 / fleet_s,
        500.0,
        "times real time",
        at_least=True,
    )


def apart(model: HallModel, peer: InPlace) -> None:
    """Refuse to compare what is not the same: both stand in the same equilibrium."""
    states: Floats = model.block(0)[: r.N_RACK_STATES]
    np.testing.assert_allclose(peer.block[: r.N_RACK_STATES], states, rtol=1e-9)


if __name__ == "__main__":
    main()
