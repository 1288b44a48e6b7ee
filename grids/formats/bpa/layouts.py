"""Columns of the cards of a PSD-BPA power-flow file (`.dat`), as data.

One word a field: `name:first-last` for text, `name:first-last.d` for a number whose decimal point, where none
is written, stands before the last `d` digits. Columns count from 1, in bytes of GBK.

Sources: the record formats of BPA's IPF, from which PSD-BPA descends (public documentation of `bpa-ipf-tsp`,
"Record Formats"), and what was measured on the public CSEE benchmark cases.
"""

import re
from dataclasses import dataclass

_WORD = re.compile(r"(\w+):(\d+)-(\d+)(?:\.(\d))?")


@dataclass(frozen=True)
class Columns:
    """Where a field stands; `decimals` is None for text."""

    first: int
    last: int
    decimals: int | None


Layout = dict[str, Columns]


def layout(*words: str) -> Layout:
    """Return a layout from words `name:first-last[.decimals]`."""
    fields: Layout = {}
    for name, first, last, decimals in _WORD.findall(" ".join(words)):
        fields[name] = Columns(int(first), int(last), int(decimals) if decimals else None)
    return fields


_HEAD = "change:3-3 owner:4-6 bus:7-14 base_kv:15-18.0"
_INJECTION = (
    "p_load_mw:21-25.0 q_load_mvar:26-30.0 p_shunt_mw:31-34.0 q_shunt_mvar:35-38.0 p_gen_mw:43-47.0 "
    "q_gen_mvar:48-52.0"
)
_BUS = layout(
    f"{_HEAD} zone:19-20 {_INJECTION} p_max_mw:39-42.0 q_min_mvar:53-57.0 v_hold_pu:58-61.3 v_min_pu:62-65.3",
)
_SWING = {**_BUS, "angle_degree": Columns(62, 65, 1)}
_ENDS = f"{_HEAD} other:20-27 other_kv:28-31.0 circuit:32-32 section:33-33"
_SERIES = "r_pu:39-44.5 x_pu:45-50.5"
_REGULATING = layout(_ENDS, "at:34-41 at_kv:42-45.0 tap_max_kv:46-50.2 tap_min_kv:51-55.2 taps:56-57.0")
_TRAFO = layout(_ENDS, _SERIES, "rating_mva:34-37.0 g_pu:51-56.5 b_pu:57-62.5 tap:63-67.2 other_tap:68-72.2")

NETWORK: dict[str, Layout] = {
    "B": _BUS,
    "BT": _BUS,
    "BC": _BUS,
    "BV": _BUS,
    "BE": _BUS,
    "BQ": _BUS,
    "BX": _BUS,
    "BS": _SWING,
    "+": layout(_HEAD, "code:2-2 kind:19-20", _INJECTION),
    "X": layout(
        _HEAD,
        "at:21-28 at_kv:29-32.0",
        *(f"steps_{k}:{27 + 6 * k}-{27 + 6 * k}.0 mvar_{k}:{28 + 6 * k}-{32 + 6 * k}.0" for k in range(1, 9)),
    ),
    "L": layout(_ENDS, _SERIES, "rating_a:34-37.0 g_pu:51-56.5 b_pu:57-62.5 length:63-66.1"),
    "L+": layout(_ENDS, "mvar:34-38.0 other_mvar:44-48.0"),
    "E": layout(
        _ENDS, _SERIES, "rating_a:34-37.0 g_pu:51-56.5 b_pu:57-62.5 other_g_pu:63-68.5 other_b_pu:69-74.5"
    ),
    "T": _TRAFO,
    "TP": _TRAFO,
    "R": _REGULATING,
    "BD": layout(
        _HEAD,
        "zone:19-20 bridges:24-25.0 alpha_min_degree:31-35.1 valve_drop_v:41-45.1 commutating:51-58",
        "commutating_kv:59-62.0",
    ),
    "LD": layout(
        _HEAD,
        "other:20-27 other_kv:28-31.0 rating_a:34-37.0 r_ohm:38-43.2 metered:56-56 p_mw:57-61.1 v_kv:62-66.1",
        "alpha_degree:67-70.1 gamma_degree:71-74.1",
    ),
    "A": layout("change:3-3 area:4-13 swing:14-21 swing_kv:22-25.0 p_export_mw:27-34.0 zones:36-80"),
}
"""Card -> its fields; a card not here is listed as one that is not read."""

REGULATORS = ("R", "RV", "RQ", "RP", "RN", "RM")
"""Cards of tap changers and phase shifters under control: their taps stand still here."""

QUIET = {
    "": "no type in columns 1-2",
    "A": "areas name zones; their interchange is not controlled",
    "AO": "output by area",
    "I": "scheduled interchange between areas",
    **dict.fromkeys(REGULATORS, "control of a tap changer: the tap stands where its T card has it"),
}
"""Cards that leave the network as it is written, and why; they are listed, never an error."""
