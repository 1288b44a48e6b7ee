"""The nine-bus system of Anderson and Fouad as PSD-BPA cards, with machines and controls partly invented.

Published solution: P. M. Anderson and A. A. Fouad, *Power System Control and Stability*, 1977, fig. 2.19.
"""

from pathlib import Path

SOLUTION = {
    "GEN1_16.5": (1.040, 0.0),
    "GEN2_18": (1.025, 9.3),
    "GEN3_13.8": (1.025, 4.7),
    "BUS4_230": (1.026, -2.2),
    "BUS5_230": (0.996, -4.0),
    "BUS6_230": (1.013, -3.7),
    "BUS7_230": (1.026, 3.7),
    "BUS8_230": (1.016, 0.7),
    "BUS9_230": (1.032, 2.0),
}
"""Bus -> voltage [pu, degrees]."""

NINE = """(POWERFLOW,CASEID=NINE,PROJECT=TEST)
/MVA_BASE = 100\\
/NETWORK_DATA\\
. generators
BS    GEN1    16.51A                  250.     999. -999.1.04
BQ    GEN2    18. 1A                  200.163. 200. -150.1025
BQ    GEN3    13.81A                  150.85.  100. -100.1025
. network
B     BUS4    230.1A
B     BUS5    230.1A125. 50.
B     BUS6    230.1A90   30
B     BUS7    230.1A
B     BUS8    230.1A100. 35.
B     BUS9    230.1A
L     BUS4    230. BUS5    230.       .01   .085        .088
L     BUS4    230. BUS6    230.       .017  .092        .079
L     BUS5    230. BUS7    230.  800  .032  .161        .153
L     BUS6    230. BUS9    230.        3900  17000       17900
L     BUS7    230. BUS8    230.       .0085 .072        .0745
L     BUS8    230. BUS9    230.       .0119 .1008       .1045
T     GEN1    16.5 BUS4    230.  250.       .0576             16.5 230.
T     GEN2    18.  BUS7    230.             .0625             18.  230.
T     BUS9    230. GEN3    13.8             .0586             2300013.8
(END)
"""

SWITCHING = """CASE NINE       1     1     1
. machines
M  GEN1    16.5 100.  .9             .04  .04  .04 .06
MF GEN1    16.5 2364.       100.    .0608     .146 .09698.96   .0336.1   .35
M  GEN2    18.  100.  .9             .089 .091 .03 .05
MF GEN2    18.  640.        100.    .1198.1969.8958.86456.  .54.0521.08  .3
M  GEN3    13.8 100.  .9             .107 .107 .03 .05
MF GEN3    13.8 301.        100.    .1813.25  13125125785.89.6 .0742
. controls
GS GEN2    18.  200.  0.    .05  .2   .1   .3   .1    1.
TB GEN2    18.  .3   .3        8.   .4        .5   .3
GS GEN3    13.8 1500        050  .1        .2   .1    .5
TA GEN3    13.8 .4
FA GEN2    18.            .01                      20.  .2   6.   -6.  1.   314
FZ GEN2    18.  .565 .163      3.2  .063 .35
FK GEN3    13.8           .02  .2   -.2  10.  1.   200. .02  6.   -5.
FZ GEN3    13.8                               .05
. loads
LB             1A          .4   .5   .2   .2   .4   .3             1.2
LB BUS8    230.            1.   1.
LS  BUS7    230.  BUS5    230.  1   5   5.
FF       .5 500.           .001
90
MH
99
"""


def deck(*cards: str, base_mva: float = 100.0) -> str:
    """Return a `.dat` file of these cards."""
    return "\n".join([f"/MVA_BASE={base_mva:g}\\", "/NETWORK_DATA\\", *cards, "(END)"])


def files(folder: Path, dat: str = NINE, swi: str | None = None, encoding: str = "gbk") -> list[str]:
    """Write a case and return its files."""
    paths = [folder / "nine.dat", folder / "nine.swi"]
    for path, text in zip(paths, (dat, swi), strict=True):
        if text is not None:
            path.write_bytes(text.encode(encoding))
    return [str(path) for path, text in zip(paths, (dat, swi), strict=True) if text is not None]
