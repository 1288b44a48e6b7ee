"""GPU halls: work in, power and heat out, with clocks that fall when dies get hot or power is capped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import Balance, Context, DeviceOffer, Port
from cosim.core.errors import ScenarioError
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from datacenters.catalog.racks import Rack, rack
from datacenters.cooling import Cooling
from datacenters.kernels import hall as kernel
from datacenters.sizing import Size, initial_state, kernel_parameters, thermal_network
from datacenters.supply import Drawn, Supply, SupplyParams
from datacenters.thermal import propagators
from datacenters.ups import ResetUps

LONGEST_SUBSTEP_S = 0.25
SETTLE_WITHIN_H = 96
SETTLED_K = 1e-10


class GpuHallParams(SupplyParams):
    """One hall of equal racks behind one connection point.

    Its size is one of `it_rated_mw`, `gpus_count`, `racks_count` (the rack gives the others), or
    `it_rated_mw` and `gpus_count` together.
    """

    rack: str | Rack = Field(default="gb200_nvl72", description="name in the rack catalog, or a rack itself")
    it_rated_mw: float | None = Field(default=None, gt=0, description="IT power with every accelerator busy")
    gpus_count: float | None = Field(default=None, gt=0, description="accelerators")
    racks_count: float | None = Field(default=None, gt=0, description="racks")
    idle_pu: float | None = Field(
        default=None, gt=0, lt=1, description="IT power with none busy, of rated; by default the rack's"
    )
    curve_exponent_pu: float = Field(
        default=1.0, ge=1, le=2, description="r of the utilisation curve 2u - u^r; 1 is linear"
    )
    tau_power_s: float = Field(
        default=0.2, ge=0.02, le=60, description="first-order lag of IT power, 0.05-0.3 s (unconfirmed)"
    )
    power_exponent_pu: float = Field(
        default=2.5, ge=1, le=4, description="dynamic power goes with clock to this; 2-3 (unconfirmed)"
    )
    work_intensity_pu: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="dynamic power of its work, of the largest: training, prefill 1, decode 0-0.3",
    )
    memory_bound_pu: float = Field(
        default=0.0, ge=0, lt=1, description="share of work bound by memory: it does not slow with the clock"
    )
    clock_min_pu: float = Field(default=0.2, gt=0, lt=1, description="lowest relative clock (unconfirmed)")
    throttle_band_k: float = Field(
        default=5.0, ge=1, le=30, description="die temperature rise over which clocks fall to the lowest"
    )
    cooling: Cooling = Field(default=Cooling(), description="the hall's circuits and chiller")

    @model_validator(mode="after")
    def _size_is_given_once(self) -> Self:
        self.size()
        return self

    def the_rack(self) -> Rack:
        """Return the rack the hall is filled with."""
        return rack(self.rack) if isinstance(self.rack, str) else self.rack

    def idle_share_pu(self) -> float:
        """Return IT power with no accelerator busy, of rated."""
        return self.the_rack().idle_pu if self.idle_pu is None else self.idle_pu

    def size(self) -> Size:
        """Return rated power, accelerators and racks. Raises ValueError when they are not given once."""
        model = self.the_rack()
        if self.idle_share_pu() < model.leak_pu:
            msg = f"idle_pu={self.idle_pu:g} is less than the rack's leak_pu={model.leak_pu:g}, part of it"
            raise ValueError(msg)
        return Size.of(model, self.it_rated_mw, self.gpus_count, self.racks_count)


class GpuHall:
    """Halls whose power follows their work, temperatures and the weather.

    Work that finds no free accelerator is reported as unserved and is gone: queues live in whoever
    sends the work. Power does not depend on voltage or frequency (constant-power rectifiers). At 0 pu,
    on an island without source, a hall draws nothing and does no work; pumps and fans stand still and heat
    only evens out. A hall with a `ups` is carried by its batteries meanwhile; where the grid integrates
    dynamic models it stands there as an electronic load that lets go in dips, comes back or locks out.
    The run starts in thermal equilibrium with the inputs of the first step, under voltage.
    """

    params_type: ClassVar[type[Params]] = GpuHallParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("work_gpu", "work wanted: accelerators it keeps busy at full clock; below 0 counts as 0", 0.0),
        Port("temp_outdoor_degc", "outdoor air at the heat rejection", 25.0),
        Port("cap_pu", "largest IT power, of rated; met by lowering clocks, not below idle", 1.0),
        Port("cooling_pu", "share of dry coolers and chillers in service, 0 to 1", 1.0),
        Port("vm_pu", "voltage at the connection point: 0 is no supply, otherwise power is constant", 1.0),
        Port("f_hz", "frequency: has no effect", 50.0),
        *Supply.inputs,
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("it_mw", "IT power: what racks draw"),
        Port("cooling_mw", "pumps, room fans, heat-rejection fans and chillers"),
        Port("mover_mw", "part of cooling: pumps and room fans, whose power warms the streams"),
        Port("chiller_mw", "part of cooling: chillers"),
        Port("heat_rejected_mw", "heat taken out of coolant and hall air"),
        Port("heat_stored_mwh", "heat in dies, coolant, air and metal above 20 °C, at the end"),
        Port("work_offered_gpu", "work wanted"),
        Port("work_done_gpu", "work executed, mean over the step"),
        Port("work_unserved_gpu", "work wanted and not executed"),
        Port("capacity_gpu", "work the hall can execute in all at the end of the step, at its clock then"),
        Port("throttle_pu", "how far clocks are held down, mean: 0 not at all"),
        Port("temp_die_degc", "dies, at the end, as all temperatures"),
        Port("temp_coolant_degc", "coolant leaving the racks; hall air where racks are air cooled"),
        Port("temp_supply_degc", "coolant to the racks; inlet air where racks are air cooled"),
        Port("temp_air_degc", "hall air behind the racks"),
        Port("temp_inlet_degc", "air entering the racks"),
        Port("ballast_mw", "part of IT power that does no work: floor and ramp limit of smoothing"),
        *Supply.outputs,
    )
    balances: ClassVar[tuple[Balance, ...]] = (
        *Supply.balances,
        Balance("heat", ("it_mw", "mover_mw"), ("heat_rejected_mw",), "heat_stored_mwh"),
        Balance("work", ("work_offered_gpu",), ("work_done_gpu", "work_unserved_gpu")),
    )

    commands: ClassVar[Mapping[str, type[Params]]] = {"reset_ups": ResetUps}

    def __init__(self, params: Sequence[GpuHallParams]) -> None:
        rated_mw = np.array([p.size().it_rated_mw for p in params])
        self._supply = Supply(params, rated_mw, np.array([p.size().gpus_count for p in params]))
        self._networks = [thermal_network(p) for p in params]
        self._params = np.array([kernel_parameters(p) for p in params]).reshape(-1, kernel.N_PARAMS)
        self._capacity = np.array([n.capacity for n in self._networks]).reshape(-1, kernel.N_STATES)
        self._first = np.array([initial_state(p) for p in params]).reshape(-1, kernel.N_STATES)
        self._names = [port.name for port in self.outputs[: kernel.N_PORTS]]
        self._limit_degc = self._params[:, kernel.T_THROTTLE]
        self._scratch = np.empty(kernel.N_SCRATCH)
        self._inputs = np.empty((kernel.N_INPUTS, len(params)))
        self._substeps: dict[float, tuple[int, Floats, Floats]] = {}
        self._resting: dict[float, Floats] = {}
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Forget the run; the next step settles the halls on its inputs first."""
        self._context = context
        self._state = self._first.copy()
        self._settled = False
        self._throttled = np.zeros(len(self._networks), dtype=np.bool_)
        self._shaped = np.zeros((len(self._networks), kernel.N_SHAPED))
        self._shaped[:, kernel.HELD_MW] = self._first[:, kernel.P_FILTERED]
        self._supply.reset(context)

    def devices(self) -> tuple[DeviceOffer | None, ...]:
        """Return what stands for each hall in a grid that integrates dynamic models."""
        return self._supply.devices()

    def refusal(self, unit: int, command: Params) -> str | None:
        """Return why a hall cannot be switched back."""
        return self._supply.refusal(unit, command)

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Switch a supply back to the grid by hand."""
        self._supply.command(t_s, unit, name, command)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Advance all halls by `dt_s` in sub-steps of at most a quarter of a second."""
        for row, port in enumerate(self.inputs[: kernel.N_INPUTS]):
            self._inputs[row] = inputs[port.name]
        self._inputs[kernel.VM_PU] = self._supply.fed(inputs["connected_pu"], inputs["vm_pu"])
        if not self._settled:
            self._settle()
        outputs = self._advance(dt_s)
        throttled = outputs[kernel.THROTTLE] > 0.0
        if (throttled != self._throttled).any():
            self._tell(t_s + dt_s, throttled)
        drawn = Drawn(
            it_mw=outputs[kernel.IT_MW],
            it_square_mw2=outputs[kernel.IT_SQUARE_MW2],
            it_end_mw=outputs[kernel.IT_END_MW],
            cooling_mw=outputs[kernel.COOLING_MW],
            cooling_end_mw=outputs[kernel.COOLING_END_MW],
            mover_mw=outputs[kernel.MOVER_MW],
        )
        chain = self._supply.carry(drawn, dt_s)
        return {**dict(zip(self._names, outputs, strict=False)), **chain}

    def _advance(self, dt_s: float) -> Floats:
        if dt_s not in self._substeps:
            self._substeps[dt_s] = self._divided(dt_s)
        steps, whole, half = self._substeps[dt_s]
        dark = self._inputs[kernel.VM_PU] == 0.0
        if dark.any():
            whole = np.where(dark[:, None, None], self._at_rest(dt_s, steps), whole)
        outputs = np.empty((kernel.N_OUTPUTS, len(self._networks)))
        kernel.advance_halls(
            steps, dt_s / steps, self._params, self._capacity, whole, half,
            self._inputs, self._state, self._shaped, outputs, self._scratch,
        )  # fmt: skip
        return outputs

    def _divided(self, dt_s: float) -> tuple[int, Floats, Floats]:
        steps = int(np.ceil(dt_s / LONGEST_SUBSTEP_S - 1e-9))
        pairs = [propagators(network, dt_s / steps) for network in self._networks]
        whole = np.array([pair[0] for pair in pairs]).reshape(-1, kernel.N_COLUMNS, kernel.N_ROWS)
        half = np.array([pair[1] for pair in pairs]).reshape(-1, kernel.N_COLUMNS, 3)
        return steps, whole, half

    def _at_rest(self, dt_s: float, steps: int) -> Floats:
        """Return the propagators of halls in which nothing runs: no leakage, no stream, no mover."""
        if dt_s not in self._resting:
            still = [
                replace(
                    network, leak_mw_per_k=0.0, liquid_mw_per_k=0.0, air_mw_per_k=0.0,
                    pump_mw=0.0, room_fan_mw=0.0,
                )
                for network in self._networks
            ]  # fmt: skip
            self._resting[dt_s] = np.array([propagators(network, dt_s / steps)[0] for network in still])
        return self._resting[dt_s]

    def _settle(self) -> None:
        """Run the halls on their first inputs, under voltage, until nothing moves."""
        heard_pu = self._inputs[kernel.VM_PU].copy()
        self._inputs[kernel.VM_PU] = 1.0
        self._find_equilibrium()
        self._inputs[kernel.VM_PU] = heard_pu

    def _find_equilibrium(self) -> None:
        for _ in range(SETTLE_WITHIN_H):
            before = self._state.copy()
            self._advance(3600.0)
            moved = np.max(np.abs(self._state - before), axis=1, initial=0.0)
            if np.all(moved <= SETTLED_K):
                self._settled = True
                return
        raise ScenarioError("\n".join(self._restless(int(i)) for i in np.flatnonzero(moved > SETTLED_K)))

    def _restless(self, i: int) -> str:
        work_gpu, outdoor_degc, _, cooling_pu, _ = self._inputs[:, i]
        return (
            f"{self._name(i)}: no thermal equilibrium to start from: with work_gpu={work_gpu:g}, "
            f"temp_outdoor_degc={outdoor_degc:g} and cooling_pu={cooling_pu:g} dies are at "
            f"{self._state[i, kernel.T_DIE]:.0f} °C after {SETTLE_WITHIN_H} h and still moving"
        )

    def _tell(self, t_s: float, throttled: Bools) -> None:
        for i in np.flatnonzero(throttled != self._throttled):
            kind = "throttle" if throttled[i] else "throttle_end"
            die_degc, limit_degc = self._state[i, kernel.T_DIE], self._limit_degc[i]
            text = f"dies at {die_degc:.1f} °C, clocks fall above {limit_degc:g} °C or to meet the cap"
            self._context.emit(t_s, self._name(int(i)), kind, text)
        self._throttled = throttled

    def _name(self, i: int) -> str:
        return self._context.names[i] if i < len(self._context.names) else f"gpu_hall {i}"
