import logging
from pathlib import Path

import numpy as np
import pytest

from livestyle.errors import SourceError
from livestyle.sinks.picture import write_picture
from tests.pictures import scene
from train.photos import cache_photos, find_photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos in a folder and one below it, of several formats and sizes."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write_picture(tmp_path / "a.png", scene(80, 60))
    write_picture(tmp_path / "deep" / "b.jpg", scene(60, 80))
    write_picture(tmp_path / "deep" / "er" / "c.webp", scene(900, 700))
    return tmp_path


def test_photos_are_found_in_every_folder(folder: Path) -> None:
    (folder / "notes.txt").write_text("not a photo")
    assert [path.name for path in find_photos(folder)] == ["a.png", "b.jpg", "c.webp"]


def test_the_cache_holds_every_photo_at_a_small_size(folder: Path, tmp_path: Path) -> None:
    cache = cache_photos(find_photos(folder), folder=tmp_path / "cache")
    assert [cache[i].shape for i in range(len(cache))] == [(60, 80, 3), (80, 60, 3), (320, 411, 3)]
    error = cache[0].astype(float) - scene(80, 60)
    assert np.sqrt(np.mean(error**2)) < 12  # JPEG's coarse chroma on sharp edges; another photo is off by 60


def test_photos_are_decoded_once(folder: Path, tmp_path: Path) -> None:
    decoded: list[int] = []
    for _ in range(2):
        cache_photos(find_photos(folder), decoded.append, tmp_path / "cache")
    assert decoded == [1, 2, 3]


def test_a_changed_photo_is_decoded_anew(folder: Path, tmp_path: Path) -> None:
    before = cache_photos(find_photos(folder), folder=tmp_path / "cache")
    write_picture(folder / "a.png", scene(64, 64))
    after = cache_photos(find_photos(folder), folder=tmp_path / "cache")
    assert before.path != after.path
    assert after[0].shape == (64, 64, 3)


def test_broken_photos_are_counted_and_named(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no photo")
    cache = cache_photos(find_photos(folder), folder=tmp_path / "cache")
    assert len(cache) == 3
    assert cache.broken == ("empty.png", "text.jpg")
    assert "skipped 2 broken pictures: empty.png, text.jpg" in caplog.text


def test_a_folder_of_broken_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(SourceError, match="not one of 1 photos can be read"):
        cache_photos(find_photos(tmp_path), folder=tmp_path / "cache")
