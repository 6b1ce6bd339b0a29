"""Decoding on the GPU: NVDEC through FFmpeg where there is an NVIDIA GPU, in software everywhere else."""

import logging

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer

from livestyle.errors import UnavailableError
from livestyle.gpu import find_driver

logger = logging.getLogger(__name__)


def open_container(
    name: str, hwaccel: str, *, options: dict[str, str] | None = None, metadata_errors: str = "strict"
) -> InputContainer:
    """Opens a video, for decoding on the GPU where that works, unless `hwaccel` is `none`; raises as PyAV.

    A codec that the GPU does not know is decoded in software.
    """
    accelerator = decoder(hwaccel)
    if accelerator is not None:
        try:
            return av.open(name, "r", hwaccel=accelerator, options=options, metadata_errors=metadata_errors)
        except (av.FFmpegError, RuntimeError, NotImplementedError) as error:
            logger.debug("decoding in software: %s", error)
    return av.open(name, "r", options=options, metadata_errors=metadata_errors)


def decoder(hwaccel: str) -> HWAccel | None:
    """What PyAV wants for decoding on the GPU; None where that is not wanted, or not possible."""
    if hwaccel == "none":
        return None
    try:
        find_driver()
    except UnavailableError as error:
        logger.debug("decoding in software: %s", error)
        return None
    if "cuda" not in hwdevices_available():
        logger.debug("decoding in software: this PyAV has no CUDA")
        return None
    return HWAccel("cuda", allow_software_fallback=True)
