"""What is done where nobody says otherwise; imports nothing, so that the command line can show it at once."""

STYLE = "mosaic"
MODEL = "small"
BACKEND = "auto"
PRECISION = "auto"

STEADY = 0.9
"""How steady videos are kept."""

FADE_SECONDS = 0.6
"""How long a live style takes to become the next one."""

TOUR_SECONDS = 10.0
"""How long a style stays on a tour."""

ENGINES_GB = 4.0
"""How much room there is for engines that were built on this device."""

STROKE_SIZES = (0.5, 4.0)
"""The smallest and the largest strokes: those of 2 are twice as large as the network paints them."""

LARGEST_SIZE = (8192, 4320)
"""The size (width, height) of the largest frames: no others have more pixels."""

GRAIN = 5.0
"""How much grain, in levels of 255, the network is given where a picture or what a camera sees is even.

Files have none: in a sky that moves, strokes that stand still look like a dirty pane.
"""
