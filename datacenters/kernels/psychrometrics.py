"""Moist air: vapour pressure, humidity, enthalpy and wet bulb, at any pressure.

Temperatures in °C, pressures in bar, humidity ratios in kg of vapour per kg of dry air, enthalpies in MJ per
kg of dry air. Equations and their numbers are those of ASHRAE *Handbook of Fundamentals* 2017, chapter 1.
"""

from math import exp, log

from cosim.core.jit import jit

CP_AIR_MJ_PER_KG_K = 1.006e-3
CP_VAPOUR_MJ_PER_KG_K = 1.86e-3
CP_WATER_MJ_PER_KG_K = 4.186e-3
LATENT_0_MJ_PER_KG = 2.501
VAPOUR_TO_AIR = 0.621945
"""Molar mass of water over that of dry air."""
DEEPEST_K = 40.0
"""Wet bulb below dry bulb that no air passes (dry air of 50 °C at 0.6 bar: 38 K)."""
WET_BULB_STEPS = 60


@jit
def saturation_pressure_bar(temp_degc: float) -> float:
    """Return the vapour pressure over ice below 0 °C and over water above, equations 5 and 6 [1]_.

    References
    ----------
    .. [1] R. W. Hyland, A. Wexler, ASHRAE Transactions 89(2A) (1983) 500.
    """
    t = temp_degc + 273.15
    if temp_degc < 0.0:
        sum_ice = -5.6745359e3 / t + 6.3925247 - 9.677843e-3 * t + 6.2215701e-7 * t * t
        return 1e-5 * exp(sum_ice + (2.0747825e-9 - 9.484024e-13 * t) * t * t * t + 4.1635019 * log(t))
    sum_water = -5.8002206e3 / t + 1.3914993 - 4.8640239e-2 * t + 4.1764768e-5 * t * t
    return 1e-5 * exp(sum_water - 1.4452093e-8 * t * t * t + 6.5459673 * log(t))


@jit
def saturated_humidity(temp_degc: float, pressure_bar: float) -> float:
    """Return the humidity ratio of saturated air, equation 21."""
    vapour_bar = saturation_pressure_bar(temp_degc)
    return VAPOUR_TO_AIR * vapour_bar / (pressure_bar - vapour_bar)


@jit
def enthalpy_mj_per_kg(temp_degc: float, humidity: float) -> float:
    """Return the enthalpy of moist air from dry air and water at 0 °C, equation 30."""
    return CP_AIR_MJ_PER_KG_K * temp_degc + humidity * (
        LATENT_0_MJ_PER_KG + CP_VAPOUR_MJ_PER_KG_K * temp_degc
    )


@jit
def _wet_bulb_humidity(temp_degc: float, wet_bulb_degc: float, pressure_bar: float) -> float:
    """Return the humidity ratio of air with a wet bulb, equations 33 (water) and 35 (ice); below 0: none."""
    depression = CP_AIR_MJ_PER_KG_K * (temp_degc - wet_bulb_degc)
    saturated = saturated_humidity(wet_bulb_degc, pressure_bar)
    if wet_bulb_degc < 0.0:
        dry = (2.830 - 0.24e-3 * wet_bulb_degc) * saturated - depression
        return dry / (2.830 + CP_VAPOUR_MJ_PER_KG_K * temp_degc - 2.1e-3 * wet_bulb_degc)
    dry = (LATENT_0_MJ_PER_KG - 2.326e-3 * wet_bulb_degc) * saturated - depression
    wet = LATENT_0_MJ_PER_KG + CP_VAPOUR_MJ_PER_KG_K * temp_degc - CP_WATER_MJ_PER_KG_K * wet_bulb_degc
    return dry / wet


@jit
def humidity_at_wet_bulb(temp_degc: float, wet_bulb_degc: float, pressure_bar: float) -> float:
    """Return the humidity ratio of air with a wet bulb; 0 where even dry air is wetted to a higher one."""
    return max(_wet_bulb_humidity(temp_degc, wet_bulb_degc, pressure_bar), 0.0)


@jit
def humidity_at(temp_degc: float, relative_pu: float, pressure_bar: float) -> float:
    """Return the humidity ratio of air at a relative humidity, equations 12 and 20."""
    vapour_bar = relative_pu * saturation_pressure_bar(temp_degc)
    return VAPOUR_TO_AIR * vapour_bar / (pressure_bar - vapour_bar)


@jit
def wet_bulb_degc(temp_degc: float, humidity: float, pressure_bar: float) -> float:
    """Return the thermodynamic wet bulb of air with a humidity ratio, to 1e-9, by regula falsi (Pegasus)."""
    other, miss_other = temp_degc, saturated_humidity(temp_degc, pressure_bar) - humidity
    if miss_other <= 0.0:
        return temp_degc
    bulb = temp_degc - DEEPEST_K
    miss = _wet_bulb_humidity(temp_degc, bulb, pressure_bar) - humidity
    for _ in range(WET_BULB_STEPS):
        before, moved = bulb, miss
        bulb = (other * miss - bulb * miss_other) / (miss - miss_other)
        miss = _wet_bulb_humidity(temp_degc, bulb, pressure_bar) - humidity
        if abs(miss) < 1e-9 or abs(bulb - before) < 1e-9:
            break
        if miss * moved < 0.0:
            other, miss_other = before, moved
        else:
            miss_other *= moved / (moved + miss)
    return bulb


@jit
def pressure_at_altitude_bar(altitude_m: float) -> float:
    """Return the pressure of the standard atmosphere, equation 3 (-5 to 11 km)."""
    return 1.01325 * (1.0 - 2.25577e-5 * altitude_m) ** 5.2559
