"""The network as a file: what other programs read paints what float32 eager paints."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from click.testing import CliRunner

from benchmarks.random_weights import trained_or_random
from livestyle.backends.openvino import core
from livestyle.backends.torchscript import frame_net
from livestyle.cli import main
from livestyle.errors import EngineError, SinkError
from livestyle.export import export
from livestyle.frame import Image
from livestyle.gate import MIN_PSNR_DB, RefusedError, check, natural_frame, psnr_db
from livestyle.styles import StyleMix
from livestyle.tensorrt_builder import build_plan, open_flavour
from livestyle.weights import Weights, load_weights

MODELS = ("small", "large")
SIZE = (161, 90)
MIN_PSNR = {"f32": 60.0, "f16": 50.0}
"""float32 differs by the rounding of single pixels; half precision keeps 11 bits of each activation."""


@pytest.fixture(scope="module", params=MODELS)
def weights(request: pytest.FixtureRequest) -> Weights:
    return trained_or_random(request.param)


def eager(weights: Weights, image: Image, row: np.ndarray) -> Image:
    with torch.inference_mode():
        return frame_net(weights)(torch.from_numpy(image), torch.from_numpy(row)).numpy()


def blend(weights: Weights) -> np.ndarray:
    one, two, *_ = weights.styles
    return StyleMix.of({one: 0.7, two: 0.3}).row(weights.styles)


def run_onnx(path: Path, image: Image, row: np.ndarray) -> Image:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16}[session.get_inputs()[1].type]
    return session.run(None, {"frame": image, "affine": row.astype(kind)})[0]


@pytest.mark.parametrize("precision", ["f32", "f16"])
def test_onnxruntime_paints_what_eager_paints(weights: Weights, precision: str, tmp_path: Path) -> None:
    export(weights, tmp_path / "net.onnx", "onnx", SIZE, precision)
    image, row = natural_frame(*SIZE[::-1]), blend(weights)
    painted = run_onnx(tmp_path / "net.onnx", image, row)
    assert painted.dtype == np.uint8
    assert psnr_db(painted, eager(weights, image, row)) > MIN_PSNR[precision]


def test_the_statistics_stay_in_float32(tmp_path: Path) -> None:
    """In half precision a plane of large values overflows: its squares do not fit (TensorRT #2564)."""
    export(load_weights("small"), tmp_path / "net.onnx", "onnx", SIZE, "f16")
    graph = onnx.shape_inference.infer_shapes(onnx.load(tmp_path / "net.onnx")).graph
    types = {value.name: value.type.tensor_type.elem_type for value in graph.value_info}
    norms = [node for node in graph.node if node.op_type == "InstanceNormalization"]
    assert len(norms) == len(load_weights("small").config.norms)
    assert {types[node.input[0]] for node in norms} == {onnx.TensorProto.FLOAT}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert {types[node.output[0]] for node in convolutions} == {onnx.TensorProto.FLOAT16}


def test_torchscript_and_openvino_files_paint_it_too(weights: Weights, tmp_path: Path) -> None:
    image, row = natural_frame(*SIZE[::-1]), blend(weights)
    right = eager(weights, image, row)
    export(weights, tmp_path / "net.pt", "torchscript", SIZE)
    with pytest.warns(DeprecationWarning, match=r"torch\.jit\.load"):
        script = torch.jit.load(tmp_path / "net.pt")
    assert psnr_db(script(torch.from_numpy(image), torch.from_numpy(row)).numpy(), right) > MIN_PSNR["f32"]
    export(weights, tmp_path / "net.xml", "openvino", SIZE)
    plain = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core().compile_model(tmp_path / "net.xml", "CPU", plain)
    painted = compiled({"frame": image, "affine": row})["painted"]
    assert psnr_db(painted, right) > MIN_PSNR["f32"]


def test_the_styles_go_along_and_give_their_rows_back(tmp_path: Path) -> None:
    weights = load_weights("small")
    styles = export(weights, tmp_path / "net.onnx", "onnx", SIZE)
    rows = json.loads(styles.read_text())
    assert list(rows) == list(weights.styles)
    np.testing.assert_allclose(rows["mosaic"], weights.styles["mosaic"].row, atol=1e-6)


@pytest.mark.parametrize("precision", ["f32", "f16"])
def test_tensorrt_converts_every_layer(weights: Weights, precision: str, tmp_path: Path) -> None:
    """The builder of TensorRT for RTX needs no GPU; without it the test is skipped, by name."""
    pytest.importorskip("tensorrt_rtx_bindings", reason="tensorrt-rtx is not installed", exc_type=ImportError)
    export(weights, tmp_path / "net.onnx", "onnx", (1280, 720), precision)
    plan = build_plan(open_flavour("tensorrt-rtx"), (tmp_path / "net.onnx").read_bytes())
    constants = sum(tensor.nbytes for tensor in weights.tensors.values()) / (2 if precision == "f16" else 1)
    assert len(plan) > constants  # the weights are in it, so it was the whole network


def test_tensorrt_builds_for_each_gpu_that_it_knows(tmp_path: Path) -> None:
    """Turing's engines are others: one for all GPUs does not run there."""
    pytest.importorskip("tensorrt_rtx_bindings", reason="tensorrt-rtx is not installed", exc_type=ImportError)
    export(load_weights("small"), tmp_path / "net.onnx", "onnx", SIZE, "f16")
    flavour, graph = open_flavour("tensorrt-rtx"), (tmp_path / "net.onnx").read_bytes()
    plans = [build_plan(flavour, graph, gpu) for gpu in (None, (7, 5), (8, 6), (8, 9), (12, 0))]
    assert len(set(plans)) == len(plans)


def test_the_installed_tensorrt_has_all_that_its_engines_are_run_with() -> None:
    """Running needs a GPU; that nothing is misspelt does not."""
    pytest.importorskip("tensorrt_rtx_bindings", reason="tensorrt-rtx is not installed", exc_type=ImportError)
    flavour = open_flavour("tensorrt-rtx")
    assert flavour.takes_memory
    for place, names in {
        "ICudaEngine": ("create_runtime_config", "create_execution_context", "device_memory_size_v2"),
        "IRuntimeConfig": (
            "set_execution_context_allocation_strategy",
            "create_runtime_cache",
            "set_runtime_cache",
        ),
        "IRuntimeCache": ("serialize", "deserialize"),
        "ExecutionContextAllocationStrategy": ("USER_MANAGED",),
        "IExecutionContext": ("set_device_memory", "is_stream_capturable", "execute_async_v3"),
    }.items():
        assert not set(names) - set(dir(getattr(flavour.trt, place)))


def test_what_tensorrt_cannot_read_is_said(tmp_path: Path) -> None:
    pytest.importorskip("tensorrt_rtx_bindings", reason="tensorrt-rtx is not installed", exc_type=ImportError)
    with pytest.raises(EngineError, match=r"tensorrt-rtx .* cannot read the network: .+"):
        build_plan(open_flavour("tensorrt-rtx"), b"not a graph")


@pytest.mark.parametrize("name", ["net.pt", "net.xml"])
def test_the_suffix_says_what_is_written(name: str, tmp_path: Path) -> None:
    target = tmp_path / name
    result = CliRunner().invoke(main, ["export", str(target), "--size", "64x48"])
    assert result.exit_code == 0, result.output
    begin = {"net.pt": b"PK", "net.xml": b"<?xml"}[name]  # TorchScript's files are zip archives
    assert target.read_bytes().startswith(begin)


def test_the_gate_lets_rounding_through_and_nothing_else() -> None:
    image = natural_frame(120, 160)
    off_by_one = image.astype(int) + np.random.default_rng(0).integers(-1, 2, image.shape)
    assert check("a net", off_by_one.clip(0, 255).astype(np.uint8), image) > MIN_PSNR_DB
    for wrong in (np.roll(image, 1, axis=1), image[..., ::-1], np.zeros_like(image)):
        with pytest.raises(RefusedError, match=r"a net paints something else than float32 eager: .* dB"):
            check("a net", wrong, image)


def test_the_natural_picture_comes_in_every_size() -> None:
    for height, width in ((33, 47), (360, 640), (720, 1280), (1081, 1923)):
        image = natural_frame(height, width)
        assert image.shape == (height, width, 3)
        assert image.std() > 20


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["net.bin"], "name it net.onnx"),
        (["no/net.onnx"], "there is no folder"),
        (["."], "cannot write .: it is a folder; name a file in it"),
        (["net.pt", "--precision", "f16"], "cannot write net.pt in f16: only .onnx can be"),
        (["net.xml", "--precision", "f16"], "cannot write net.xml in f16: only .onnx can be"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["export", *arguments])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert expected in result.stderr
    assert not list(tmp_path.iterdir())


def test_what_the_command_writes_can_be_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["export", str(tmp_path / "net.onnx"), "--size", "64x48"])
    assert result.exit_code == 0, result.output
    assert "net.onnx.styles.json" in result.stdout
    weights = load_weights("small")
    painted = run_onnx(tmp_path / "net.onnx", natural_frame(48, 64), weights.styles["mosaic"].row)
    assert painted.shape == (48, 64, 3)


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").mkdir()
    with pytest.raises(SinkError, match="it is a folder"):
        export(load_weights("small"), tmp_path / "net.onnx", "onnx", (64, 48))


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("net.onnx", "net.onnx"),
        ("net.pt", "net.pt"),
        ("net.xml", "net.bin"),
        ("net.pt", "net.pt.styles.json"),
    ],
)
def test_what_exists_is_kept_unless_told_otherwise(name: str, there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("precious")
    arguments = ["export", str(tmp_path / name), "--size", "64x48"]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert f"{there}: it exists; choose another name, or add --overwrite" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"
    assert CliRunner().invoke(main, [*arguments, "--overwrite"]).exit_code == 0
    assert (tmp_path / there).read_bytes() != b"precious"


def test_each_file_keeps_the_styles_of_its_own_network(tmp_path: Path) -> None:
    export(load_weights("small"), tmp_path / "net.onnx", "onnx", (64, 48))
    before = (tmp_path / "net.onnx.styles.json").read_bytes()
    export(trained_or_random("large"), tmp_path / "net.pt", "torchscript", (64, 48), overwrite=True)
    assert (tmp_path / "net.onnx.styles.json").read_bytes() == before
    rows = json.loads((tmp_path / "net.pt.styles.json").read_text())
    assert {len(row) for row in rows.values()} == {trained_or_random("large").config.affine_length}


@pytest.mark.parametrize("name", ["NET.ONNX", "Net.Pt", "NET.XML"])
def test_a_suffix_may_be_in_capitals(name: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["export", str(tmp_path / name), "--size", "64x48"])
    assert result.exit_code == 0, result.output
    assert {name, f"{name}.styles.json"} <= {path.name for path in tmp_path.iterdir()}
    if name == "NET.XML":
        core().read_model(tmp_path / name)  # with the constants beside it


def test_a_size_that_does_not_fit_into_memory_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("can't allocate memory: you tried to allocate 30000000000 bytes\nmore")

    monkeypatch.setattr("livestyle.backends.torchscript._traced", full)
    with pytest.raises(
        EngineError, match=r"cannot export for 64x48: can't .* bytes; choose a smaller --size$"
    ):
        export(load_weights("small"), tmp_path / "net.pt", "torchscript", (64, 48))
    assert not list(tmp_path.iterdir())


def test_a_name_that_no_system_takes_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="choose another place"):
        export(load_weights("small"), tmp_path / f"{'a' * 300}.onnx", "onnx", SIZE)
