"""Training of livestyle's networks: `python -m train --help`."""

import os

# threads of OpenMP that spin while they wait make a step ten times as slow when another program is running;
# it is read once, when PyTorch is loaded
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
