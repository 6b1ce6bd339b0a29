"""Training of livestyle's networks: `python -m train --help`."""
