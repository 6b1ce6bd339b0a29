"""What is done where nobody says otherwise; imports nothing, so that the command line can show it at once."""

STYLE = "mosaic"
MODEL = "small"
BACKEND = "auto"

STEADY = 0.9
"""How steady videos are kept."""
