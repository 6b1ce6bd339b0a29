"""What a network has to do at least: operations and bytes, counted from its shapes."""

from dataclasses import dataclass

from livestyle.architecture import NetworkConfig, Padding


@dataclass(frozen=True, slots=True)
class Work:
    """The least that painting one frame takes."""

    operations: int
    """Multiplications and additions of the convolutions."""
    moved_bytes: int
    """Every convolution reads its input and writes its output once, every norm reads and writes once more.

    A norm needs its whole plane before it gives the first value, so it cannot be part of the convolution
    before it; everything else can be part of its neighbours. Weights do not count: they stay in the cache.
    """

    def floor_milliseconds(self, operations_per_second: float, bytes_per_second: float) -> float:
        """The least time at those two ceilings, whichever is the lower."""
        return 1000 * max(self.operations / operations_per_second, self.moved_bytes / bytes_per_second)


def work(config: NetworkConfig, height: int, width: int, value_bytes: int = 2) -> Work:
    """The work for one frame, its activations being of `value_bytes` each."""
    rows, columns = Padding.of(height), Padding.of(width)
    high, wide = height + rows.before + rows.after, width + columns.before + columns.after
    stem = (high // 2 - 2) * (wide // 2 - 2)
    body = ((high // 2 - 2 - 4) // 2 + 1) * ((wide // 2 - 2 - 4) // 2 + 1)
    frame = height * width
    body_convolutions = 2 * config.blocks
    multiplications = (
        stem * config.stem * 12 * 9
        + body * config.body * config.stem * 16
        + body_convolutions * body * config.body**2 * 9
        + body * 4 * config.stem * config.body * 4
        + frame // 4 * 12 * config.stem * 4
    )
    # a convolution writes, a norm reads and writes, the next convolution reads: four times each activation
    values = 4 * (2 * stem * config.stem + (1 + body_convolutions) * body * config.body)
    residuals = config.blocks * body * config.body
    return Work(2 * multiplications, (values + residuals) * value_bytes + 2 * 3 * frame)
