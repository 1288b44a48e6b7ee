"""Governors and exciters of a PSD-BPA stability file as rows of our dynamic tables.

GS with its turbine (TA, TB) is IEEEG1 with the same blocks; FA, FB and FK with their FZ are the IEEE types
DC1, DC2 and ST1 of 1981. All others are substitutes, which the import only takes when it is told to.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from grids.dynamics.by_plant_type import RIDE_THROUGH
from grids.formats.bpa.machines import Made
from grids.formats.bpa.stability_layouts import CONVERTERS, EXCITERS, STEAM, WATER
from grids.formats.dyr_models import IDLE_S, TYPICAL_EXCITER, TYPICAL_STEAM, TYPICAL_WATER
from grids.formats.tables import Cell

if TYPE_CHECKING:
    from grids.formats.bpa.cards import Card

FULL_PU = 1.0
NO_LOAD_FLOW_PU = 0.08
"""Flow of a turbine without load (unconfirmed)."""


def governor(cards: Mapping[str, "Card"]) -> Made | None:
    """Return the governor of a unit, with its turbine; `why` is empty where it is the same model."""
    if "GS" in cards:
        return _steam(cards["GS"], cards)
    if "GJ" in cards and "GA" in cards:
        return _electric(cards["GJ"], cards["GA"], cards)
    if "GH" in cards:
        return _water(cards["GH"])
    kinds = sorted(kind for kind in cards if kind in STEAM | WATER | {"GJ", "GA"})
    kind = next((kind for kind in kinds if kind in WATER), kinds[0] if kinds else None)
    if kind is None:
        return None
    if kind in WATER:
        return Made(
            "hygov",
            dict(TYPICAL_WATER),
            "synthetic",
            f"a water turbine of 5 % droop for {kind} (unconfirmed)",
        )
    why = f"a reheat steam turbine of 5 % droop for {kind} (unconfirmed)"
    return Made("tgov1", dict(TYPICAL_STEAM), "synthetic", why)


def _turbine(cards: Mapping[str, "Card"], made: Made) -> None:
    r"""Add the stages of the turbine; without a card it follows the valve at once.

    The overshoot :math:`\lambda` of PSD-BPA gives the first stage more until the reheater has followed [1]_:
    :math:`P = F_1 (P_1 + \lambda (P_1 - P_2)) + F_3 P_2 + F_5 P_3`, which is another share of two stages.

    References
    ----------
    .. [1] The usual form of the natural overshoot of the high-pressure cylinder (unconfirmed).
    """
    if "TB" not in cards:
        made.row |= {"k1_pu": 1.0, "t4_s": cards["TA"].number("t4_s") if "TA" in cards else 0.0}
        return
    card = cards["TB"]
    names = ("t4_s", "k2_pu", "t5_s", "k4_pu", "t6_s", "k5_pu")
    more = card.number("overshoot_pu") * card.number("k1_pu")
    made.row |= {name: card.number(name) for name in names}
    made.row |= {"k1_pu": card.number("k1_pu") + more, "k3_pu": card.number("k3_pu") - more}
    if more:
        made.evidence = "derived"
        made.why = "; ".join(
            filter(None, (made.why, "the overshoot of TB as shares of its stages (unconfirmed)"))
        )
    if card.has("more"):
        what = f"{card.text('more')!r} is not represented (allowed: blank)"
        made.wrong.append(f"{card.where}, columns 57-76: {what}")


def _steam(card: "Card", cards: Mapping[str, "Card"]) -> Made:
    r"""Return IEEEG1 with :math:`K = 1/R`, on the largest power of the turbine."""
    droop, p_mw = card.number("r_pu"), card.number("pmax_mw")
    made = Made("ieeeg1", {})
    if not (droop > 0.0 and p_mw > 0.0):
        made.wrong.append(f"{card.where}: R {droop:g}, PMAX {p_mw:g} (allowed: above 0)")
        return made
    made.row |= {
        "sn_mva": p_mw,
        "k_pu": 1.0 / droop,
        **{name: card.number(name) for name in ("t1_s", "t2_s", "t3_s")},
        "uo_pu_per_s": card.number("uo_pu_per_s"),
        "uc_pu_per_s": -abs(card.number("uc_pu_per_s")),
        "pmax_pu": FULL_PU,
        "pmin_pu": card.number("pmin_mw") / p_mw,
    }
    _turbine(cards, made)
    return made


def _electric(regulator: "Card", servo: "Card", cards: Mapping[str, "Card"]) -> Made:
    """Return IEEEG1 for GJ and GA: gain, dead-band and limit of the regulator, speed and travel of the servo.

    The load control of the regulator, which brings the power to that of the droop, is not represented: here
    it is there at once.
    """
    rate_up = min(servo.number("open_pu_per_s"), servo.number("out_max_pu") / (servo.number("open_s") or 1.0))
    rate_down = min(
        abs(servo.number("close_pu_per_s")),
        abs(servo.number("out_min_pu")) / (servo.number("close_s") or 1.0),
    )
    band = regulator.number("dead_band_pu") / 2.0
    gain = servo.number("kp_pu") or 1.0
    made = Made("ieeeg1", {}, "derived", "GJ and GA without their control of the load (unconfirmed)")
    made.row |= {
        "sn_mva": servo.number("p_mw"),
        "k_pu": regulator.number("k_pu"),
        "t1_s": regulator.number("t1_s"),
        "t3_s": servo.number("open_s") / gain,
        "uo_pu_per_s": rate_up,
        "uc_pu_per_s": -rate_down,
        "pmax_pu": servo.number("pmax_pu"),
        "pmin_pu": servo.number("pmin_pu"),
        "dbl_pu": -band,
        "dbu_pu": band,
        "plim_pu": max(regulator.number("up_pu"), 0.0),
    }
    _turbine(cards, made)
    return made


def _water(card: "Card") -> Made:
    """Return HYGOV for GH: the same governor, with the nonlinear water column for the linear one."""
    speeds = [abs(card.number(name)) for name in ("open_pu_per_s", "close_pu_per_s")]
    row: dict[str, Cell] = {
        "sn_mva": card.number("pmax_mw"),
        **{name: card.number(name) for name in ("rperm_pu", "rtemp_pu", "tr_s", "tf_s", "tg_s")},
        "velm_pu_per_s": min((speed for speed in speeds if speed > 0.0), default=0.2),
        "gmax_pu": FULL_PU,
        "gmin_pu": 0.0,
        "tw_s": 2.0 * card.number("tw_half_s"),
        "at_pu": 1.0 / (1.0 - NO_LOAD_FLOW_PU),
        "qnl_pu": NO_LOAD_FLOW_PU,
    }
    return Made("hygov", row, "derived", "GH with a nonlinear water column (unconfirmed)")


def converter(cards: Mapping[str, "Card"], sn_mva: float) -> list[Made]:
    """Return a converter with its control for wind and photovoltaics."""
    kind = next((kind for kind in cards if kind in CONVERTERS), None)
    if kind is None:
        return []
    why = f"a converter that rides through for {kind}, rated at its largest power over 0.9 (unconfirmed)"
    return [
        Made("regc_a", {"sn_mva": sn_mva}, "synthetic", why),
        Made("reec_a", dict(RIDE_THROUGH), "synthetic", f"constant power for {kind} (unconfirmed)"),
    ]


def exciter(cards: Mapping[str, "Card"]) -> Made | None:
    """Return the exciter of a unit; `why` is empty where it is the same model."""
    kind = next((kind for kind in cards if kind in {"FA", "FB", "FK"} | EXCITERS), None)
    if kind is None:
        return None
    card, more = cards[kind], cards.get("F+" if kind == "FV" else "FZ")
    if kind == "FV" and more is not None and _one_lead(card):
        return _static(card, more)
    if kind not in {"FA", "FB", "FK"}:
        why = f"an exciter of typical speed and ceiling for {kind} (unconfirmed)"
        return Made("sexs", dict(TYPICAL_EXCITER), "synthetic", why)
    made = Made("exst1" if kind == "FK" else "ieeex1", {})
    if more is None:
        made.wrong.append(f"{card.where}: {card.text('bus')!r} has no FZ card")
        return made
    made.wrong += _compensated(card)
    names = ("tr_s", "tb_s", "tc_s", "ka_pu", "ta_s", "vrmax_pu", "vrmin_pu")
    made.row |= {name: card.number(name) for name in names}
    kf_pu, tf_s = more.number("kf_pu"), more.number("tf_s")
    tf_s = IDLE_S if kf_pu == tf_s == 0.0 else tf_s
    if kind == "FK":
        made.row |= {"vimax_pu": card.number("vimax_pu"), "vimin_pu": card.number("vimin_pu")}
        made.row |= {"kc_pu": more.number("kc_pu"), "kf_pu": kf_pu, "tf_s": tf_s}
        return made
    ceiling = more.number("efdmax_pu")
    made.row |= {"ke_pu": card.number("ke_pu"), "te_s": card.number("te_s"), "kf1_pu": kf_pu, "tf1_s": tf_s}
    made.row |= {"e1_pu": ceiling, "se1_pu": more.number("se1_pu")}
    made.row |= {"e2_pu": 0.75 * ceiling, "se2_pu": more.number("se2_pu")}
    made.row["vr_follows_v_code"] = int(kind == "FB")
    return made


def _one_lead(card: "Card") -> bool:
    """Say whether FV is a lead-lag and a lag: a proportional regulator, the second lead-lag idle."""
    proportional = card.number("kv_pu") == 1.0 and card.number("kf_pu") == 0.0
    return proportional and card.number("t3_s") == card.number("t4_s")


def _static(card: "Card", more: "Card") -> Made:
    """Return EXST1 for FV: the gains of both stages as one."""
    made = Made("exst1", {}, "derived", "FV with the limits of its bridge alone")
    made.wrong += _compensated(card)
    made.row |= {
        "tr_s": card.number("tr_s"),
        "vimax_pu": 99.0,
        "vimin_pu": -99.0,
        "tc_s": card.number("t1_s"),
        "tb_s": card.number("t2_s"),
        "ka_pu": card.number("k_pu") * card.number("ka_pu"),
        "ta_s": card.number("ta_s"),
        "vrmax_pu": more.number("vrmax_pu"),
        "vrmin_pu": more.number("vrmin_pu"),
        "kc_pu": more.number("kc_pu"),
        "tf_s": IDLE_S,
    }
    return made


def _compensated(card: "Card") -> list[str]:
    if card.number("rc_pu") or card.number("xc_pu"):
        what = f"RC {card.number('rc_pu'):g}, XC {card.number('xc_pu'):g}"
        return [f"{card.where}: {what} (allowed: no compensation)"]
    return []
