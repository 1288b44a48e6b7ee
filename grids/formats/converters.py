r"""Line-commutated converters in the steady state.

With `N` bridges in series, of commutating reactance `X` and valve drop :math:`\Delta V` each, at the angle
:math:`\alpha` of firing (extinction) that the tap changers of the transformers see to [1]_:

.. math::
    V_{d0} = \frac{V_d/N + \tfrac{3}{\pi}X I_d + \Delta V}{\cos\alpha}, \quad
    \cos\varphi = \frac{V_d/N}{V_{d0}}, \quad Q = P\tan\varphi

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, sections 10.2 and 10.8.
"""

import math

from cosim.core.errors import CaseError


def tan_phi(
    where: str,
    *,
    bridges: int,
    x_ohm: float,
    angle_degree: float,
    v_kv: float,
    i_ka: float,
    drop_kv: float = 0.0,
) -> float:
    """Return the tangent of a converter's phase angle, > 0: reactive over active power drawn.

    Parameters
    ----------
    where
        Names the converter in a message.
    bridges
        Bridges in series.
    x_ohm
        Commutating reactance of a bridge [ohm], at the side of the valves.
    angle_degree
        Angle of firing or extinction.
    v_kv
        Direct voltage of all bridges.
    i_ka
        Direct current.
    drop_kv
        Voltage over the valves of a bridge.

    Raises
    ------
    CaseError
        When the values make no converter.
    """
    if bridges < 1 or x_ohm < 0.0 or not 0.0 <= angle_degree < 90.0 or v_kv <= 0.0:
        what = f"{bridges} bridges, {x_ohm:g} ohm, {angle_degree:g} degrees, {v_kv:g} kV"
        allowed = "bridges >= 1, reactance >= 0, 0 <= angle < 90, voltage > 0"
        msg = f"{where}: {what} make no converter (allowed: {allowed})"
        raise CaseError(msg)
    each_kv = v_kv / bridges
    ideal_kv = (each_kv + 3.0 / math.pi * x_ohm * i_ka + drop_kv) / math.cos(math.radians(angle_degree))
    return math.tan(math.acos(each_kv / ideal_kv))
