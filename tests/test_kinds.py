"""docs/files.md says what really becomes of each kind of input."""

from pathlib import Path

import pytest

from tests.kinds import DOCUMENT, KINDS, Kind, row

ROWS = [kind for kinds in KINDS.values() for kind in kinds]


@pytest.mark.parametrize("kind", ROWS, ids=[f"{kind.name} to {kind.output}" for kind in ROWS])
def test_the_table_is_what_is_found(kind: Kind, tmp_path: Path) -> None:
    found = row(kind, tmp_path)
    assert found in DOCUMENT.read_text(encoding="utf-8").splitlines(), "run python -m tests.kinds"
