"""What a measurement depends on beside processor and versions: power, memory."""

import os
import sys
from pathlib import Path

_CPU = Path("/sys/devices/system/cpu/cpu0/cpufreq")
_SUPPLIES = Path("/sys/class/power_supply")


def power() -> str:
    """How the system trades speed for power, as far as it tells: `performance, on battery`."""
    found = [_read(_CPU / "scaling_governor"), _read(_CPU / "energy_performance_preference")]
    found.append(_supply())
    return ", ".join(fact for fact in found if fact) or "not told by this system"


def peak_memory_mib() -> float | None:
    """The most memory this process has held so far; None where the system does not tell."""
    status = _read(Path("/proc/self/status"))
    for line in status.splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return _peak_of_posix()


def busy_seconds() -> float | None:
    """Processor time of all programs since the start, other virtual machines' share included.

    None where the system does not tell.
    """
    if sys.platform == "win32":
        return None
    first, *rest = _read(Path("/proc/stat")).partition("\n")[0].split() or [""]
    if first != "cpu":
        return None
    user, nice, system, _idle, _waiting, *interrupts = map(int, rest[:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _peak_of_posix() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def _supply() -> str:
    for battery in sorted(_SUPPLIES.glob("BAT*")):
        if _read(battery / "status") == "Discharging":
            return "on battery"
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
