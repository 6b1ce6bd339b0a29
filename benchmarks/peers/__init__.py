"""What livestyle is compared with: other people's networks, and the usual ways of running them.

The networks are written anew from what was published, with random weights, which do not change the time. How
well they paint is not compared.
"""

import os

# PyTorch's threads that spin while they wait would take the cores from whoever has the next turn;
# it is read once, when PyTorch is loaded
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
