"""RMS dynamics: rotor angles, voltages and frequency of every bus from milliseconds to a day.

>>> from grids.case import load_case
>>> from grids.dynamics import BusFault, simulate
>>> run = simulate(load_case("kundur"), [BusFault(bus=8, at_s=0.1, clear_after_s=0.1)], until_s=0.5)
>>> bool(run.f_coi_hz.iloc[-1] > 60.0)
True
"""

from grids.dynamics.events import BusFault, Custom, GeneratorTrip, LineTrip, LoadStep, LoadTrip, SetInput
from grids.dynamics.events_hvdc import DcBlock, DcRamp, DcRunback
from grids.dynamics.run import Run, simulate
from grids.dynamics.session import Session, State
from grids.dynamics.start import CURRENT, IMPEDANCE, POWER, begin

__all__ = [
    "CURRENT",
    "IMPEDANCE",
    "POWER",
    "BusFault",
    "Custom",
    "DcBlock",
    "DcRamp",
    "DcRunback",
    "GeneratorTrip",
    "LineTrip",
    "LoadStep",
    "LoadTrip",
    "Run",
    "Session",
    "SetInput",
    "State",
    "begin",
    "simulate",
]
