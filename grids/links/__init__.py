"""Direct-current links as controlled injections: schedule, ramp, runback, block, frequency support."""
