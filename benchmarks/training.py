"""What `python -m train compare` and `python -m train throughput` measured, in Markdown."""

from typing import Any

Results = dict[str, Any]


def comparison(measured: Results) -> str:
    """The errors of the networks that were compared, and how the first one's are to the others'."""
    lines = [f"## {measured['title'][:1].upper()}{measured['title'][1:]}", ""]
    lines.append(
        f"{measured['photos']} photos of {measured['side']} pixels, float32; `{measured['command']}`."
    )
    runs = measured["runs"]
    extra = sorted({key for run in runs for row in run["styles"].values() for key in row} & set(_EXTRA))
    titles = ["network", "styles", "size", "steps", "style", "style error", "content error"]
    lines += ["", "| " + " | ".join([*titles, *(_EXTRA[key][0] for key in extra)]) + " |"]
    lines.append("|---|---:|---|---:|---|" + "---:|" * (2 + len(extra)))
    for run in runs:
        steps = _steps(run)
        for name, row in run["styles"].items():
            cells = [run["run"], str(run["styles_in_all"]), run["size"], str(steps), name]
            cells += [f"{row['style']:.3f}", f"{row['content']:.3f}"]
            cells += [_EXTRA[key][1](row[key]) if key in row else "" for key in extra]
            lines.append("| " + " | ".join(cells) + " |")
    style, content = measured["ratios"]["style"], measured["ratios"]["content"]
    lines += ["", f"The first one's style error is **{style:.2f} times** the others', its content error "]
    lines[-1] += f"{content:.2f} times, in the mean over the styles they share.{_effort(runs)}\n"
    return "\n".join(lines)


def _steps(run: Results) -> int:
    return sum(stage["steps"] for stage in run["training"])


def _effort(runs: list[Results]) -> str:
    """What the networks were trained for, where that differs; empty where it does not."""
    first, *others = (f"{_steps(run):,} steps on {_styles(run['styles_in_all'])}" for run in runs)
    if set(others) == {first}:
        return ""
    return f" It was trained for {first}, the others for {' or '.join(dict.fromkeys(others))} each."


def _styles(count: int) -> str:
    return f"{count} styles" if count > 1 else "one style"


_EXTRA: dict[str, tuple[str, Any]] = {
    "gatys_iterations": ("Gatys", str),
    "sintel": ("e alley_2", lambda errors: f"{errors['alley_2']:.3f}"),
}
"""What may be measured besides, with its column's title and how a cell is written."""


def speed_of_training(measurements: list[Results]) -> str:
    """Photos a second for each size that was measured."""
    first = measurements[0]
    others = ", ".join(measured["size"] for measured in measurements[1:])
    lines = ["## Speed of training", ""]
    lines.append(
        f"Photos a second, {first['side']}x{first['side']} in batches of {first['batch']}, loss network "
        f"{first['loss_network']}, on {first['machine']['cores']} cores of an "
        f"{first['machine']['processor']}; `{first['command']}`"
        + (f", and the same for {others}." if others else ".")
    )
    lines += [
        "",
        "| network | training | with the stability loss | network alone | loader alone | loss network |",
    ]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for measured in measurements:
        rates = measured["photos_per_second"]
        cells = [f"{rates[name]:.1f}" for name in ("plain", "with_stability", "painter", "loader")]
        share = f"{measured['loss_network_share']:.0%} of the time"
        lines.append("| " + " | ".join([measured["size"], *cells, share]) + " |")
    return "\n".join(lines) + "\n"
