"""What this processor's arithmetic is good for."""

import logging
from functools import cache

import numpy as np

from livestyle.architecture import NORM_EPSILON
from livestyle.backends.instruction_sets import bfloat16_allowed
from livestyle.backends.openvino.library import op, ov

logger = logging.getLogger(__name__)

_CHANNELS = 64


def has_bfloat16(core: "ov.Core") -> bool:
    """Whether the processor has bfloat16 in hardware.

    Among its capabilities OpenVINO names it for all of AVX-512, where it imitates it, slower than float32; of
    itself it takes it only where it is native.
    """
    preferred = core.get_property("CPU", "INFERENCE_PRECISION_HINT")
    return bfloat16_allowed() and bool(preferred == ov.Type.bf16)


@cache
def normalizes(core: "ov.Core") -> bool:
    """Whether OpenVINO can build its kernel of the norms here.

    Version 2026.4 cannot without AVX, which small Atoms, Celerons and Pentiums lack, and says "bad
    combination". Written in other operations, the norms make it slower than TorchScript.
    """
    x = op.parameter([1, _CHANNELS, 8, 8], np.float32)
    axes = np.array([2, 3], np.int64)
    model = ov.Model([op.mvn(x, axes, True, NORM_EPSILON, "inside_sqrt")], [x], "probe")
    try:
        core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        logger.debug("OpenVINO cannot normalise: %s", error)
        return False
    return True


@cache
def saturates(core: "ov.Core") -> bool:
    """Whether products of large 8-bit integers come out too small.

    Without VNNI two of them are added in 16 bits, which 2 * 255 * 127 does not fit. Tried out, because a
    processor's name does not tell what OpenVINO makes of it.
    """
    x = op.parameter([1, _CHANNELS, 8, 8], np.float32)
    levels = op.fake_quantize(x, *(op.constant(np.float32(end)) for end in (0, 255, 0, 255)), 256)
    codes = op.constant(np.full((_CHANNELS, _CHANNELS, 1, 1), 127, np.int8))
    kernel = op.multiply(op.convert(codes, "f32"), op.constant(np.ones((_CHANNELS, 1, 1, 1), np.float32)))
    model = ov.Model([op.convolution(levels, kernel, [1, 1], [0, 0], [0, 0], [1, 1])], [x], "probe")
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    (products,) = compiled([np.full((1, _CHANNELS, 8, 8), 255, np.float32)]).values()
    return bool(products.max() < 0.99 * 255 * 127 * _CHANNELS)
