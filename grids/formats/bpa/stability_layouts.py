"""Columns of the cards of a PSD-BPA stability file (`.swi`), and what becomes of each card, as data.

Sources: BPA's transient stability program, from which PSD-BPA descends (`bpa-ipf-tsp`, MIT licence: the
formats it reads machines, governors, turbines, exciters and loads with); for cards of PSD-BPA alone (MG, GJ,
GA, FV, F+) the public CSEE benchmark cases, whose values are there as tables too. Those of GH's neighbours GG
and GI are not published in columns, so they are known by name only.
"""

from grids.formats.bpa.layouts import Layout, layout

_UNIT = "bus:4-11 base_kv:12-15.0 id:16-16"
_MACHINE = layout(
    _UNIT,
    "energy_mws:17-22.0 p_share_pu:23-25.2 q_share_pu:26-28.2 mva:29-32.0 ra_pu:33-36.4 xd1_pu:37-41.4",
    "xq1_pu:42-46.4 xd_pu:47-51.4 xq_pu:52-56.4 td10_s:57-60.2 tq10_s:61-63.2 xl_pu:64-68.4 s10_pu:69-73.4",
    "s12_pu:74-77.3 d_pu:78-80.2",
)
_STEAM = "pmax_mw:17-22.1 pmin_mw:23-28.1 r_pu:29-33.3 t1_s:34-38.3 t2_s:39-43.3 t3_s:44-48.3"
_EXCITER = layout(
    _UNIT,
    "rc_pu:17-21.4 xc_pu:22-26.4 tr_s:27-31.4 vimax_pu:32-36.3 vimin_pu:37-41.3 tb_s:42-46.3 tc_s:47-51.3",
    "ka_pu:52-56.2 ta_s:57-61.3 vrmax_pu:62-66.3 vrmin_pu:67-71.3 ke_pu:72-76.3 te_s:77-80.3",
)
_LOAD = layout(
    "bus:4-11 base_kv:12-15.0 zone:16-17 area:18-27 pz_pu:28-32.3 qz_pu:33-37.3 pi_pu:38-42.3 qi_pu:43-47.3",
    "pp_pu:48-52.3 qp_pu:53-57.3 pf_pu:58-62.3 qf_pu:63-67.3 kpf_pu:68-72.3 kqf_pu:73-77.3",
)

STABILITY: dict[str, Layout] = {
    "M": layout(_UNIT, "mva:17-21.1 xd2_pu:38-42.4 xq2_pu:43-47.4 td20_s:48-51.4 tq20_s:52-55.4"),
    "MC": _MACHINE,
    "MF": _MACHINE,
    "MG": {**_MACHINE, **layout("sat_n:64-68.4 sat_a:69-73.4 sat_b:74-77.3")},
    "GS": layout(_UNIT, _STEAM, "uo_pu_per_s:49-54.1 uc_pu_per_s:55-60.1"),
    "GH": layout(
        _UNIT,
        "pmax_mw:17-22.1 rperm_pu:23-27.3 tg_s:28-32.3 tf_s:33-37.3 tr_s:38-42.3 tw_half_s:43-47.3",
        "open_pu_per_s:48-52.3 close_pu_per_s:53-57.3 rtemp_pu:58-62.3",
    ),
    "GJ": layout(
        _UNIT, "t1_s:17-21.3 dead_band_pu:22-27.5 k_pu:28-32.2 mode:33-33.0 up_pu:70-74.3 down_pu:75-79.3"
    ),
    "GA": layout(
        _UNIT,
        "p_mw:17-22.1 close_s:23-26.3 open_s:27-30.3 close_pu_per_s:31-34.2 open_pu_per_s:35-38.2",
        "pmax_pu:39-42.2 pmin_pu:43-46.2 kp_pu:51-54.2 out_max_pu:71-74.2 out_min_pu:75-78.2",
    ),
    "TA": layout(_UNIT, "t4_s:17-21.3"),
    "TB": layout(
        _UNIT,
        "t4_s:17-21.3 k1_pu:22-26.3 k2_pu:27-31.3 t5_s:32-36.3 k3_pu:37-41.3 k4_pu:42-46.3 t6_s:47-51.3",
        "k5_pu:52-56.3 more:57-76 overshoot_pu:77-80.2",
    ),
    "FA": _EXCITER,
    "FB": _EXCITER,
    "FK": _EXCITER,
    "FZ": layout(
        _UNIT,
        "se1_pu:17-21.3 se2_pu:22-26.3 efdmin_pu:27-31.3 efdmax_pu:32-36.3 kf_pu:37-41.3 tf_s:42-46.3",
        "kc_pu:47-51.4",
    ),
    "FV": layout(
        _UNIT,
        "rc_pu:17-20.3 xc_pu:21-24.3 tr_s:25-29.3 k_pu:30-34.2 kv_pu:35-37.1 t1_s:38-42.3 t2_s:43-47.3",
        "t3_s:48-52.3 t4_s:53-57.3 ka_pu:58-62.3 ta_s:63-67.3 kf_pu:68-72.3 tf_s:73-76.2 kh_pu:77-80.2",
    ),
    "F+": layout(_UNIT, "vamax_pu:17-21.3 vamin_pu:22-26.3 vrmax_pu:53-56.2 vrmin_pu:57-60.2 kc_pu:61-64.3"),
    "LA": _LOAD,
    "LB": _LOAD,
}

SATURATION = {"MG": "PSD-BPA gives it as a, b, n: S(e) = b/a e^(n-1) (unconfirmed)"}

EXCITERS = frozenset({f"E{k}" for k in "ABCDEFGJK"} | {f"F{k}" for k in "CDEGHJLMNOPQRSTUVX"})
"""Exciters whose substitute is a SEXS of typical values; FV first tries its own."""
STEAM = frozenset({"GG", "GI", "GK", "GL"})
WATER = frozenset({"GN", "GM", "GW"})

CONVERTERS = {"MS": "pv", "MY": "wind", "MM": "wind"}
"""Photovoltaics, wind behind a full converter, doubly-fed wind -> type of the injection."""

EVENTS = "an event: a scenario or a study says what happens"
SETTING = "a setting of the program"
ZERO = "zero-sequence data, for which there is no table"

QUIET = {
    **dict.fromkeys(("LS", "LS#", "FL", "LZ"), EVENTS),
    **dict.fromkeys(("CA", "DE", "SO", "CO", "HE", "FF", "F0", "F1", "F2", "C", ""), SETTING),
    **dict.fromkeys(("XO", "XR", "LO", "LO+", "LM"), ZERO),
    "LN": "generation without a machine keeps its power here in any case",
}
"""Cards that say nothing about a case; they are listed, never an error."""

SKIPPED = {
    **dict.fromkeys(
        ("SI", "SI+", "SF", "SG", "SH", "SP", "SS", "SA", "SB", "SZ", "ST", "SV"), "a stabiliser is left out"
    ),
    **dict.fromkeys(("EL", "EN", "EN+"), "an excitation limiter is left out"),
    **dict.fromkeys(
        ("ME", "MR", "EU", "ES", "EV", "EZ", "EP", "GF", "LP", "LQ", "RE", "RE+", "TG"),
        "part of a converter that a substitute stands for",
    ),
    **dict.fromkeys(
        ("D", "DA", "DA#", "DA+", "DZ", "DB", "DC", "DS", "DV"),
        "the control of a direct-current link is left out",
    ),
    **dict.fromkeys(("MJ", "MI", "ML", "LE"), "motors in loads are left out: the load keeps its static part"),
    **dict.fromkeys(
        ("TV", "TW", "GN+", "GN#", "GA+", "GJ+", "GI+", "FZ+"), "part of a unit that a substitute stands for"
    ),
}
"""What `--replace` does with cards that have no substitute; every other card is left out as unknown."""
