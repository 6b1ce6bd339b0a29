"""From a checkpoint to the weights that livestyle ships."""

import hashlib
import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from livestyle.architecture import CONFIGS
from livestyle.errors import SinkError, StyleError
from livestyle.sinks.partial import PartialFile
from livestyle.weights import MANIFEST, read_manifest
from train.checkpoint import Checkpoint
from train.config import read_record
from train.painter import Painter


def export(checkpoint: Path, directory: Path, *, half: bool = False, overwrite: bool = True) -> Path:
    """Writes the averaged weights of a run, folded, with its styles' provenance into the manifest.

    With `half` kernels are stored in float16, styles never. Gives the path of the weights. Other models in
    the manifest stay as they are. With `overwrite` False there must be no weights of this size in the folder:
    raises SinkError.
    """
    state = Checkpoint.load(checkpoint)
    path, manifest = directory / f"{state.size}.safetensors", directory / MANIFEST
    if not overwrite and path.exists():
        raise SinkError(f"{path} exists: add --overwrite to replace it, or choose another folder with -o")
    record = read_record(checkpoint)
    if [style["name"] for style in record["styles"]] != state.styles:
        raise StyleError(f"the record beside {checkpoint} is of another run: name a checkpoint with its own")
    painter = Painter(state.size, len(state.styles))
    state.warm_start(painter, state.styles)
    tensors = {name: value.detach().numpy() for name, value in painter.net.fold().state_dict().items()}
    if half:
        tensors = {name: value.astype(np.float16) for name, value in tensors.items()}
    content = save(tensors | {"affine": painter.affine.detach().numpy()})
    *earlier, last = record["training"]
    training = [*earlier, last | {"steps": state.step}]
    models = read_manifest(directory) if manifest.is_file() else {}
    models[state.size] = {
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "config": asdict(CONFIGS[state.size]),
        "styles": [style | {"training": training} for style in record["styles"]],
    }
    _replace({path: content, manifest: (json.dumps({"models": models}, indent=2) + "\n").encode()})
    return path


def _replace(files: dict[Path, bytes]) -> None:
    """Writes all files beside those there are, and puts them in their place when all are complete."""
    with ExitStack() as stack:
        parts = []
        for path, content in files.items():
            parts.append(part := PartialFile(path))
            stack.callback(part.discard)
            part.write(content)
        for part in parts:
            part.commit()
