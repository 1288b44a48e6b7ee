"""Array types of the power flow."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Complexes: TypeAlias = npt.NDArray[np.complex128]
"""Voltages, powers or admittances."""
Indices: TypeAlias = npt.NDArray[np.int32]
"""Bus numbers as the compiled solver wants them."""
