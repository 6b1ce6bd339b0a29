"""What is done where nobody says otherwise; imports nothing, so that the command line can show it at once."""

STYLE = "mosaic"
MODEL = "small"
BACKEND = "auto"

STEADY = 0.7
"""How steady videos are kept: on webcam clips the still background is then as calm as in the input."""
