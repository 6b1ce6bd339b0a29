"""Automatic quality: the size the network works at, lowered while painting takes too long for the camera.

The output keeps its size. State is an argument and a result.
"""

from dataclasses import dataclass, replace

SCALES = (1.0, 0.85, 0.7, 0.6, 0.5, 0.42, 0.35)
"""Sides of what the network is given, as shares of the frame's."""
_TOO_SLOW, _ROOMY = 0.8, 0.65
"""Shares of the frame interval: above the first the size is lowered; it is raised where the larger one would
stay below the second."""
_LOWER_AFTER, _RAISE_AFTER = 1.0, 4.0
"""Seconds for which that must have been so."""
_PATIENCE = 2.0
"""How many times longer the next raise waits, each time one had to be taken back."""
_LONGEST_WAIT = 120.0
_MEMORY = 0.8


@dataclass(frozen=True, slots=True)
class WorkingSize:
    """A place on the ladder of sizes, and what decides about the next step."""

    step: int = 0
    """Index into `SCALES`."""
    seconds: float | None = None
    """What painting one frame takes, averaged over the last ones; None before the first."""
    slow_since: float | None = None
    roomy_since: float | None = None
    raise_after: float = _RAISE_AFTER
    raised: bool = False
    """Whether the last step went up."""
    fresh: bool = True
    """Whether no frame was painted at this size yet: the first one takes longer, and does not count."""

    @property
    def scale(self) -> float:
        """Sides of what the network is given, as a share of the frame's."""
        return SCALES[self.step]


def adapt(state: WorkingSize, painting: float, interval: float, now: float) -> WorkingSize:
    """The state after a frame that took `painting` seconds of an `interval`, at a moment `now`."""
    if state.fresh:
        return replace(state, fresh=False)
    mean = painting if state.seconds is None else _MEMORY * state.seconds + (1 - _MEMORY) * painting
    slow = mean > _TOO_SLOW * interval
    roomy = state.step > 0 and mean * _growth(state.step) < _ROOMY * interval
    state = replace(
        state,
        seconds=mean,
        slow_since=(state.slow_since if state.slow_since is not None else now) if slow else None,
        roomy_since=(state.roomy_since if state.roomy_since is not None else now) if roomy else None,
    )
    if (
        state.slow_since is not None
        and now - state.slow_since >= _LOWER_AFTER
        and state.step < len(SCALES) - 1
    ):
        wait = state.raise_after * _PATIENCE if state.raised else state.raise_after
        return WorkingSize(state.step + 1, raise_after=min(wait, _LONGEST_WAIT))
    if state.roomy_since is not None and now - state.roomy_since >= state.raise_after:
        return WorkingSize(state.step - 1, raise_after=state.raise_after, raised=True)
    return state


def _growth(step: int) -> float:
    """How many times longer painting takes one step up: as the pixels."""
    return (SCALES[step - 1] / SCALES[step]) ** 2
