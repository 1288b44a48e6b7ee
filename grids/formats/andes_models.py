"""What our dynamic tables are called in ANDES 2.0: model, and its parameter for each of our fields."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AndesModel:
    """One of our models as ANDES has it."""

    name: str
    host: str
    """Parameter that names the device it belongs to: `gen`, `syn` or `avr`."""
    params: dict[str, str]
    with_dead_band: str = ""
    """Model to take where `dbl_pu` or `dbu_pu` is not 0."""


def _model(name: str, host: str, params: str, with_dead_band: str = "") -> AndesModel:
    """Return a model from words `field=NAME`; a field alone is its stem in capitals (`t1_s` -> `T1`)."""
    pairs = [word.partition("=") for word in params.split()]
    named = {field: given or field.rsplit("_", 1)[0].upper() for field, _, given in pairs}
    return AndesModel(name, host, named, with_dead_band)


_TGOV = "sn_mva=Tn r_pu vmax_pu vmin_pu t1_s t2_s t3_s dt_pu=Dt"
_DC = "tr_s ka_pu ta_s tb_s tc_s vrmax_pu vrmin_pu ke_pu te_s kf1_pu tf1_s e1_pu se1_pu e2_pu se2_pu"

MODELS: dict[str, AndesModel] = {
    "genrou": _model(
        "GENROU",
        "gen",
        "sn_mva=Sn d_pu=D ra_pu=ra xl_pu=xl xd_pu=xd xq_pu=xq xd1_pu=xd1 xq1_pu=xq1 xd2_pu=xd2 td10_s=Td10 "
        "tq10_s=Tq10 td20_s=Td20 tq20_s=Tq20 s10_pu=S10 s12_pu=S12",
    ),
    "gencls": _model("GENCLS", "gen", "sn_mva=Sn d_pu=D ra_pu=ra xd1_pu=xd1"),
    "tgov1": _model("TGOV1", "syn", _TGOV, "TGOV1DB"),
    "tgov1n": _model("TGOV1N", "syn", _TGOV, "TGOV1NDB"),
    "ieeeg1": _model(
        "IEEEG1",
        "syn",
        "sn_mva=Tn k_pu t1_s t2_s t3_s uo_pu_per_s=UO uc_pu_per_s=UC pmax_pu pmin_pu t4_s k1_pu k2_pu t5_s "
        "k3_pu k4_pu t6_s k5_pu k6_pu t7_s k7_pu k8_pu",
    ),
    "hygov": _model(
        "HYGOV",
        "syn",
        "sn_mva=Tn rperm_pu=R rtemp_pu=r tr_s=Tr tf_s=Tf tg_s=Tg velm_pu_per_s=VELM gmax_pu gmin_pu tw_s=Tw "
        "at_pu=At dt_pu=Dt qnl_pu=qNL",
        "HYGOVDB",
    ),
    "gast": _model("GAST", "syn", "sn_mva=Tn r_pu t1_s t2_s t3_s at_pu kt_pu vmax_pu vmin_pu dt_pu=Dt"),
    "sexs": _model("SEXS", "syn", "ta_tb_pu=TATB tb_s k_pu te_s emin_pu emax_pu"),
    "ieeex1": _model("IEEEX1", "syn", _DC),
    "exdc2": _model("EXDC2", "syn", _DC),
    "esdc2a": _model("ESDC2A", "syn", _DC.replace("kf1_pu", "kf1_pu=KF")),
    "exst1": _model(
        "EXST1", "syn", "tr_s vimax_pu vimin_pu tc_s tb_s ka_pu ta_s vrmax_pu vrmin_pu kc_pu kf_pu tf_s"
    ),
    "esst3a": _model(
        "ESST3A",
        "syn",
        "tr_s vimax_pu vimin_pu km_pu tc_s tb_s ka_pu ta_s vrmax_pu vrmin_pu kg_pu kp_pu ki_pu vbmax_pu "
        "kc_pu xl_pu vgmax_pu thetap_degree tm_s vmmax_pu vmmin_pu",
    ),
    "ieeest": _model(
        "IEEEST",
        "avr",
        "mode_code a1_s a2_s a3_s a4_s a5_s a6_s t1_s t2_s t3_s t4_s t5_s t6_s ks_pu lsmax_pu lsmin_pu "
        "vcu_pu vcl_pu",
    ),
    "st2cut": _model(
        "ST2CUT",
        "avr",
        "mode1_code=MODE mode2_code k1_pu k2_pu t1_s t2_s t3_s t4_s t5_s t6_s t7_s t8_s t9_s t10_s lsmax_pu "
        "lsmin_pu vcu_pu vcl_pu",
    ),
}

LIMITS_FOLLOW_VOLTAGE = {"ieeex1": 0, "exdc2": 0, "esdc2a": 1}
"""`vr_follows_v_code` that ANDES 2.0 has built in."""
