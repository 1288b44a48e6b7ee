"""Reader of PSD-BPA cases: power-flow cards (`.dat`) and stability cards (`.swi`) in fixed columns."""
