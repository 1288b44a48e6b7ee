"""A hall filled by one synchronous job, whose pulses are seen within an exchange.

Between a `training` job and a `gpu_hall` travels the mean over an exchange. Here job and hall stand
together: the hall is advanced through the exchange in steps that resolve the job's iterations, so that a
power floor, ramp limits and capacitors act on the pulses themselves, and where the grid integrates dynamic
models it is handed the waveform.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import Context, DeviceInput, DeviceOffer, DevicePart, DroopOffer, Port
from cosim.core.flexibility import Flexibility, Side
from cosim.core.params import Params
from cosim.core.types import Floats
from cosim.core.wave import Drawn, Limits, Wave, mean_drawn, settled
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.smoothing import Smoothing
from datacenters.supply_offer import MARGIN_PU, NEVER_CEASES, PLANT, WHOLE
from datacenters.training import Pace, Start, Stop, Sweep, Training, TrainingParams

INNER_S = 0.05
"""Longest step of the hall within an exchange: a tenth of an iteration of half a second."""
CAPACITOR_STEP_S = 0.01
ENDLESS_MW_PER_S = 1e12

PULSE_OF = {"p_set_pu": "p_order_pu", "q_set_pu": "q_order_pu"}
"""Inputs of an electronic load, and those of the pulse that moves them."""
WAVE_PORTS = tuple(f"wave_{name}" for name in ("mean_mw", "low_mw", "high_mw", "since_s", "high_s", "low_s"))


class TrainingHallParams(GpuHallParams):
    """One hall and the job that fills it."""

    job: TrainingParams = Field(description="the job; `runs_on` is left out, it is this hall")

    @model_validator(mode="after")
    def _job_is_at_home(self) -> Self:
        if self.job.runs_on is not None:
            msg = f"job.runs_on={self.job.runs_on!r}: the job of a training hall runs there; leave it out"
            raise ValueError(msg)
        if self.job.gpus_count > self.size().gpus_count * (1.0 + 1e-9):
            room = self.size().gpus_count
            msg = f"job.gpus_count={self.job.gpus_count:g} is more than the hall has: {room:g}"
            raise ValueError(msg)
        return self


class TrainingHall(GpuHall):
    """Halls of one synchronous job each; see `GpuHall` and `Training` for what they do.

    Work that comes over wires runs beside the job. On engine `rms` the hall is an electronic load whose
    orders pulse (device `pulse`): with the mean over each exchange that this component publishes, the edges
    of the job's iterations, the lag of the hall, its floor, ramp limits and capacitors. A pulse of an
    exchange is that of its first iteration, so exchanges should not be longer than the job computes at a
    stretch; a checkpoint or failure within an exchange shows at the next one. Cooling and losses do not pulse
    within an exchange.
    """

    params_type: ClassVar[type[Params]] = TrainingHallParams
    outputs: ClassVar[tuple[Port, ...]] = (
        *GpuHall.outputs,
        *(port for port in Training.outputs if port.name != "work_gpu"),
        Port("wave_mean_mw", "mean over the exchange of the pulsing power, as the grid's device has it"),
        Port("wave_low_mw", "IT power while the job waits, with the floor"),
        Port("wave_high_mw", "IT power while it computes, with the floor"),
        Port("wave_since_s", "time since its iteration began, at the start of the exchange"),
        Port("wave_high_s", "how long it computes in this iteration"),
        Port("wave_low_s", "how long it waits"),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {**GpuHall.commands, **Training.commands}

    def __init__(self, params: Sequence[TrainingHallParams]) -> None:
        self._halls = tuple(params)
        self._training = Training([p.job for p in params])
        self._limits = [_limits(p) for p in params]
        self._drawn: list[Drawn | None] = []
        super().__init__(params)

    def reset(self, context: Context) -> None:
        """Start halls and jobs anew."""
        super().reset(context)
        self._training.reset(context)
        self._drawn = [None] * len(self._halls)
        self._p_mw = np.zeros(len(self._halls))

    def devices(self) -> tuple[Any, ...]:
        """Return what stands for each hall in a grid that integrates dynamic models: a load that pulses."""
        return tuple(
            _pulsing(offer, limits, params)
            for offer, limits, params in zip(super().devices(), self._limits, self._halls, strict=True)
        )

    def refusal(self, unit: int, command: Params) -> str | None:
        """Return why a hall cannot obey."""
        return None if isinstance(command, Start | Stop | Pace | Sweep) else super().refusal(unit, command)

    def unfit(self, longest_s: float) -> list[str]:
        """Return the halls that cannot work, and why; a step is taken in parts of at most `INNER_S`."""
        return super().unfit(min(longest_s, INNER_S))

    def command(self, t_s: float, unit: int, name: str, command: Any) -> None:
        """Hand an event to the job or to the hall."""
        if isinstance(command, Start | Stop | Pace | Sweep):
            self._training.command(t_s, unit, name, command)
        else:
            super().command(t_s, unit, name, command)

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return what halls drew last, and that nothing is promised: a power that pulses is no baseline."""
        del t_s, horizon_s, inputs
        none = Side.none(len(self._halls))
        return Flexibility(self._p_mw.copy(), none, none)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Advance jobs and halls together through the exchange."""
        waves = [job.wave() for job in self._training.jobs]
        steps = max(math.ceil(dt_s / INNER_S - 1e-9), 1)
        h_s = dt_s / steps
        parts, works = [], []
        for n in range(steps):
            work = self._training.step(t_s + n * h_s, h_s, {})
            works.append(work)
            parts.append(
                super().step(
                    t_s + n * h_s, h_s, {**inputs, "work_gpu": inputs["work_gpu"] + work["work_gpu"]}
                )
            )
        outputs = {name: _joined(name, [part[name] for part in parts]) for name in parts[0]}
        self._p_mw = outputs["p_mw"]
        outputs |= {name: works[-1][name] for name in works[-1] if name != "work_gpu"}
        outputs["work_low_gpu"] = np.min([work["work_low_gpu"] for work in works], axis=0)
        outputs["work_high_gpu"] = np.max([work["work_high_gpu"] for work in works], axis=0)
        shapes = [self._wave(i, *wave, inputs, outputs) for i, wave in enumerate(waves)]
        rows = [(self._mean_mw(i, wave, dt_s), *wave) for i, wave in enumerate(shapes)]
        return {**outputs, **dict(zip(WAVE_PORTS, np.array(rows).reshape(-1, 6).T.copy(), strict=True))}

    def _mean_mw(self, i: int, wave: Wave, dt_s: float) -> float:
        """Return the mean of the pulsing power as the device draws it."""
        limits, drawn = self._limits[i], self._drawn[i]
        stands = settled(wave, limits) if drawn is None else drawn
        mean_mw, self._drawn[i] = mean_drawn(wave, limits, stands, dt_s, CAPACITOR_STEP_S)
        return float(mean_mw)

    def _wave(
        self, i: int, busy_pu: tuple[float, float], times_s: tuple[float, float, float],
        inputs: Mapping[str, Floats], outputs: Mapping[str, Floats],
    ) -> Wave:  # fmt: skip
        """Return the IT power the job wants while it waits and while it computes."""
        beside_gpu, clock = max(float(inputs["work_gpu"][i]), 0.0), 1.0 - float(outputs["throttle_pu"][i])
        hall, count = self._halls[i], self._halls[i].job.gpus_count
        low_mw, high_mw = (_it_mw(hall, beside_gpu + pu * count, clock) for pu in busy_pu)
        return Wave(low_mw, high_mw, *times_s)


def _it_mw(params: GpuHallParams, work_gpu: float, clock: float) -> float:
    """Return the IT power a hall's work asks for at a clock, with its floor."""
    size, idle_pu = params.size(), params.idle_share_pu()
    speed = 1.0 / ((1.0 - params.memory_bound_pu) / clock + params.memory_bound_pu)
    busy = min(work_gpu / (size.gpus_count * speed), 1.0)
    curve = 2.0 * busy - busy**params.curve_exponent_pu
    dynamic = params.work_intensity_pu * (1.0 - idle_pu) * curve * clock**params.power_exponent_pu
    floor_pu = params.smoothing.floor_pu if params.smoothing is not None else 0.0
    return float(size.it_rated_mw * max(idle_pu + dynamic, floor_pu))


def _limits(params: GpuHallParams) -> Limits:
    """Return what stands between what the job wants and what is drawn."""
    smoothing, size = params.smoothing or Smoothing(), params.size()
    _, rise, fall = smoothing.shaping_mw(size.it_rated_mw)
    return Limits(
        tau_s=params.tau_power_s,
        rise_mw_per_s=min(rise, ENDLESS_MW_PER_S),
        fall_mw_per_s=min(fall, ENDLESS_MW_PER_S),
        capacitor_mj=smoothing.capacitor_j_per_gpu * size.gpus_count / 1e6,
        capacitor_tau_s=smoothing.capacitor_tau_s,
    )


def _pulsing(offered: Any, limits: Limits, params: GpuHallParams) -> Any:
    """Return a hall's offer with orders that pulse; other offers beside it stay."""
    several = offered if isinstance(offered, tuple) else (offered,)
    device = next((offer for offer in several if isinstance(offer, DeviceOffer)), None)
    if device is None:
        load = {"sn_mva": params.size().it_rated_mw * MARGIN_PU, **NEVER_CEASES}
        orders = dict(zip(WHOLE, (DeviceInput("p_set_pu"), DeviceInput("q_set_pu")), strict=True))
        device = DeviceOffer(models={"electronic_load": load}, inputs=orders)
    if device.parts:
        pulsing = DeviceOffer.of([_pulsing_part(part, limits) for part in device.parts], device.f_nominal_hz)
    else:
        models = {**device.models, "pulse": limits._asdict()}
        pulsing = replace(device, models=models, inputs=_ordered(device.inputs, 1.0))
    others = tuple(offer for offer in several if isinstance(offer, DroopOffer))
    return (*others, pulsing) if others else pulsing


def _pulsing_part(part: DevicePart, limits: Limits) -> DevicePart:
    """Return a part of a hall's supply with its share of the pulse; the mechanical feed has none."""
    if part.power == PLANT:
        return part
    share = part.share_pu
    mine = limits._replace(
        rise_mw_per_s=limits.rise_mw_per_s * share,
        fall_mw_per_s=limits.fall_mw_per_s * share,
        capacitor_mj=limits.capacitor_mj * share,
    )
    models = {**part.models, "pulse": mine._asdict()}
    return replace(part, models=models, inputs=_ordered(part.inputs, share))


def _ordered(inputs: Mapping[str, DeviceInput], share: float) -> dict[str, DeviceInput]:
    """Return inputs in which the orders go to the pulse, and it hears the wave."""
    heard = {n: DeviceInput(n, base=1.0 / share if n.endswith("_mw") else 1.0) for n in WAVE_PORTS}
    orders = {name: replace(how, signal=PULSE_OF.get(how.signal, how.signal)) for name, how in inputs.items()}
    return {**orders, **heard}


def _joined(name: str, parts: Sequence[Floats]) -> Floats:
    """Return one output over the exchange: the mean of flows, the end of states, any sign of a code."""
    if len(parts) == 1:
        return parts[0]
    if name.endswith("_code"):
        return np.asarray(np.max(parts, axis=0))
    if name.endswith(("_mw", "_mvar", "_kg_per_s")) or name in FLOWS:
        return np.asarray(np.mean(parts, axis=0))
    return parts[-1]


FLOWS = {"work_offered_gpu", "work_done_gpu", "work_unserved_gpu", "throttle_pu"}
"""Outputs that are means over the step, beside powers."""
