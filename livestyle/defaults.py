"""What is done where nobody says otherwise; imports nothing, so that the command line can show it at once."""

STYLE = "mosaic"
MODEL = "small"
BACKEND = "auto"
PRECISION = "auto"

STEADY = 0.9
"""How steady videos are kept."""

STROKE_SIZES = (0.5, 4.0)
"""The smallest and the largest strokes: those of 2 are twice as large as the network paints them."""

GRAIN = 5.0
"""How much grain, in levels of 255, the network is given where a picture or what a camera sees is even.

Files have none: in a sky that moves, strokes that stand still look like a dirty pane.
"""
