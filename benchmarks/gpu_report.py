"""README's table of a GPU, out of what `benchmarks.gpu` wrote."""

from typing import Any

from livestyle.gate import MIN_PSNR_DB

Row = dict[str, Any]


def gpu_table(results: dict[str, Any]) -> str:
    """The fastest sound way of each network at each size, beside the reference; and what did worst, below.

    Raises ValueError for a rehearsal, whose numbers mean nothing.
    """
    if results["rehearsal"]:
        raise ValueError("a rehearsal is no measurement: run python -m benchmarks.gpu on a GPU")
    machine = results["machine"]
    lines = [
        f"Measured on one {machine['gpu']}, driver {machine['driver']}, torch {machine['torch']}, by "
        f"`{results['command']}`: from a frame in memory to its painting there, uint8, one in flight.",
        "",
        "| network, frame | by | fps | 99 % below | network alone | times the reference | PSNR |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    rows: list[Row] = [row for row in results["rows"] if row.get("psnr_db", MIN_PSNR_DB) >= MIN_PSNR_DB]
    for size in sorted({tuple(row["size"]) for row in rows}):
        at_size = [row for row in rows if tuple(row["size"]) == size]
        for model in dict.fromkeys(row["model"] for row in at_size):
            lines.append(_line(_best([row for row in at_size if row["model"] == model])))
    return "\n".join(lines) + "\n\n" + _restyling(rows) + "\n"


def _best(rows: list[Row]) -> Row:
    return max(rows, key=lambda row: float(row["loop"]["fps"]))


def _line(row: Row) -> str:
    width, height = row["size"]
    name = "Johnson 2016" if row["model"] == "johnson" else f"`{row['model']}`"
    untrained = ", not trained yet" if row.get("weights") == "random" else ""
    cells = [
        f"{name}{untrained}, {width}x{height}",
        row["backend"].removeprefix("graph: "),
        f"{row['loop']['fps']:.0f}",
        f"{row['loop']['p99_milliseconds']:.2f} ms",
        f"{row['network_milliseconds']:.2f} ms",
        f"{row['times_reference']:.1f}" if "times_reference" in row else "1",
        f"{row['psnr_db']:.1f} dB" if "psnr_db" in row else "",
    ]
    return "| " + " | ".join(cells) + " |"


def _restyling(rows: list[Row]) -> str:
    """What another blend in each frame costs, at the worst of those in the table."""
    cases = {(row["model"], *row["size"]) for row in rows if "loop_restyled" in row}
    best = [
        _best([r for r in rows if (r["model"], *r["size"]) == case and "loop_restyled" in r])
        for case in cases
    ]
    cost = max(1 - row["loop_restyled"]["fps"] / row["loop"]["fps"] for row in best)
    percent = 100 * max(0.0, cost)
    return f"Another blend of styles in every frame costs {percent:.1f} % of the frame rate at most."
