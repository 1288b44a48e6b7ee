r"""What a direct-current link loses: converter stations in proportion to power, the line by :math:`I^2R`.

With the direct voltage held at the rectifier, each of the poles in service carries
:math:`I = P_d/(u V)`, so the line takes :math:`k P_d^2/u` for a share :math:`u` of the poles, and
each station a share :math:`s` of what it is given [1]_:

.. math:: P_d = (1-s) P_{from}, \qquad P_{to} = (1-s)\left(P_d - \frac{k}{u} P_d^2\right).

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, section 10.2; with ground return, so that
   a pole alone has no more resistance than in a pair.
"""

import math

from cosim.core.jit import jit


@jit
def line_loss_per_mw(sn_mw: float, loss_pu: float, station_pu: float) -> float:
    """Return `k` [1/MW] of a link that loses `loss_pu` of its rated power in all."""
    sent = (1.0 - station_pu) * sn_mw
    arrived = (1.0 - loss_pu) * sn_mw / (1.0 - station_pu)
    return float((sent - arrived) / (sent * sent))


@jit
def received_mw(sent_mw: float, live_pu: float, station_pu: float, k_per_mw: float) -> float:
    """Return what arrives of `sent_mw` with a share `live_pu` of the poles in service; odd in `sent_mw`."""
    if live_pu <= 0.0 or sent_mw == 0.0:
        return 0.0
    direct = (1.0 - station_pu) * sent_mw
    return (1.0 - station_pu) * (direct - k_per_mw * abs(direct) * direct / live_pu)


@jit
def sent_mw(received: float, live_pu: float, station_pu: float, k_per_mw: float) -> float:
    """Return what must be sent for `received` [MW] to arrive; the most the line can take where it cannot."""
    if live_pu <= 0.0 or received == 0.0:
        return 0.0
    arrived = abs(received) / (1.0 - station_pu)
    if k_per_mw <= 0.0:
        direct = arrived
    else:
        root = max(1.0 - 4.0 * k_per_mw * arrived / live_pu, 0.0)
        direct = live_pu * (1.0 - math.sqrt(root)) / (2.0 * k_per_mw)
    return math.copysign(direct / (1.0 - station_pu), received)


@jit
def slope(sent: float, live_pu: float, station_pu: float, k_per_mw: float) -> float:
    """Return how much more arrives per MW more sent."""
    if live_pu <= 0.0:
        return 0.0
    direct = (1.0 - station_pu) * abs(sent)
    return float((1.0 - station_pu) ** 2 * (1.0 - 2.0 * k_per_mw * direct / live_pu))
