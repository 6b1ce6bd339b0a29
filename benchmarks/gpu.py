"""The whole measurement on a GPU, in one command and one JSON file.

    python -m benchmarks.gpu -o benchmarks/results/gpu.json
    python -m benchmarks.gpu --rehearse -o /tmp/rehearsal.json    # the same on a processor, at tiny sizes

Every way of running the network, at four sizes of frame, against Johnson's network in eager float32; the file
is written anew after every line, so that what was measured stays where the time runs out. It needs torch,
numpy, opencv, click, safetensors and platformdirs; onnx and a TensorRT where engines are to be measured.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import click
import numpy as np
import torch

from benchmarks.gpu_device import Device, Gpu, Processor
from benchmarks.random_weights import random_weights, trained_or_random
from benchmarks.reference import JohnsonNet
from benchmarks.work import work
from livestyle.architecture import NetworkConfig
from livestyle.backends.recipes import RECIPES, Recipe
from livestyle.backends.slots import Lane, Paint, Ring, Slot
from livestyle.backends.torchscript import frame_net
from livestyle.errors import LivestyleError
from livestyle.frame import Image
from livestyle.gate import natural_frame, psnr_db
from livestyle.remembered import write_whole
from livestyle.sinks.partial import PartialFile
from livestyle.weights import Weights, read_manifest

SIZES = ((1920, 1080), (1280, 720), (3840, 2160), (640, 480))
"""(width, height), the most wanted first."""
TINY_SIZES = ((64, 48), (49, 33))
TINY = NetworkConfig(stem=4, body=8, blocks=1)

Way: TypeAlias = Callable[[], tuple[Callable[[], Lane], Callable[[Lane], Paint]]]
"""Gives what makes a lane, and what paints on it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One network at one size of frame, with what its paintings are measured by."""

    weights: Weights
    size: tuple[int, int]
    image: Image
    row: np.ndarray
    reference: Image
    """What float32 eager paints of `image`, on the processor."""


@click.command(context_settings={"show_default": True})
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option(
    "--minutes", type=click.FloatRange(min=0), default=8.0, help="What is not begun by then is left out."
)
@click.option("--rehearse", is_flag=True, help="On the processor, at tiny sizes: shows only that it runs.")
@click.option("--models", default="large,small", metavar="NAME,...", help="Networks to measure.")
@click.option(
    "--compiled/--no-compiled", default=True, help="With torch.compile, which takes most of the time."
)
def main(output: Path, minutes: float, rehearse: bool, models: str, compiled: bool) -> None:
    """Measure every way of running the network on this machine's GPU."""
    PartialFile(output).discard()  # what is wrong with the place is told now
    device: Device = Processor() if rehearse else Gpu()
    results: dict[str, Any] = {
        "command": "python -m benchmarks.gpu",
        "rehearsal": rehearse,
        "machine": device.facts(),
        "ceilings": device.ceilings(),
        "rows": [],
        "skipped": [],
    }
    until = time.monotonic() + 60 * minutes
    sizes = TINY_SIZES if rehearse else SIZES
    cases = ((size, model) for size in sizes for model in models.split(","))
    recipes = [recipe for recipe in RECIPES if compiled or not recipe.compiled]
    for kind, line in measure(device, cases, recipes, until):
        results[kind].append(line)
        print(" ".join(f"{k}={_short(v)}" for k, v in line.items()), file=sys.stderr, flush=True)
        write_whole(output, json.dumps(results, indent=1).encode() + b"\n")


def measure(
    device: Device, cases: Iterable[tuple[tuple[int, int], str]], recipes: Sequence[Recipe], until: float
) -> Iterator[tuple[str, dict[str, Any]]]:
    """`rows` and `skipped`, one after the other, until that moment of `time.monotonic`."""
    layouts: dict[str, list[tuple[float, Recipe]]] = {}
    johnson: dict[str, Any] = {}
    for size, model in cases:
        if johnson.get("size") != list(size):
            johnson = reference_row(device, size)
            yield "rows", johnson
        case = make_case(device, model, size)
        for name, make in ways(device, case, _without_slower_layouts(recipes, layouts.get(model, []))):
            line = {"model": model, "weights": _origin(model), "size": list(size), "backend": name}
            if time.monotonic() > until:
                yield "skipped", line | {"reason": "no time left"}
                continue
            try:
                row = line | measure_one(device, case, make, whole=not name.startswith("no graph"))
            except Exception as error:  # whatever a compiler raises: the other rows are worth having
                yield "skipped", line | {"reason": f"{type(error).__name__}: {str(error).strip()[:400]}"}
                continue
            row["times_reference"] = johnson["network_milliseconds"] / row["network_milliseconds"]
            layouts.setdefault(model, []).extend(
                (row["network_milliseconds"], recipe) for recipe in recipes if name == f"graph: {recipe.name}"
            )
            yield "rows", row


def _without_slower_layouts(
    recipes: Sequence[Recipe], measured: list[tuple[float, Recipe]]
) -> Sequence[Recipe]:
    """Compiled recipes take a minute each: once both layouts are measured, only the faster one is tried."""
    compiled = [(ms, recipe) for ms, recipe in measured if recipe.compiled]
    if not compiled:
        return recipes
    _, best = min(compiled, key=lambda pair: pair[0])
    return [recipe for recipe in recipes if not recipe.compiled or recipe is best]


def make_case(device: Device, model: str, size: tuple[int, int]) -> Case:
    """The shipped weights of that model, or random ones where nobody has trained it; tiny in a rehearsal."""
    tiny = device.torch_device.type == "cpu"
    weights = random_weights(model, TINY) if tiny else trained_or_random(model)
    image, row = natural_frame(*size[::-1]), next(iter(weights.styles.values())).row
    with torch.inference_mode():
        reference = frame_net(weights)(torch.from_numpy(image), torch.from_numpy(row)).numpy()
    return Case(weights, size, image, row, reference)


def ways(device: Device, case: Case, recipes: Sequence[Recipe]) -> Iterator[tuple[str, Way]]:
    """Every way of painting by its name, each to be made when it is its turn."""

    def recipe_on(make_lane: Callable[[], Lane], recipe: Recipe) -> Way:
        def make() -> tuple[Callable[[], Lane], Callable[[Lane], Paint]]:
            paint = recipe.prepare(case.weights, device.torch_device, device.dtype)  # once for all lanes
            return make_lane, lambda _: paint

        return make

    for recipe in recipes:
        if not recipe.compiled:
            yield f"no graph: {recipe.name}", recipe_on(device.plain_lane, recipe)
        yield f"graph: {recipe.name}", recipe_on(device.lane, recipe)
    yield "tensorrt", lambda: (device.lane, device.tensorrt(case.weights, case.size))


def measure_one(device: Device, case: Case, make: Way, whole: bool) -> dict[str, Any]:
    """One line: the network by itself, how right it is, and the loop around it, in all ways if `whole`.

    `prepare_seconds` is all that comes before the first painting: for TensorRT the float32 reference of the
    gate too. `memory_mib` is without that.
    """
    device.forget_memory()
    ceilings = device.ceilings()
    began = time.perf_counter()
    make_lane, paint_on = make()
    (width, height), length = case.size, case.weights.config.affine_length
    lanes = [make_lane() for _ in range(2)]
    slots = [Slot(lane, height, width, length, device.dtype, paint_on(lane)) for lane in lanes]
    painted = slots[0].start(case.image, case.row)()
    made = time.perf_counter() - began
    network = device.network_milliseconds(slots[0])
    needed = work(case.weights.config, height, width)
    floor = needed.floor_milliseconds(ceilings["operations_per_second"], ceilings["bytes_per_second"])
    loops = {"loop": loop(device, slots[:1], case)}
    if whole:
        loops["loop_restyled"] = loop(device, slots[:1], case, restyled=True)
        loops["loop_two_in_flight"] = loop(device, slots, case)
    return {
        "network_milliseconds": network,
        "floor_milliseconds": floor,
        "times_floor": network / floor,
        "operations": needed.operations,
        "moved_bytes": needed.moved_bytes,
        "psnr_db": psnr_db(painted, case.reference),
        "max_error": int(np.abs(painted.astype(int) - case.reference).max()),
        "memory_mib": device.peak_memory_mib(),
        "prepare_seconds": made,
    } | loops


def loop(device: Device, slots: list[Slot], case: Case, restyled: bool = False) -> dict[str, float]:
    """From a frame in the host's memory to its painting there, again and again, with all slots under way.

    `restyled` blends the styles anew for each frame. Frames differ, as those of a video do.
    """
    ring = Ring(slots)
    images = [np.ascontiguousarray(np.roll(case.image, 8 * i, axis=1)) for i in range(8)]
    other = list(case.weights.styles.values())[1].row
    frames = device.loop_frames(case.size)
    waiting: list[Callable[[], Image]] = []
    ends: list[float] = []
    began = 0.0
    for index in range(frames + 10):
        if index == 10:  # the ones before warm up
            began = time.perf_counter()
        row = case.row + (index % 64 / 64) * (other - case.row) if restyled else case.row
        waiting.append(ring.start(images[index % len(images)], row))
        if len(waiting) == len(slots):
            waiting.pop(0)()
            ends.append(time.perf_counter())
    total = time.perf_counter() - began
    for fetch in waiting:
        fetch()
    return {"fps": frames / total, "frames": frames} | percentiles(
        np.diff(ends[9:] if len(slots) == 1 else ends[8:])
    )


def percentiles(seconds: np.ndarray) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    return {f"p{p}_milliseconds": float(1000 * np.percentile(seconds, p)) for p in (50, 95, 99)}


def reference_row(device: Device, size: tuple[int, int]) -> dict[str, Any]:
    """Johnson's network in eager float32, with PyTorch's defaults: what most people run."""
    width, height = size
    torch.manual_seed(0)
    net = JohnsonNet().eval().to(device.torch_device)
    image = natural_frame(height, width)
    device.forget_memory()

    @torch.inference_mode()
    def once() -> Image:
        x = torch.from_numpy(image).to(device.torch_device).permute(2, 0, 1)[None].float()
        painted: Image = net(x)[0].clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
        return painted

    with torch.inference_mode():
        x = torch.from_numpy(image).to(device.torch_device).permute(2, 0, 1)[None].float()
        network = device.milliseconds(lambda: net(x))
    times = []
    for _ in range(device.loop_frames(size) // 4 + 3):
        began = time.perf_counter()
        once()
        times.append(time.perf_counter() - began)
    return {
        "model": "johnson",
        "size": list(size),
        "backend": "reference: eager f32",
        "network_milliseconds": network,
        "loop": {"fps": 1 / statistics.median(times[3:])} | percentiles(np.array(times[3:])),
        "memory_mib": device.peak_memory_mib(),
    }


def _origin(model: str) -> str:
    return "trained" if model in read_manifest() else "random"


def _short(value: object) -> str:
    if isinstance(value, dict):
        return "/".join(f"{number:.4g}" for number in value.values())
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace(" ", "_")


if __name__ == "__main__":
    try:
        main()
    except LivestyleError as error:
        sys.exit(f"Error: {error}")
