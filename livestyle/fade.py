"""Cross-fades from one style to the next: the mix moves, so that every frame of a fade is one painting."""

from dataclasses import dataclass

from livestyle.styles import StyleMix


@dataclass(frozen=True, slots=True)
class Fade:
    """The way from one mix to another, from the moment it began."""

    start: StyleMix
    target: StyleMix
    began: float = 0.0
    """A moment in seconds, of any clock that the caller keeps to."""
    seconds: float = 0.0

    @classmethod
    def still(cls, mix: StyleMix) -> "Fade":
        """A mix that does not move."""
        return cls(mix, mix)

    def at(self, now: float) -> StyleMix:
        """The mix at a moment: the start before, the target after, and in between it moves evenly."""
        if now >= self.began + self.seconds:
            return self.target
        return self.start.blend(self.target, max(0.0, (now - self.began) / self.seconds))

    def to(self, target: StyleMix, now: float, seconds: float) -> "Fade":
        """The way to another target, from where this one has come to; itself where it goes there already."""
        return self if target == self.target else Fade(self.at(now), target, now, seconds)
