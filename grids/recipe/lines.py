"""Lengths and reactors of lines nobody has published."""

import math

DETOUR = 1.25
"""Length of a line over the distance between its ends; published sections of 750 kV lines lie around it."""

COMPENSATED = 0.75
"""Share of the charging of 750 and 1000 kV lines taken by their reactors."""

_EARTH_KM = 6371.0


def great_circle_km(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    r"""Return the distance of two places [km] by the haversine formula, coordinates in degrees [1]_.

    .. math:: d = 2 R \arcsin\sqrt{\sin^2\tfrac{\Delta\varphi}{2}
              + \cos\varphi_a \cos\varphi_b \sin^2\tfrac{\Delta\lambda}{2}}

    References
    ----------
    .. [1] R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984) 159.
    """
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half_phi, half_lambda = (phi_b - phi_a) / 2.0, math.radians(lon_b - lon_a) / 2.0
    h = math.sin(half_phi) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lambda) ** 2
    return 2.0 * _EARTH_KM * math.asin(math.sqrt(h))


def charging_mvar(kv: float, length_km: float, c_nf_per_km: float, f_hz: float = 50.0) -> float:
    """Return what a line of this capacitance delivers at nominal voltage [Mvar]: omega C V^2."""
    return 2.0 * math.pi * f_hz * c_nf_per_km * 1e-9 * length_km * kv**2
