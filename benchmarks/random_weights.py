"""Weights that nobody trained, for networks whose shape is all that matters: they take as long as others."""

import numpy as np

from livestyle.architecture import CONFIGS, NetworkConfig
from livestyle.styles import Style
from livestyle.weights import Weights, load_weights, read_manifest

STYLES = ("random_one", "random_two")


def random_weights(model: str, config: NetworkConfig | None = None) -> Weights:
    """A network of that shipped size, or of `config`, with two styles; always the same.

    Kernels have the variance that keeps activations at theirs (He et al. 2015), norms scale by about one.
    """
    config = config or CONFIGS[model]
    rng = np.random.default_rng(0)
    tensors = {}
    for name, shape in config.weight_shapes.items():
        spread = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        tensors[name] = rng.normal(0, spread, shape).astype(np.float32)
    return Weights(model, config, tensors, {name: _style(name, config, rng) for name in STYLES})


def trained_or_random(model: str) -> Weights:
    """The shipped weights of that size, or random ones where it is not trained yet."""
    return load_weights(model) if model in read_manifest() else random_weights(model)


def _style(name: str, config: NetworkConfig, rng: np.random.Generator) -> Style:
    parts = [
        rng.normal(mean, 0.2, channels).astype(np.float32) for channels in config.norms for mean in (1, 0)
    ]
    return Style(name, np.concatenate(parts), title="", artist="", year="", licence="MIT")
