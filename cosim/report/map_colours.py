"""Colours of the map of a case: voltages as on displays of dispatching centres, plants by kind."""

VOLTAGE_COLOURS = {
    1000.0: "rgb(0,0,225)",
    750.0: "rgb(250,128,10)",
    500.0: "rgb(255,0,0)",
    330.0: "rgb(30,144,255)",
    220.0: "rgb(128,0,128)",
    110.0: "rgb(240,65,85)",
    66.0: "rgb(214,170,0)",
    35.0: "rgb(190,190,0)",
    20.0: "rgb(226,172,6)",
    10.0: "rgb(185,72,66)",
    0.0: "rgb(120,120,120)",
}
"""Lowest voltage of a class [kV] -> colour in displays of Chinese dispatching centres, as their SVG drawings
have it (standard unconfirmed); the yellows of 66 and 35 kV are darker here, for white paper."""

KIND_COLOURS = {
    "coal": "#4d4d4d",
    "gas": "#b8860b",
    "nuclear": "#c2379b",
    "thermal": "#8c8c8c",
    "hydro": "#1f78b4",
    "pumped_storage": "#7fb3d9",
    "wind": "#33a02c",
    "pv": "#f2c500",
    "storage": "#8e6bbf",
    "other": "#b0b0b0",
}


def colour_of(vn_kv: float) -> str:
    """Return the colour of a voltage: that of its class, from 2 % below its nominal value."""
    return next(colour for kv, colour in VOLTAGE_COLOURS.items() if vn_kv >= 0.98 * kv)


def direct_colour(vn_kv: float) -> str:
    """Return the colour of a direct-current link: from 800 kV as 1000 kV, 660 kV as 750 kV, else 500 kV."""
    return colour_of(1000.0 if vn_kv >= 800.0 else 750.0 if vn_kv >= 660.0 else 500.0)
