"""Models of PSS/E's dynamics data (DYR) and what they are here, as data.

`LAYOUTS` gives the values of a record in order: the field of our table each becomes, `NAME=0` for one that
must be 0 (or the unit's own bus), `NAME=` for one that has no meaning here. Orders are those of the public
model data sheets as ANDES 2.0 (`io/psse-dyr.yaml`) reads them; REECC1's is that of REECA1 with the battery's
values behind (unconfirmed).

`SUBSTITUTES` is what `--replace` puts in the place of a model we do not have: another layout of ours with
the record's own values where they mean the same, typical values (unconfirmed), or nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layout:
    """Order of the values of a record, and values that follow from the model's name."""

    table: str
    values: tuple[str, ...]
    constants: Mapping[str, float] = field(default_factory=dict)


def _layout(table: str, values: str, **constants: float) -> Layout:
    return Layout(table, tuple(values.split()), constants)


_DC = "tr_s ka_pu ta_s tb_s tc_s vrmax_pu vrmin_pu ke_pu te_s kf1_pu tf1_s SWITCH= e1_pu se1_pu e2_pu se2_pu"
_REEC = (
    "vdip_pu vup_pu trv_s dbd1_pu dbd2_pu kqv_pu iqh1_pu iql1_pu vref0_pu",
    "tp_s qmax_pu qmin_pu vmax_pu vmin_pu kqp_pu kqi_per_s kvp_pu kvi_per_s",
    "tiq_s dpmax_pu_per_s dpmin_pu_per_s pmax_pu pmin_pu imax_pu tpord_s",
    "vq1_pu iq1_pu vq2_pu iq2_pu vq3_pu iq3_pu vq4_pu iq4_pu",
    "vp1_pu ip1_pu vp2_pu ip2_pu vp3_pu ip3_pu vp4_pu ip4_pu",
)
_FLAGS = "BUSR=0 pfflag_code vflag_code qflag_code"

LAYOUTS: dict[str, Layout] = {
    "GENROU": _layout(
        "genrou",
        "td10_s td20_s tq10_s tq20_s h_s d_pu xd_pu xq_pu xd1_pu xq1_pu xd2_pu xl_pu s10_pu s12_pu",
    ),
    "GENSAL": _layout(
        "gensal", "td10_s td20_s tq20_s h_s d_pu xd_pu xq_pu xd1_pu xd2_pu xl_pu s10_pu s12_pu"
    ),
    "GENCLS": _layout("gencls", "h_s d_pu"),
    "TGOV1": _layout("tgov1", "r_pu t1_s vmax_pu vmin_pu t2_s t3_s dt_pu"),
    "IEEEG1": _layout(
        "ieeeg1",
        "JBUS=0 M= k_pu t1_s t2_s t3_s uo_pu_per_s uc_pu_per_s pmax_pu pmin_pu t4_s k1_pu k2_pu t5_s k3_pu "
        "k4_pu t6_s k5_pu k6_pu t7_s k7_pu k8_pu",
    ),
    "HYGOV": _layout(
        "hygov",
        "rperm_pu rtemp_pu tr_s tf_s tg_s velm_pu_per_s gmax_pu gmin_pu tw_s at_pu dt_pu qnl_pu",
    ),
    "GAST": _layout("gast", "r_pu t1_s t2_s t3_s at_pu kt_pu vmax_pu vmin_pu dt_pu"),
    "SEXS": _layout("sexs", "ta_tb_pu tb_s k_pu te_s emin_pu emax_pu"),
    "IEEEX1": _layout("ieeex1", _DC, vr_follows_v_code=1),
    "IEEET1": _layout(
        "ieeex1",
        "tr_s ka_pu ta_s vrmax_pu vrmin_pu ke_pu te_s kf1_pu tf1_s SWITCH= e1_pu se1_pu e2_pu se2_pu",
    ),
    "EXDC2": _layout("exdc2", _DC, vr_follows_v_code=1),
    "ESDC2A": _layout("esdc2a", _DC, vr_follows_v_code=1),
    "EXST1": _layout(
        "exst1", "tr_s vimax_pu vimin_pu tc_s tb_s ka_pu ta_s vrmax_pu vrmin_pu kc_pu kf_pu tf_s"
    ),
    "ESST3A": _layout(
        "esst3a",
        "tr_s vimax_pu vimin_pu km_pu tc_s tb_s ka_pu ta_s vrmax_pu vrmin_pu kg_pu kp_pu ki_pu vbmax_pu "
        "kc_pu xl_pu vgmax_pu thetap_degree tm_s vmmax_pu vmmin_pu",
    ),
    "IEEEST": _layout(
        "ieeest",
        "mode_code IB=0 a1_s a2_s a3_s a4_s a5_s a6_s t1_s t2_s t3_s t4_s t5_s t6_s ks_pu lsmax_pu lsmin_pu "
        "vcu_pu vcl_pu",
    ),
    "ST2CUT": _layout(
        "st2cut",
        "mode1_code IB1=0 mode2_code IB2=0 k1_pu k2_pu t1_s t2_s t3_s t4_s t5_s t6_s t7_s t8_s t9_s t10_s "
        "lsmax_pu lsmin_pu vcu_pu vcl_pu",
    ),
    "REGCA1": _layout(
        "regc_a",
        "lvplsw_code tg_s rrpwr_pu_per_s brkpt_pu zerox_pu lvpl1_pu volim_pu lvpnt1_pu lvpnt0_pu iolim_pu "
        "tfltr_s khv_pu iqrmax_pu_per_s iqrmin_pu_per_s ACCEL=",
    ),
    "REECA1": _layout(
        "reec_a",
        f"{_FLAGS} PFLAG=0 pqflag_code {_REEC[0]} iqfrz_pu thld_s thld2_s {_REEC[1]} VREF1=0 {_REEC[2]} "
        f"{_REEC[3]} {_REEC[4]}",
    ),
    "REECB1": _layout("reec_a", f"{_FLAGS} pqflag_code {_REEC[0]} {_REEC[1]} {_REEC[2]}"),
    "REECC1": _layout(
        "reec_c",
        f"{_FLAGS} pqflag_code {' '.join(_REEC)} t_s socini_pu socmax_pu socmin_pu",
    ),
    "REPCA1": _layout(
        "repc_a",
        "BUSR=0 BUS1= BUS2= CKTID= vcflag_code refflag_code fflag_code tfltr_s kp_pu ki_per_s tft_s tfv_s "
        "vfrz_pu rc_pu xc_pu kc_pu emax_pu emin_pu dbd1_pu dbd2_pu qmax_pu qmin_pu kpg_pu kig_per_s tp_s "
        "fdbd1_pu fdbd2_pu femax_pu femin_pu pmax_pu pmin_pu tg_s ddn_pu dup_pu",
    ),
}

UNLIMITED_PU = 999.0
AUTOMATIC = {"ke_pu": ("KE", 0.0), "vrmax_pu": ("VRMAX", UNLIMITED_PU)}
"""Values PSS/E finds at the start where the record has 0, and what `--replace` takes (as ANDES does)."""

IDLE_S = 1.0
"""Time constant given to a rate feedback whose gain and time constant are both 0."""


@dataclass(frozen=True)
class Substitute:
    """What stands for a model we do not have; without `layout` the unit is left out."""

    layout: Layout | None
    why: str
    typical: Mapping[str, float] = field(default_factory=dict)


TYPICAL_EXCITER = {
    "ta_tb_pu": 0.1,
    "tb_s": 10.0,
    "k_pu": 100.0,
    "te_s": 0.05,
    "emin_pu": -4.0,
    "emax_pu": 6.0,
}
TYPICAL_STEAM = {
    "r_pu": 0.05,
    "t1_s": 0.5,
    "vmax_pu": 1.2,
    "vmin_pu": -0.1,
    "t2_s": 3.0,
    "t3_s": 10.0,
    "dt_pu": 0.0,
}
TYPICAL_WATER = {
    "rperm_pu": 0.05,
    "rtemp_pu": 0.5,
    "tr_s": 5.0,
    "tf_s": 0.05,
    "tg_s": 0.5,
    "velm_pu_per_s": 0.2,
    "gmax_pu": 1.2,
    "gmin_pu": 0.0,
    "tw_s": 1.0,
    "at_pu": 1.2,
    "dt_pu": 0.0,
    "qnl_pu": 0.08,
}
_TURBINE = {**TYPICAL_STEAM, "t2_s": 0.0, "t3_s": 0.5}


def _typical(table: str, values: Mapping[str, float], why: str) -> Substitute:
    return Substitute(Layout(table, ()), why, values)


_EXCITER = _typical("sexs", TYPICAL_EXCITER, "an exciter of typical speed and ceiling (unconfirmed)")
_NONE = "is left out"

SUBSTITUTES: dict[str, Substitute] = {
    "GENROE": Substitute(LAYOUTS["GENROU"], "quadratic saturation through the same two points"),
    "GENSAE": Substitute(LAYOUTS["GENSAL"], "quadratic saturation through the same two points"),
    "SCRX": Substitute(
        _layout("sexs", "ta_tb_pu tb_s k_pu te_s emin_pu emax_pu CSWITCH= RCRFD="),
        "the same transfer function; ceilings that do not follow the voltage",
    ),
    "ESDC1A": Substitute(_layout("ieeex1", _DC), "the same blocks with fixed limits"),
    **dict.fromkeys(("EXDC1", "IEEET2", "IEEET3", "IEEET4", "IEEET5", "IEEEX2", "IEEEX3"), _EXCITER),
    **dict.fromkeys(("IEEEX4", "EXDC2A", "ESDC3A", "DC3A", "DC4B", "EXAC1", "EXAC1A"), _EXCITER),
    **dict.fromkeys(("EXAC2", "EXAC3", "EXAC4", "ESAC1A", "ESAC2A", "ESAC3A", "ESAC4A"), _EXCITER),
    **dict.fromkeys(("ESAC5A", "ESAC6A", "ESAC8B", "AC7B", "AC8B", "EXST2", "EXST2A"), _EXCITER),
    **dict.fromkeys(("EXST3", "ESST1A", "ESST2A", "ESST4B", "ST5B", "ST6B", "ST7B"), _EXCITER),
    **dict.fromkeys(("EXPIC1", "EXELI", "EXBAS", "BBSEX1", "EXNEBB", "EXNI", "REXSYS"), _EXCITER),
    **dict.fromkeys(
        ("IEESGO", "IEEEG2", "TGOV2", "TGOV3", "TGOV4", "TGOV5", "WSIEG1", "CRCMGV", "DEGOV"),
        _typical("tgov1", TYPICAL_STEAM, "a reheat steam turbine of 5 % droop (unconfirmed)"),
    ),
    **dict.fromkeys(
        ("GGOV1", "GAST2A", "GASTWD", "GFT2WD", "PWTBD1", "URCSCT", "WESGOV", "DEGOV1"),
        _typical("tgov1", _TURBINE, "a turbine of 5 % droop and 0.5 s (unconfirmed)"),
    ),
    **dict.fromkeys(
        ("IEEEG3", "HYGOV2", "HYGOVM", "HYGOVT", "WEHGOV", "WPIDHY", "PIDGOV", "WSHYGP", "WSHYDD"),
        _typical("hygov", TYPICAL_WATER, "a water turbine of 5 % droop (unconfirmed)"),
    ),
    **dict.fromkeys(
        ("STAB1", "STAB2A", "STAB3", "STAB4", "STABNI", "IEE2ST", "PSS2A", "PSS2B", "PSS3B", "PSS4B"),
        Substitute(None, f"a stabiliser {_NONE}"),
    ),
    **dict.fromkeys(
        ("IEEEVC", "COMP", "COMPCC", "REMCMP", "MAXEX1", "MAXEX2", "MNLEX1", "MNLEX2", "UEL1", "UEL2"),
        Substitute(None, f"a voltage compensator or an excitation limiter {_NONE}"),
    ),
}
