"""The units a name may end in. A port or parameter without one of them is refused."""

from typing import NamedTuple


class Unit(NamedTuple):
    """One unit: how it is printed and what it measures."""

    symbol: str
    quantity: str


UNITS: dict[str, Unit] = {
    "mw": Unit("MW", "active or heat power"),
    "mvar": Unit("Mvar", "reactive power"),
    "mva": Unit("MVA", "apparent power"),
    "mwh": Unit("MWh", "energy"),
    "mj": Unit("MJ", "energy"),
    "mws": Unit("MW·s", "kinetic energy"),
    "j_per_gpu": Unit("J/GPU", "energy of each accelerator"),
    "kw": Unit("kW", "power of one machine or rack"),
    "kv": Unit("kV", "voltage"),
    "ka": Unit("kA", "current"),
    "ohm": Unit("Ω", "resistance"),
    "farad": Unit("F", "capacitance"),
    "pu": Unit("pu", "ratio"),
    "percent": Unit("%", "ratio"),
    "ppm": Unit("ppm", "ratio"),
    "degree": Unit("°", "angle"),
    "hz": Unit("Hz", "frequency"),
    "hz_per_s": Unit("Hz/s", "rate of change of frequency"),
    "mw_per_hz": Unit("MW/Hz", "droop"),
    "mw_per_s": Unit("MW/s", "ramp"),
    "mw_per_min": Unit("MW/min", "ramp"),
    "pu_per_s": Unit("1/s", "ramp"),
    "pu_per_min": Unit("1/min", "ramp"),
    "pu_per_k": Unit("1/K", "temperature coefficient"),
    "s": Unit("s", "time"),
    "min": Unit("min", "time"),
    "h": Unit("h", "time"),
    "ms": Unit("ms", "time"),
    "degc": Unit("°C", "temperature"),
    "k": Unit("K", "temperature difference"),
    "mw_per_k": Unit("MW/K", "heat conductance"),
    "k_per_mw": Unit("K/MW", "thermal resistance"),
    "k_per_kw": Unit("K/kW", "thermal resistance"),
    "mj_per_k": Unit("MJ/K", "heat capacity"),
    "kg": Unit("kg", "mass"),
    "kg_per_s": Unit("kg/s", "mass flow"),
    "m3": Unit("m³", "volume"),
    "bar": Unit("bar", "absolute pressure"),
    "m_per_s": Unit("m/s", "speed"),
    "w_per_m2": Unit("W/m²", "irradiance"),
    "km": Unit("km", "distance"),
    "gbit_per_s": Unit("Gbit/s", "data rate"),
    "gb": Unit("GB", "data"),
    "gpu": Unit("GPU", "accelerators, or work that keeps so many of them busy"),
    "gpu_h": Unit("GPU·h", "work"),
    "per_s": Unit("1/s", "rate"),
    "count": Unit("", "number of things"),
    "code": Unit("", "state of a state machine, documented at its port"),
    "cny": Unit("CNY", "money"),
    "cny_per_h": Unit("CNY/h", "cost"),
    "cny_per_mwh": Unit("CNY/MWh", "price"),
    "kg_per_mwh": Unit("kg/MWh", "carbon intensity"),
    "l_per_kwh": Unit("L/kWh", "water over energy"),
}


def unit_of(name: str) -> Unit | None:
    """Return the unit `name` ends in (the longest match), or None.

    >>> unit_of("ramp_mw_per_s").symbol
    'MW/s'
    >>> unit_of("power") is None
    True
    """
    words = name.split("_")
    for start in range(len(words)):
        suffix = "_".join(words[start:])
        if suffix in UNITS:
            return UNITS[suffix]
    return None
