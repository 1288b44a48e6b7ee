"""GPU halls: work in, power and heat out, with clocks that fall when dies get hot or power is capped."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.activations import Activations
from cosim.core.component import Balance, Context, DeviceOffer, Port
from cosim.core.errors import ScenarioError
from cosim.core.flexibility import Activate, Flexibility
from cosim.core.params import Params
from cosim.core.types import Floats
from datacenters.catalog.racks import Rack, rack
from datacenters.cooling import Cooling
from datacenters.design_day import overloads
from datacenters.hall_events import Teller
from datacenters.hall_flexibility import HallFlexibility, Limits, Steering, hall_costs, horizons, least_of
from datacenters.hall_model import HallModel
from datacenters.kernels import hall_rows as rows
from datacenters.rehearsal import Rehearsal, Rehearsing
from datacenters.sizing import Size
from datacenters.supply import Drawn, Supply
from datacenters.supply_offer import SupplyParams
from datacenters.ups import ResetUps


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
    rack_groups_count: int = Field(
        default=1, ge=1, le=100_000, description="groups of equal racks that are simulated, each by itself"
    )
    work_spread_pu: float = Field(
        default=0.2,
        ge=0,
        le=0.4,
        description="standard deviation of work over groups: s in u + s·u·(1 - u) (unconfirmed)",
    )
    flow_spread_pu: float = Field(
        default=0.05,
        ge=0,
        le=0.3,
        description="standard deviation of coolant flow over groups, of their mean (unconfirmed)",
    )
    cooling: Cooling = Field(default=Cooling(), description="the hall's circuits, plants and limits")
    flexibility: HallFlexibility = Field(
        default=HallFlexibility(), description="how the hall moves when it is activated, and at what cost"
    )

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


class GpuHall(Rehearsing):
    """Halls whose power follows their work, temperatures and the weather.

    Work that finds no free accelerator is reported as unserved and is gone: queues live in whoever
    sends the work. Power does not depend on voltage or frequency (constant-power rectifiers). At 0 pu,
    on an island without source, a hall draws nothing and does no work; pumps and fans stand still and heat
    only evens out. When voltage returns pumps, racks and chillers start one after the other. Racks whose
    dies or inlet air get too hot switch off, and come back once it is cool again. A hall with a `ups` is
    carried by its batteries meanwhile; where the grid integrates dynamic models it stands there as an
    electronic load that lets go in dips, comes back or locks out.
    The run starts in thermal equilibrium with the inputs of the first step, under voltage, all racks on.
    """

    params_type: ClassVar[type[Params]] = GpuHallParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("work_gpu", "work wanted: accelerators it keeps busy at full clock; below 0 counts as 0", 0.0),
        Port("temp_outdoor_degc", "outdoor air at the heat rejection", 25.0),
        Port("cap_pu", "largest IT power, of rated; met by lowering clocks, not below idle", 1.0),
        Port("cooling_pu", "share of dry coolers and chillers in service, 0 to 1", 1.0),
        Port("vm_pu", "voltage at the connection point: 0 is no supply, otherwise power is constant", 1.0),
        Port("temp_wetbulb_degc", "wet bulb of outdoor air, for pads and towers; at most outdoor air", 20.0),
        Port("temp_offset_k", "added to the set-points of both circuits; below 0 cools in advance", 0.0),
        Port("movers_pu", "pumps and room fans: at 0 they stand still, otherwise they run", 1.0),
        Port("f_hz", "frequency: has no effect", 50.0),
        *Supply.inputs,
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("it_mw", "IT power: what racks draw"),
        Port("cooling_mw", "pumps, room fans, heat-rejection fans and chillers"),
        Port("mover_mw", "part of cooling: pumps and room fans, whose power warms the streams"),
        Port("chiller_mw", "part of cooling: chillers"),
        Port("heat_rejected_mw", "heat taken out of coolant and hall air"),
        Port("heat_stored_mwh", "heat in dies, metal, air, coolant, water and tanks above 20 °C, at the end"),
        Port("water_kg_per_s", "fresh water that evaporates, drifts and is blown down in heat rejection"),
        Port("work_offered_gpu", "work wanted"),
        Port("work_done_gpu", "work executed, mean over the step"),
        Port("work_unserved_gpu", "work wanted and not executed"),
        Port("capacity_gpu", "work the hall can execute in all at the end of the step, at its clock then"),
        Port("throttle_pu", "how far clocks are held down, mean: 0 not at all"),
        Port("temp_die_degc", "dies, mean over racks, at the end, as all temperatures"),
        Port("temp_die_max_degc", "dies of the hottest group of racks"),
        Port("temp_coolant_degc", "coolant leaving the racks; hall air where racks are air cooled"),
        Port("temp_supply_degc", "coolant to the racks; inlet air where racks are air cooled"),
        Port("temp_air_degc", "hall air behind the racks"),
        Port("temp_inlet_degc", "air entering the racks"),
        Port("temp_facility_degc", "facility water, and its tank; chilled water where racks are air cooled"),
        Port("temp_chilled_degc", "chilled water of the room's coils, and its tank"),
        Port("ballast_mw", "part of IT power that does no work: floor and ramp limit of smoothing"),
        Port("racks_on_pu", "share of racks that are on, at the end"),
        *Supply.outputs,
    )
    balances: ClassVar[tuple[Balance, ...]] = (
        *Supply.balances,
        Balance("heat", ("it_mw", "mover_mw"), ("heat_rejected_mw",), "heat_stored_mwh"),
        Balance("work", ("work_offered_gpu",), ("work_done_gpu", "work_unserved_gpu")),
    )

    commands: ClassVar[Mapping[str, type[Params]]] = {"reset_ups": ResetUps, "activate": Activate}

    def __init__(self, params: Sequence[GpuHallParams]) -> None:
        rated_mw = np.array([p.size().it_rated_mw for p in params])
        self._supply = Supply(params, rated_mw, np.array([p.size().gpus_count for p in params]))
        self._names = [port.name for port in self.outputs[: rows.N_PORTS]]
        self._design = tuple(params)
        self.model = HallModel(params)
        self._steering = Steering([p.flexibility for p in params], Limits.of(self.model.params))
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Forget the run; the next step settles the halls on its inputs first."""
        self._context = context
        count = self.model.count
        names = [context.names[i] if i < len(context.names) else f"gpu_hall {i}" for i in range(count)]
        self.model.reset(context.streams, names)
        self._teller = Teller(self.model.params, names, context.emit)
        self._settled = False
        self._supply.reset(context)
        self._unit_names = names
        self._overloaded: list[str] | None = None
        self._promises = Activations(count)
        self._steering.reset()

    def devices(self) -> tuple[DeviceOffer | None, ...]:
        """Return what stands for each hall in a grid that integrates dynamic models."""
        return self._supply.devices()

    def refusal(self, unit: int, command: Params) -> str | None:
        """Return why a hall cannot be switched back."""
        return None if isinstance(command, Activate) else self._supply.refusal(unit, command)

    def unfit(self, longest_s: float) -> list[str]:
        """Return the halls that cannot work in steps of up to so long, or on their design day, and why."""
        return self._supply.unfit(longest_s) + self._overloads()

    def _overloads(self) -> list[str]:
        """Return what the design day overloads, found once."""
        if self._overloaded is None:
            self._overloaded = overloads(self._design, self._unit_names)
        return self._overloaded

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Switch a supply back to the grid by hand, or hold another power at the meter for a time."""
        if isinstance(command, Activate):
            self._promises.give(unit, command)
        else:
            self._supply.command(t_s, unit, name, command)

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return how far the meter of each hall can be moved, found by rehearsal."""
        free = ~self._promises.busy & (np.asarray(inputs["vm_pu"]) > 0.0)
        down, up = self._steering.prospects(self, t_s, inputs, free)
        steering = self._steering
        return least_of(
            [
                Rehearsal(
                    self, t_s, hold_s, inputs, hall_costs, steering.allowed, steering.longest_s, steers=True
                ).range(down, up)
                for hold_s in horizons(horizon_s)
            ]
        )

    def rehearse(self, promises: Activations) -> Self:
        """Return a copy that keeps these promises instead of its own, and tells nobody."""
        other = super().rehearse(promises)
        other.model.share(self.model)
        other.hush()
        return other

    def hush(self) -> None:
        """Tell nobody of throttling and alarms."""
        self._teller = Teller(self.model.params, self._unit_names, self._context.emit)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Advance all halls by `dt_s` in sub-steps of at most a second."""
        steers = self._promises.open
        if steers:
            inputs = self._steered(t_s, dt_s, inputs)
        heard = self.model.inputs
        for row, port in enumerate(self.inputs[: rows.N_INPUTS]):
            heard[:, row] = inputs[port.name]
        heard[:, rows.VM_PU] = self._supply.fed(t_s, dt_s, inputs)
        heard[:, rows.COOLING_PU] *= self._supply.plant_pu
        if not self._settled:
            self._settle()
        outputs = self.model.advance(dt_s)
        self._teller.tell(t_s + dt_s, outputs, heard[:, rows.VM_PU])
        drawn = Drawn(
            it_mw=outputs[rows.IT_MW],
            it_square_mw2=outputs[rows.IT_SQUARE_MW2],
            it_end_mw=outputs[rows.IT_END_MW],
            cooling_mw=outputs[rows.COOLING_MW],
            cooling_end_mw=outputs[rows.COOLING_END_MW],
            mover_mw=outputs[rows.MOVER_MW],
        )
        chain = self._supply.carry(drawn, dt_s, inputs["q_order_mvar"])
        if steers:
            self._steering.see(chain["p_mw"])
        return {**dict(zip(self._names, outputs, strict=False)), **chain}

    def _steered(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Answer what is asked for, and return inputs with the levers where promises want the meters."""
        if self._settled:
            self._promises.accept(self, self._context, t_s, inputs)
        target_mw = self._promises.target_mw(t_s, dt_s)
        change_mw = self._promises.change_mw(t_s, dt_s)
        return self._steering.steer(inputs, target_mw, target_mw - change_mw, dt_s)

    def _settle(self) -> None:
        """Check the design day, then find the equilibrium of the first inputs, under voltage."""
        findings = list(self._overloads())
        heard_pu = self.model.inputs[:, rows.VM_PU].copy()
        self.model.inputs[:, rows.VM_PU] = 1.0
        findings += [self._restless(int(i)) for i in np.flatnonzero(self.model.settle())]
        if findings:
            raise ScenarioError("\n".join(findings))
        self.model.inputs[:, rows.VM_PU] = heard_pu
        self._settled = True

    def _restless(self, i: int) -> str:
        heard, block = self.model.inputs[i], self.model.block(i)
        return (
            f"{self._unit_names[i]}: no thermal equilibrium to start from: with "
            f"work_gpu={heard[rows.WORK_GPU]:g}, temp_outdoor_degc={heard[rows.TEMP_OUTDOOR_DEGC]:g} and "
            f"cooling_pu={heard[rows.COOLING_PU]:g} dies get to "
            f"{block[rows.DIE_DEGC].max():.0f} °C and are still moving"
        )
