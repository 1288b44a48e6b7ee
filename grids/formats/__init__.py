"""Grid data of other programs: PSS/E RAW and DYR, MATPOWER, pandapower, ANDES."""
