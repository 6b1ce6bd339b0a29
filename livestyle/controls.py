"""What keys change while the video runs: the settings, and one table of the keys.

A key is a function from settings to settings. What happens once, as a snapshot does, is counted there, so
that whoever shows the video sees in the settings what to do.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from livestyle import defaults
from livestyle.styles import StyleMix

_STROKE_STEP = 2**0.25
_STEP = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """How the video is painted and shown at one moment."""

    names: tuple[str, ...]
    """The styles to choose from, in the order of the number keys."""
    style: StyleMix
    second: StyleMix | None = None
    """The style that `blend` moves to."""
    blend: float = 0.0
    """The share of the second style."""
    strength: float = 1.0
    steady: float = defaults.STEADY
    stroke_size: float = 1.0
    keep_colors: bool = False
    mirror: bool = False
    original: bool = False
    split: bool = False
    """Whether the left part shows the original."""
    split_at: float = 0.5
    """Where that part ends, as a share of the width."""
    full_screen: bool = False
    frozen: bool = False
    recording: bool = False
    touring: bool = False
    """Whether the next style comes by itself, again and again."""
    hud: bool = False
    help: bool = False
    snapshots: int = 0
    """How many were asked for."""
    quit: bool = False

    @property
    def mix(self) -> StyleMix:
        """What is painted: the style, as far as it is not the second one."""
        return self.style if self.second is None else self.style.blend(self.second, self.blend)


@dataclass(frozen=True, slots=True)
class Key:
    """What one key does."""

    name: str
    """As it is shown to people."""
    codes: tuple[int, ...]
    """What a window calls it: its character's code point."""
    does: str
    act: Callable[[Settings], Settings]


def press(settings: Settings, code: int) -> Settings:
    """The settings after the key with this code; the same where it has no meaning."""
    key = _BY_CODE.get(code)
    return settings if key is None else key.act(settings)


def next_style(settings: Settings, step: int = 1) -> Settings:
    """The style that comes `step` places after the current one, round and round."""
    heaviest = max(settings.style.parts, key=lambda part: part[1])[0]
    place = settings.names.index(heaviest) if heaviest in settings.names else -1
    return _choose(settings, (place + step) % len(settings.names))


def _choose(settings: Settings, place: int) -> Settings:
    if place >= len(settings.names):
        return settings
    return replace(settings, style=StyleMix.of({settings.names[place]: 1.0}))


def _chooser(place: int) -> Callable[[Settings], Settings]:
    return lambda settings: _choose(settings, place)


def _toggle(field: str) -> Callable[[Settings], Settings]:
    def act(settings: Settings) -> Settings:
        changed: dict[str, bool] = {field: not getattr(settings, field)}
        return replace(settings, **changed)  # type: ignore[arg-type]  # a field that is a bool

    return act


def _shift(field: str, step: float) -> Callable[[Settings], Settings]:
    """Moves a share by a step, within 0 to 1."""

    def act(settings: Settings) -> Settings:
        moved: dict[str, float] = {field: min(max(round(getattr(settings, field) + step, 6), 0.0), 1.0)}
        return replace(settings, **moved)  # type: ignore[arg-type]  # a field that is a float

    return act


def _mark(settings: Settings) -> Settings:
    return replace(settings, second=settings.style, blend=0.0)


def _blend(step: float) -> Callable[[Settings], Settings]:
    return lambda settings: settings if settings.second is None else _shift("blend", step)(settings)


def _stroke(factor: float) -> Callable[[Settings], Settings]:
    def act(settings: Settings) -> Settings:
        smallest, largest = defaults.STROKE_SIZES
        size = min(max(settings.stroke_size * factor, smallest), largest)
        return replace(settings, stroke_size=round(size, 3))

    return act


def _key(name: str, does: str, act: Callable[[Settings], Settings], *codes: int) -> Key:
    return Key(name, codes or (ord(name),), does, act)


KEYS = (
    *(_key(str((i + 1) % 10), f"style {i + 1}", _chooser(i)) for i in range(10)),
    _key("n", "next style", next_style),
    _key("p", "previous style", lambda settings: next_style(settings, -1)),
    _key("b", "mark this style as the second one of a blend", _mark),
    _key(",", "less of the second style", _blend(-_STEP)),
    _key(".", "more of the second style", _blend(_STEP)),
    _key("[", "less strength", _shift("strength", -_STEP)),
    _key("]", "more strength", _shift("strength", _STEP)),
    _key("{", "less steady", _shift("steady", -_STEP)),
    _key("}", "more steady", _shift("steady", _STEP)),
    _key("-", "smaller strokes", _stroke(1 / _STROKE_STEP)),
    _key("=", "larger strokes", _stroke(_STROKE_STEP), ord("="), ord("+")),
    _key("c", "keep the colours of the camera", _toggle("keep_colors")),
    _key("m", "mirror", _toggle("mirror")),
    _key("o", "original", _toggle("original")),
    _key("v", "split view: drag the line, or move it with ( and )", _toggle("split")),
    _key("(", "line of the split view to the left", _shift("split_at", -0.05)),
    _key(")", "line of the split view to the right", _shift("split_at", 0.05)),
    _key("f", "full screen", _toggle("full_screen")),
    _key("space", "freeze", _toggle("frozen"), ord(" ")),
    _key("s", "snapshot", lambda settings: replace(settings, snapshots=settings.snapshots + 1)),
    _key("r", "record, and stop recording", _toggle("recording")),
    _key("t", "tour: the next style every few seconds", _toggle("touring")),
    _key("i", "show the numbers", _toggle("hud")),
    _key("h", "show these keys", _toggle("help")),
    _key("q", "quit; so does Esc", lambda settings: replace(settings, quit=True), ord("q"), 27),
)
"""Every key, in the order in which help and README show them."""

_BY_CODE = {code: key for key in KEYS for code in key.codes}
