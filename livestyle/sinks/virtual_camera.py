"""The painting as a camera for other programs: v4l2loopback on Linux, OBS on Windows and macOS."""

import sys

from livestyle.errors import SinkError
from livestyle.frame import Frame, require_size

_MODPROBE = 'sudo modprobe v4l2loopback devices=1 card_label="livestyle" exclusive_caps=1'
_ADVICE = {
    "linux": f"{_MODPROBE} (from the package v4l2loopback-dkms), then try again",
    "win32": "install OBS Studio 28 or newer, start its virtual camera once, stop it, then try again",
    "darwin": "install OBS Studio 30 or newer, start its virtual camera once, allow it in the settings, stop "
    "it, then try again",
}


class VirtualCamera:
    """A camera of this machine that shows frames of `size` (width, height), at about `rate`.

    Raises `SinkError` where pyvirtualcam is not installed, or finds no device.
    """

    def __init__(self, size: tuple[int, int], *, rate: float = 30.0) -> None:
        self.size = size
        try:
            import pyvirtualcam
        except ImportError as error:
            raise SinkError(
                "a virtual camera needs pyvirtualcam: pip install 'livestyle[virtual-camera]'"
            ) from error
        try:
            self._camera = pyvirtualcam.Camera(*size, rate)
        except (RuntimeError, OSError) as error:
            advice = _ADVICE.get(sys.platform, "this system has none")
            raise SinkError(f"cannot open a virtual camera: {_reason(error)}; {advice}") from error
        self.name: str = self._camera.device
        """What other programs call it."""

    def write(self, frame: Frame) -> None:
        """Show a frame, in that moment. Raises `SinkError`."""
        require_size(frame.image, self.size)
        try:
            self._camera.send(frame.image)
        except (RuntimeError, OSError) as error:
            raise SinkError(f"the virtual camera {self.name} is gone: {str(error).lower()}") from error

    def close(self) -> None:
        """Release the device; safe to call twice."""
        self._camera.close()


def _reason(error: Exception) -> str:
    """The first sentence of what pyvirtualcam says, without the name of its backend."""
    first_line = str(error).partition("\n")[0].partition(" backend: ")
    return (first_line[2] or first_line[0]).partition(". ")[0].rstrip(".").lower()
