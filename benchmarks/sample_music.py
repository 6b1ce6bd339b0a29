"""The music of the sample clip: a few plucked chords, synthesised."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Sound: TypeAlias = NDArray[np.float64]
"""(channels, samples) or (samples,), in -1 to 1."""

RATE = 48_000
PEAK_DBFS = -5.0
CHORDS = (
    (41, 57, 60, 64, 67, 72),  # F major 9
    (38, 57, 60, 65, 69, 76),  # D minor 9
    (46, 58, 62, 65, 69, 74),  # B flat major 7
    (41, 55, 60, 65, 69, 77),  # F add 9
)
"""One chord to a shot, as MIDI notes: the bass and the five notes played over it."""


def pitch(note: int) -> float:
    """Return the frequency of a MIDI note in hertz."""
    return float(440.0 * 2.0 ** ((note - 69) / 12))


def pluck(note: int, seconds: float) -> Sound:
    """Return the (samples,) sound of a soft string: ten harmonics, of which the high ones die first."""
    time = np.arange(int(seconds * RATE)) / RATE
    string = np.zeros(time.size)
    for order in range(1, 11):
        swing = np.sin(2 * np.pi * pitch(note) * order * time)
        string += swing * np.exp(-time * (1.1 + 0.9 * order)) / order**1.7
    return np.asarray(string * (1.0 - np.exp(-time / 0.006)) * np.clip((seconds - time) / 0.2, 0.0, 1.0))


def pad(note: int, seconds: float) -> Sound:
    """Return the (samples,) sound of a breath-like tone that swells and goes; two voices beat slowly."""
    time = np.arange(int(seconds * RATE)) / RATE
    voices = sum(np.sin(2 * np.pi * pitch(note) * detune * time) for detune in (0.9985, 1.0015))
    return np.asarray(voices * np.sin(np.pi * time / seconds) ** 2)


def reverberate(dry: Sound, seconds: float = 1.8) -> Sound:
    """Add the sound of a room: a tail of decaying noise, other on the left than on the right."""
    time = np.arange(int(seconds * RATE)) / RATE
    tail = np.random.default_rng(5).standard_normal((2, time.size)) * np.exp(-time * 3.8)
    tail *= 1.0 - np.exp(-time / 0.02)
    length = dry.shape[1] + time.size
    spectrum = np.fft.rfft(tail, length)
    spectrum /= 1.0 + (np.fft.rfftfreq(length, 1 / RATE) / 2500.0) ** 2
    wet = np.fft.irfft(np.fft.rfft(dry, length) * spectrum, length)[:, : dry.shape[1]]
    return np.asarray(dry + 0.35 * wet * np.abs(dry).max() / np.abs(wet).max())


def compose(seconds: float, bar: float) -> Sound:
    """Return the music, (2, samples): an arpeggio over a bass and a pad, one chord to each `bar` seconds."""
    music = np.zeros((2, int(seconds * RATE)))

    def play(sound: Sound, at: float, loudness: float, right: float) -> None:
        start = int(at * RATE)
        sound = loudness * sound[: music.shape[1] - start]
        music[0, start : start + sound.size] += np.cos(right * np.pi / 2) * sound
        music[1, start : start + sound.size] += np.sin(right * np.pi / 2) * sound

    for order, (bass, *notes) in enumerate(CHORDS):
        at = 0.08 + order * bar
        pace = bar / (5 if order < len(CHORDS) - 1 else 9)  # the last chord needs time to ring
        play(pluck(bass, 3.0), at, 0.7, 0.5)
        for step, note in enumerate(notes):
            play(pad(note, 1.5 * bar), max(0.0, at - 0.25 * bar), 0.045, 0.2 + 0.15 * step)
            play(pluck(note, 3.0), at + step * pace, 0.36 + 0.05 * (step == 0), 0.25 + 0.125 * step)
    music = reverberate(music)
    time = np.arange(music.shape[1]) / RATE
    music *= np.clip(time / 0.05, 0, 1) * np.sin(np.pi / 2 * np.clip((seconds - time) / 1.2, 0, 1)) ** 2
    return np.asarray(music * 10 ** (PEAK_DBFS / 20) / np.abs(music).max())
