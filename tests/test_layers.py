"""Who may import whom: what keeps `livestyle --help` instant and every layer testable by itself."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import livestyle

PACKAGE = Path(livestyle.__file__).parent
HEAVY = {
    "torch": {"network", "backends"},
    "openvino": {"backends.openvino"},
    # painter blends whole frames, which OpenCV does several times faster than NumPy
    "cv2": {"painter", "steady", "grain", "overlay", "sources", "sinks"},
    "onnx": {"onnx_graph"},
    "triton": {"backends.fused"},
    "av": {"sources", "sinks"},
    "mss": {"sources.screen"},
    # these two start no thread; they are read by several
    "threading": {"prefetch", "sources.beside", "sources.spool"},
    "click": {"cli"},
    "rich": {"cli"},
}


def imports(path: Path) -> set[str]:
    """The modules that a file imports, wherever in the file it does so."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def modules() -> dict[str, Path]:
    """Every module of the package by its name inside it."""
    return {".".join(p.relative_to(PACKAGE).with_suffix("").parts): p for p in PACKAGE.rglob("*.py")}


def belongs(module: str, allowed: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


@pytest.mark.parametrize("library", HEAVY)
def test_only_its_own_layer_imports(library: str) -> None:
    users = {name for name, path in modules().items() if library in {i.split(".")[0] for i in imports(path)}}
    assert users, f"nothing imports {library}: the rule is out of date"
    assert {name for name in users if not belongs(name, HEAVY[library])} == set()


def test_the_library_does_not_know_training_benchmarks_or_its_command_line() -> None:
    for name, path in modules().items():
        for imported in imports(path):
            assert imported.split(".")[0] not in {"train", "benchmarks", "tests"}, name
            assert not belongs(imported, {"livestyle.cli"}) or belongs(name, {"cli", "__main__"}), name


def test_the_values_know_nothing_of_the_rest() -> None:
    for name in ("errors", "frame", "architecture"):
        assert not any(i.startswith("livestyle") for i in imports(PACKAGE / f"{name}.py"))


def test_the_library_prints_nothing() -> None:
    for name, path in modules().items():
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        assert not any(isinstance(c.func, ast.Name) and c.func.id == "print" for c in calls), name


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, livestyle.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "openvino", "cv2", "av", "numpy", "rich"} & set(done.stdout.split())
