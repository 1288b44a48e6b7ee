"""Batteries that carry a hall while the grid does not: of its supply, or in its racks."""

from collections.abc import Sequence

from pydantic import Field

from cosim.core.params import Params
from cosim.core.types import Floats


class Store(Params):
    """Battery of one hall."""

    battery_min: float = Field(
        default=5.0,
        gt=0,
        description="energy, as time at the rated IT power; cooling and losses shorten it (unconfirmed)",
    )
    recharge_pu: float = Field(
        default=0.1, ge=0, le=1, description="power with which they are recharged, of rated (unconfirmed)"
    )
    eta_charge_pu: float = Field(default=0.95, gt=0, le=1, description="of it what is stored (unconfirmed)")
    shave_above_pu: float | None = Field(
        default=None,
        gt=0,
        description="power above which they help, of rated, and up to which they recharge; none: never",
    )
    shave_reserve_pu: float = Field(
        default=0.5, ge=0, lt=1, description="charge that is kept for the loss of supply"
    )


def too_small(
    stores: Sequence[Store | None], rated_mw: Floats, names: Sequence[str], dt_s: float
) -> list[str]:
    """Return the halls whose battery would run empty in one step at rated power, and why.

    Parameters
    ----------
    stores, rated_mw, names
        One a hall: its battery, what that feeds, what the hall is called.
    dt_s
        Length of the step.
    """
    return [
        f"{name}: battery_min={store.battery_min:g} holds {store.battery_min / 60.0 * mw:.4g} MWh, which"
        f" cannot feed the rated {mw:g} MW for one step of {dt_s:g} s"
        for store, mw, name in zip(stores, rated_mw.tolist(), names, strict=True)
        if store is not None and store.battery_min * 60.0 < dt_s
    ]
