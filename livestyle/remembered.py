"""What was measured on this machine and need not be measured again: small facts in the user's cache."""

import json
import os
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import platformdirs

_FILE = "measured.json"


def cache_folder() -> Path:
    """Where livestyle keeps what this device made; it need not exist."""
    return platformdirs.user_cache_path("livestyle", appauthor=False)


def make_private(folder: Path) -> None:
    """Makes a folder that nobody else can read or write. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.name != "nt":
        folder.chmod(0o700)


def digest(facts: Mapping[str, object]) -> str:
    """The sha256 of facts, in hexadecimal: the key for what depends on all of them."""
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def recall(facts: Mapping[str, object]) -> Any:
    """What `remember` was given last for these facts; None where that is nothing, or cannot be read."""
    return _read().get(digest(facts), {}).get("value")


def remember(facts: Mapping[str, object], value: Any) -> None:
    """Keeps a value that JSON can hold. Where the folder cannot be written, it is not kept."""
    try:
        make_private(cache_folder())
        write_whole(
            cache_folder() / _FILE,
            json.dumps(_read() | {digest(facts): {"facts": dict(facts), "value": value}}, indent=2).encode(),
        )
    except OSError:
        return


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file in one step: others see the old one or the new one. Raises OSError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _read() -> dict[str, Any]:
    try:
        facts = json.loads((cache_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
