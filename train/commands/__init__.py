"""The commands of `python -m train`, one in each file."""
