"""OpenVINO itself, and the operations graphs are built of."""

import sys
from typing import Any

from livestyle.errors import EngineError

# The converter of other frameworks' models, with its telemetry, takes 50 ms to load. OpenVINO does without it
# where it cannot be imported, which None in its place brings about; whoever wants it later still finds it.
_CONVERTER = "openvino.tools.ovc"
_spared = _CONVERTER not in sys.modules
if _spared:
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]
try:
    import openvino as ov
    from openvino import opset13 as op
except ImportError as error:
    raise EngineError("backend 'openvino' needs openvino: pip install openvino") from error
finally:
    if _spared:
        del sys.modules[_CONVERTER]


def _convert_model(*arguments: Any, **options: Any) -> "ov.Model":
    """OpenVINO's own, loaded when somebody else in this process asks for it."""
    from openvino.tools.ovc import convert_model

    return convert_model(*arguments, **options)


if not hasattr(ov, "convert_model"):
    ov.convert_model = _convert_model

__all__ = ["op", "ov"]
