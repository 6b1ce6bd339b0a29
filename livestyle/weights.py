"""The shipped weights: safetensors files beside a manifest that says what is in them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from livestyle import defaults
from livestyle.architecture import NetworkConfig
from livestyle.errors import StyleError, reason_of
from livestyle.shared_styles import home_of, own_styles, read_own
from livestyle.styles import Style, StyleMix, engine_dir, find_style

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A trained transform network: its shape, its folded weights and its styles."""

    model: str
    config: NetworkConfig
    tensors: dict[str, NDArray[np.float32]]
    """By the names and shapes of `NetworkConfig.weight_shapes`."""
    styles: dict[str, Style]
    """By name: the shipped ones in the order of the manifest, then the user's own."""

    @property
    def network(self) -> str:
        """The sha256 of the network alone, without its styles: what a style of one's own is made for."""
        digest = hashlib.sha256()
        for name in sorted(self.tensors):
            digest.update(self.tensors[name].tobytes())
        return digest.hexdigest()


def read_manifest(directory: Path | None = None) -> dict[str, Any]:
    """What the manifest of a folder of weights (the shipped one if none is given) says about each model."""
    path = (directory or engine_dir()) / MANIFEST
    try:
        models: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["models"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StyleError(
            f"cannot read the weights' manifest {path}: {reason_of(error)}; reinstall livestyle"
        ) from error
    return models


def load_weights(model: str = defaults.MODEL, directory: Path | None = None) -> Weights:
    """Reads the weights of a model, checks them against the manifest, and adds the user's own styles.

    Raises StyleError where the model has no trained weights, or where names, shapes or sha256 differ.
    """
    models = read_manifest(directory)
    if model not in models:
        trained = ", ".join(models)
        raise StyleError(f"no trained weights for model {model!r} are shipped yet: choose --model {trained}")
    entry = models[model]
    path = (directory or engine_dir()) / entry["file"]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StyleError(
            f"cannot read the weights {path}: {reason_of(error)}; reinstall livestyle"
        ) from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise StyleError(f"{path} is damaged: its sha256 is not the manifest's; reinstall livestyle")
    try:
        tensors = {name: value.astype(np.float32) for name, value in load(content).items()}
    except SafetensorError as error:
        raise StyleError(f"{path} is not a safetensors file: {error}; reinstall livestyle") from error
    config = NetworkConfig(**entry["config"])
    expected = config.weight_shapes | {"affine": (len(entry["styles"]), config.affine_length)}
    if {name: value.shape for name, value in tensors.items()} != expected:
        raise StyleError(f"{path} holds other tensors than its manifest says; reinstall livestyle")
    table = tensors.pop("affine")
    weights = Weights(model, config, tensors, _styles(entry["styles"], table))
    for style in own_styles(weights.network, config.affine_length):
        weights.styles.setdefault(style.name, style)
    return weights


def check_mix(mix: StyleMix, weights: Weights) -> None:
    """Raises StyleError for a style that these weights have not; it names the network that has it."""
    for name in [name for name, _ in mix.parts if name not in weights.styles]:
        for model in read_manifest():
            if model != weights.model and name in load_weights(model).styles:
                raise StyleError(f"{name} is a style of the {model} network: add --model {model}")
        for path, style, network in read_own():
            if style.name == name:
                raise StyleError(
                    f"style {name!r} was made for {home_of(style, network)}, which is not here: "
                    f"learn it anew with python -m train add, or remove {path}"
                )
        find_style(name, weights.styles)


def _styles(entries: list[dict[str, Any]], table: NDArray[np.float32]) -> dict[str, Style]:
    facts = ("name", "title", "artist", "year", "licence")
    styles = [
        Style(row=row, **{key: entry[key] for key in facts})
        for entry, row in zip(entries, table, strict=True)
    ]
    return {style.name: style for style in styles}
