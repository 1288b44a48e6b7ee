"""Write the operating points of provinces: `python -m grids.recipe ningxia ...`."""

import sys

from grids.recipe.write import write_points

for name in sys.argv[1:]:
    sys.stdout.write("\n".join(write_points(name)) + "\n")
