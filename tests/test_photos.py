import errno
import logging
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from livestyle.errors import SinkError, SourceError
from livestyle.sinks.picture import write_picture
from livestyle.sources.picture import read_picture
from tests.pictures import scene
from train.judge import photos_of
from train.photos import cache_photos, find_photos, held_out, read_photo
from train.samples import write_samples


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


@pytest.mark.parametrize("suffix", [".avif", ".jp2", ".gif", ".jpe", ".jfif", ".JPEG", ".ppm"])
def test_photos_of_other_suffixes_are_found_and_read(suffix: str, tmp_path: Path) -> None:
    write_picture(tmp_path / "photo.jpg", scene(80, 60))
    path = (tmp_path / "photo.jpg").rename(tmp_path / f"photo{suffix}")
    assert find_photos(tmp_path) == [path]
    assert read_photo(path) is not None


def test_photos_are_found_behind_links_to_folders_once(folder: Path, tmp_path: Path) -> None:
    photos = tmp_path / "links"
    photos.mkdir()
    (photos / "album").symlink_to(folder / "deep")
    (photos / "again").symlink_to(folder / "deep")
    (folder / "deep" / "round").symlink_to(photos)
    found = [path.relative_to(photos).as_posix() for path in find_photos(photos)]
    assert found == ["again/b.jpg", "again/er/c.webp"]


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


def test_two_processes_may_decode_the_same_photos_at_once(folder: Path, tmp_path: Path) -> None:
    paths, other = find_photos(folder), []

    def meanwhile(number: int) -> None:
        if number == 2:
            other.append(cache_photos(paths, folder=tmp_path / "cache"))

    assert [cache_photos(paths, meanwhile, tmp_path / "cache")] == other
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".jpegs", ".json"]


def test_a_cache_that_was_begun_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache_photos(find_photos(folder), stop, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


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
    (folder / "deep" / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no photo")
    cache = cache_photos(find_photos(folder), folder=tmp_path / "cache")
    assert len(cache) == 3
    assert cache.broken == ("deep/empty.png", "text.jpg")
    assert caplog.messages == ["skipped 2 broken pictures: deep/empty.png, text.jpg"]
    for number in range(5):
        (folder / "deep" / f"{number}.png").touch()
    cache_photos(find_photos(folder), folder=tmp_path / "cache")
    first = ", ".join(f"deep/{number}.png" for number in range(5))
    assert caplog.messages[1:] == [f"skipped 7 broken pictures: {first} and 2 more"]


def test_a_folder_of_broken_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(SourceError, match="not one of 1 photos can be read"):
        cache_photos(find_photos(tmp_path), folder=tmp_path / "cache")


def unreadable(folder: Path, name: str) -> Path:
    """A picture that nothing can be painted from."""
    path = folder / name
    if name == "thin.png":
        write_picture(path, scene(1, 80))
    elif name == "small.png":
        write_picture(path, scene(80, 31))
    elif name == "vast.png":  # only its header: 60000x60000 pixels, more than OpenCV takes
        header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
        path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\r" + header + struct.pack(">I", zlib.crc32(header)))
    else:
        path.write_text("no photo")
    return path


@pytest.mark.parametrize("name", ["thin.png", "small.png", "vast.png", "text.jpg"])
def test_what_cannot_be_painted_stops_neither_training_nor_samples(
    name: str, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = unreadable(folder, name)
    assert read_photo(bad) is None
    cache = cache_photos(find_photos(folder), folder=tmp_path / "cache")
    assert cache.broken == (name,)
    assert f"skipped 1 broken pictures: {name}" in caplog.text
    assert len(photos_of([bad, folder / "a.png"], 64)) == 1
    with pytest.raises(SourceError, match=f"not one of the 1 photos that judge can be read: .*{name}"):
        photos_of([bad], 64)
    write_samples(tmp_path / "samples" / "1.png", lambda x, _: x, [bad], ["one"])
    assert not (tmp_path / "samples").exists()
    write_samples(tmp_path / "samples" / "1.png", lambda x, _: x, [bad, folder / "a.png"], ["one"])
    assert (tmp_path / "samples" / "1.png").is_file()


def test_a_narrow_photo_cuts_no_other_in_the_samples(tmp_path: Path) -> None:
    wide, narrow = scene(200, 90), scene(40, 120)
    for name, image in (("narrow", narrow), ("wide", wide)):
        write_picture(tmp_path / f"{name}.png", image)
    photos = [tmp_path / "narrow.png", tmp_path / "wide.png"]
    write_samples(tmp_path / "grid.png", lambda x, style: 1 - x if style else x, photos, ["one", "two"])
    grid = read_picture(tmp_path / "grid.png")
    assert grid.shape == (120 + 90, 3 * 200, 3)
    assert np.array_equal(grid[120:], np.concatenate([wide, wide, 255 - wide], axis=1))
    assert np.array_equal(grid[:120, 400:440], 255 - narrow)
    assert grid[:120, 40:200].min() == 255


def test_samples_that_cannot_be_kept_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("in the way")
    with pytest.raises(SinkError, match="cannot make the folder"):
        write_samples(folder / "file" / "1.png", lambda x, _: x, [folder / "a.png"], ["one"])

    def fill(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(SinkError, match=r"cannot write .*1\.png: no space left on device"):
        write_samples(folder / "samples" / "1.png", lambda x, _: x, [folder / "a.png"], ["one"])
    assert list((folder / "samples").iterdir()) == []


def test_a_dangling_link_and_a_folder_are_no_photos(folder: Path) -> None:
    (folder / "gone.jpg").symlink_to(folder / "nothing.jpg")
    (folder / "album.jpg").mkdir()
    assert [path.name for path in find_photos(folder)] == ["a.png", "b.jpg", "c.webp"]


def test_hidden_colours_of_transparent_pixels_are_not_seen(tmp_path: Path) -> None:
    rgba = np.full((40, 40, 4), (255, 0, 255, 0), np.uint8)
    Pillow.fromarray(rgba).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    assert photo is not None
    assert photo.max() == 0


@pytest.mark.parametrize("content", ["", '{"ends": [1', "[]", '{"ends": [3], "broken": []}'])
def test_a_broken_cache_is_made_anew(content: str, folder: Path, tmp_path: Path) -> None:
    whole = cache_photos(find_photos(folder), folder=tmp_path / "cache")
    (index,) = (tmp_path / "cache").glob("*.json")
    index.write_text(content)
    assert cache_photos(find_photos(folder), folder=tmp_path / "cache") == whole
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_cache_that_cannot_be_made_is_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(SinkError, match=r"cannot keep photos in .*cache: .*XDG_CACHE_HOME"):
        cache_photos(find_photos(folder), folder=tmp_path / "cache")


def test_many_photos_are_divided_at_once() -> None:
    trained, judged = held_out([Path(f"{number}.jpg") for number in range(200_000)])
    assert (len(trained), len(judged)) == (196_000, 4_000)
