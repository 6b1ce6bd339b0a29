"""livestyle and its peers in turns, in one process: what slows one slows the other."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.ours import ways
from benchmarks.peers.count import multiply_adds, our_multiply_adds, weights
from benchmarks.peers.names import REFERENCE, check_sizes, three_digits
from benchmarks.peers.networks import PEERS
from benchmarks.peers.runtimes import RUNTIMES, Paint
from benchmarks.random_weights import trained_or_random
from livestyle.bench import frame, machine
from livestyle.engine import Engine, load_engine
from livestyle.styles import StyleMix
from livestyle.weights import Weights, load_weights, read_manifest

SIZES = ((640, 480), (1280, 720), (1920, 1080))
_TURN_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Contender:
    """A network in one way of running it."""

    network: str
    runtime: str
    multiply_adds: float
    """For each pixel of a 640x480 frame."""
    weights: int
    make: Callable[[tuple[int, int]], Paint]


def contenders(
    model: str = "small",
    style: str = "mosaic",
    runtimes: bool = True,
    those: Sequence[tuple[str, str]] | None = None,
) -> Iterator[Contender]:
    """Ours in `those` pairs of backend and precision or in all, every peer as published and in OpenVINO.

    With `runtimes` also the widest known in all of them, and our large network.
    """
    yield from _ours(f"livestyle {model}", load_weights(model), StyleMix.parse(style), those or ways())
    if runtimes and model != "large":
        large = trained_or_random("large")
        name = "livestyle large" if "large" in read_manifest() else "livestyle large, untrained"
        openvino = [way for way in ways() if way[0] == "openvino"]
        yield from _ours(name, large, StyleMix.parse(next(iter(large.styles))), openvino)
    for peer in PEERS:
        adds, count = multiply_adds(peer.make(), SIZES[0]), weights(peer.make())
        for name, runtime in RUNTIMES.items():
            if name in ("PyTorch eager f32", "OpenVINO") or (runtimes and peer is PEERS[0]):
                make = partial(_make, runtime, peer.make)
                yield Contender(peer.name, name, adds, count, make)


def _ours(
    name: str, network: Weights, mix: StyleMix, those: Sequence[tuple[str, str]]
) -> Iterator[Contender]:
    adds, count = our_multiply_adds(network.config, SIZES[0]), sum(t.size for t in network.tensors.values())
    for backend, precision in those:
        engine = load_engine(network, backend, precision=precision)
        yield Contender(name, engine.backend, adds, count, partial(_painting, engine, mix))


def compare(
    those: list[Contender], sizes: tuple[tuple[int, int], ...] = SIZES, rounds: int = 3
) -> dict[str, Any]:
    """Frames per second of each, and how many times the reference's that is: medians over rounds.

    Raises LivestyleError as `check_sizes` does.
    """
    check_sizes(sizes)
    rows: list[dict[str, Any]] = [
        {
            "network": one.network,
            "runtime": one.runtime,
            "multiply_adds_per_pixel": round(one.multiply_adds),
            "weights": one.weights,
            "fps": {},
            "times_reference": {},
        }
        for one in those
    ]
    for size in sizes:
        times = take_turns([one.make(size) for one in those], size, rounds)
        base = times[[(one.network, one.runtime) for one in those].index(REFERENCE)]
        for row, taken in zip(rows, times, strict=True):
            label = f"{size[0]}x{size[1]}"
            row["fps"][label] = 1 / statistics.median(taken)
            row["times_reference"][label] = statistics.median(b / t for b, t in zip(base, taken, strict=True))
        gc.collect()  # a network compiled for a large frame holds much memory
    return {"machine": machine(), "reference": " ".join(REFERENCE), "rows": rows}


def table(results: dict[str, Any]) -> list[str]:
    """The results as lines of Markdown."""
    sizes = list(results["rows"][0]["fps"])
    head = ["network", "run by", "weights", "kMAC a pixel", *(f"fps at {size}" for size in sizes)]
    head.append(f"times {results['reference']} at {sizes[0]}")
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
    for row in results["rows"]:
        cells = [row["network"], row["runtime"], _short(row["weights"])]
        cells.append(f"{row['multiply_adds_per_pixel'] / 1000:.1f}")
        cells += [three_digits(row["fps"][size]) for size in sizes]
        cells.append(three_digits(row["times_reference"][sizes[0]]))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def compare_and_print(say: Callable[[str], object], sizes: Any, how: dict[str, Any]) -> dict[str, Any]:
    """For `livestyle bench --compare`: no runtimes that need further packages; ours as the options say."""
    asked = (how["backend"], how["precision"])
    ours = None if asked == ("auto", "auto") else [asked]
    results = compare(list(contenders(how["model"], how["style"], runtimes=False, those=ours)), tuple(sizes))
    say("")
    for line in table(results):
        say(line)
    return results


def _make(runtime: Any, make: Callable[[], Any], size: tuple[int, int]) -> Paint:
    paint: Paint = runtime(make(), size)
    return paint


def _painting(engine: Engine, mix: StyleMix, _size: tuple[int, int]) -> Paint:
    return lambda image: engine.stylize(image, mix)


def take_turns(paints: list[Paint], size: tuple[int, int], rounds: int) -> list[list[float]]:
    """Seconds a frame of each, one for every round; a first round warms up."""
    image = frame(size)
    times: list[list[float]] = [[] for _ in paints]
    for turn in range(rounds + 1):
        for paint, taken in zip(paints, times, strict=True):
            seconds = _turn(partial(paint, image))
            if turn:
                taken.append(seconds)
    return times


def _turn(call: Callable[[], object]) -> float:
    """The median of the calls that a turn has time for, of one at least."""
    taken: list[float] = []
    end = time.perf_counter() + _TURN_SECONDS
    while not taken or time.perf_counter() < end:
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _short(count: int) -> str:
    return f"{count / 1e6:.2f} M" if count >= 1e5 else f"{count / 1e3:.0f} k"
