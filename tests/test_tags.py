"""Tags: what they say of the content comes along, and what has no place in the output is told."""

from pathlib import Path

import av
import pytest

from tests.commands import call
from tests.media import greys, make_sound, make_video
from tests.test_segments import paint

COMMENTARY = {"title": "Commentary", "language": "ger"}


def tagged(
    path: Path,
    tags: dict[str, str],
    video: dict[str, str] | None = None,
    sound: dict[str, str] | None = None,
    movflags: str = "",
) -> Path:
    """A clip with tags of its own, of its video, and of its sound where those are given."""
    plain = make_video(path.with_name("plain.mkv"), greys(5))
    voice = make_sound(path.with_name("plain.m4a"))
    flags = {"movflags": movflags} if movflags else {}
    with (
        av.open(str(plain)) as pictures,
        av.open(str(voice)) as words,
        av.open(str(path), "w", container_options=flags) as container,
    ):
        container.metadata.update(tags)
        sources = [(pictures.streams.video[0], video or {})]
        if sound is not None:
            sources.append((words.streams.audio[0], sound))
        tracks = [container.add_stream_from_template(source) for source, _ in sources]
        tracks[0].codec_context.framerate = 30
        for track, (_, own) in zip(tracks, sources, strict=True):
            track.metadata.update(own)
        for track, (source, _) in zip(tracks, sources, strict=True):
            for packet in source.container.demux(source):
                if packet.size:
                    packet.stream = track
                    container.mux(packet)
    return path


def paint_tags(made: Path, out: Path, *options: object) -> tuple[str, dict[str, str], list[dict[str, str]]]:
    """What livestyle says, and the tags of the output and of its streams, with small letters."""
    result = call("video", made, out, "--strength", 0, *options)
    assert result.exit_code == 0, result.output
    return result.stderr, *found(out)


def found(path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    with av.open(str(path)) as container:
        tags = [container.metadata, *(stream.metadata for stream in container.streams)]
    first, *others = [{name.lower(): value for name, value in own.items()} for own in tags]
    return first, others


def test_the_painted_track_keeps_what_describes_its_content(tmp_path: Path) -> None:
    old = {
        "BPS-eng": "1",
        "NUMBER_OF_FRAMES": "5",
        "alpha_mode": "1",
        "ENCODER": "x",
        "_STATISTICS_TAGS": "BPS",
    }
    made = tagged(tmp_path / "in.mkv", {}, {"title": "Main", "language": "ger", "SOURCE": "film"} | old)
    said, _, (video,) = paint_tags(made, tmp_path / "out.mkv")
    assert "tags of" not in said
    del video["duration"]
    assert video == {"title": "Main", "language": "ger", "source": "film"}


def test_what_is_made_in_segments_has_the_same_tags(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = tagged(tmp_path / "in.mkv", {"title": "T", "DIRECTOR": "Me"}, {"language": "ger"})
    paint(made)
    tags, (video,) = found(tmp_path / "out.mp4")
    assert (tags["title"], video["language"]) == ("T", "ger")
    assert f"tags of {made} have no place in mp4 files: DIRECTOR" in caplog.text


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("out.mp4", "DIRECTOR"),
        ("out.mov", "DIRECTOR"),
        ("out.avi", "DIRECTOR, language"),
        ("out.ts", "title, DIRECTOR"),
        ("out.gif", "title, DIRECTOR"),
        ("out.webp", "title, DIRECTOR"),
        ("out.webm", ""),
        ("out.mkv", ""),
    ],
)
def test_what_has_no_place_is_told_by_its_name(name: str, lost: str, tmp_path: Path) -> None:
    made = tagged(tmp_path / "in.mkv", {"title": "T", "DIRECTOR": "Me"}, sound={"language": "ger"})
    said, _, _ = paint_tags(made, tmp_path / name)
    told = [line for line in said.splitlines() if "have no place" in line]
    kind = {"ts": "mpegts"}.get(name[4:], name[4:])
    assert told == ([f"tags of {made} have no place in {kind} files: {lost}"] if lost else [])


def test_nothing_is_told_where_there_is_nothing_to_miss(tmp_path: Path) -> None:
    made = tagged(tmp_path / "in.mp4", {}, sound={})
    for name in ("out.avi", "out.ts", "out.mov", "out.gif"):
        assert "have no place" not in paint_tags(made, tmp_path / name)[0]


@pytest.mark.parametrize("kind", ["mp4", "mov"])
def test_the_title_of_a_track_is_kept_where_players_of_mp4_look_for_it(kind: str, tmp_path: Path) -> None:
    made = tagged(tmp_path / "in.mkv", {}, sound=COMMENTARY)
    said, _, (_, sound) = paint_tags(made, tmp_path / f"out.{kind}")
    assert not said
    assert (sound["name"], sound["handler_name"], sound["language"]) == ("Commentary", "Commentary", "ger")
    said, _, (_, sound) = paint_tags(tmp_path / f"out.{kind}", tmp_path / f"again.{kind}")
    assert sound["name"] == "Commentary"
    said, _, (_, sound) = paint_tags(tmp_path / f"again.{kind}", tmp_path / "out.mkv")
    assert (sound["title"], sound["language"]) == ("Commentary", "ger")


@pytest.mark.parametrize(
    ("language", "other"), [("deu", "ger"), ("ger", "ger"), ("fre", "fra"), ("eng", "eng")]
)
def test_quicktime_knows_languages_by_either_code(language: str, other: str, tmp_path: Path) -> None:
    made = tagged(tmp_path / "in.mkv", {}, sound={"language": language})
    said, _, (_, sound) = paint_tags(made, tmp_path / "out.mov")
    assert (said, sound["language"]) == ("", other)


PHONE = {
    "com.apple.quicktime.model": "iPhone 15",
    "com.apple.quicktime.location.ISO6709": "+48.1371+011.5754+519.000/",
    "com.apple.quicktime.creationdate": "2024-01-02T03:04:05+0100",
    "creation_time": "2024-01-02T02:04:05.000000Z",
}


@pytest.mark.parametrize(("name", "title"), [("out.mov", "A day"), ("out.mov", ""), ("out.mp4", "")])
def test_what_a_phone_writes_is_kept(name: str, title: str, tmp_path: Path) -> None:
    phone = PHONE | ({"title": title} if title else {})
    made = tagged(tmp_path / "in.mov", phone, movflags="+use_metadata_tags")
    said, tags, _ = paint_tags(made, tmp_path / name)
    assert not said
    assert {key.lower(): value for key, value in phone.items()}.items() <= tags.items()
    # which players look for beside such names
    assert tags.get("com.apple.quicktime.title", "") == title
    assert (tmp_path / name).read_bytes().index(b"moov") < 64  # still in front


def test_what_players_of_mp4_show_is_where_they_look_for_it(tmp_path: Path) -> None:
    """They look where FFmpeg writes nothing once it writes a phone's names."""
    made = tagged(
        tmp_path / "in.mov",
        PHONE | {"title": "A day", "genre": "Pop", "track": "3"},
        movflags="+use_metadata_tags",
    )
    said, tags, _ = paint_tags(made, tmp_path / "out.mp4")
    assert said.splitlines() == [f"tags of {made} have no place in mp4 files: com.apple.quicktime.model"]
    content = (tmp_path / "out.mp4").read_bytes()
    assert all(
        place in content for place in (b"mdirappl", b"\xa9nam", b"\xa9gen", b"trkn", b"\xa9day", b"loci")
    )
    assert (tags["title"], tags["genre"], tags["track"]) == ("A day", "Pop", "3")
    assert tags["date"] == PHONE["com.apple.quicktime.creationdate"]
    assert tags["location"].startswith("+48.1371+011.5754+519.0")


def test_what_ffmpeg_calls_itself_is_not_missed(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.avi", greys(5), codec="mpeg4")
    made.write_bytes(made.read_bytes().replace(b"Lavf", b"Lavg"))  # as of another version
    assert found(made)[0]["software"].startswith("Lavg")
    assert paint_tags(made, tmp_path / "out.mp4")[0] == ""


def test_what_made_the_content_is_kept(tmp_path: Path) -> None:
    made = tagged(tmp_path / "in.mkv", {"SOFTWARE": "A camera"})
    assert paint_tags(made, tmp_path / "out.mkv")[1]["software"] == "A camera"
    for kind in ("mp4", "avi"):  # where FFmpeg writes its own name
        said = paint_tags(made, tmp_path / f"out.{kind}")[0]
        assert said.splitlines() == [f"tags of {made} have no place in {kind} files: SOFTWARE"]


@pytest.mark.parametrize(
    ("usual", "apples", "expected", "told"),
    [
        ("+48.1371+011.5754/", "+48.1371+011.5754+519.000/", "+48.1371+011.5754+519.0", False),
        ("+48.1371+011.5754/", "+48.13714+011.57536/", "+48.1371+011.575", False),
        ("+48.1371+011.5754+519.000/", "+48.1371+011.5754/", "+48.1371+011.5754+519.0", False),
        ("+48.1371+011.5754/", "+52.5000+013.4000/", "+48.1371+011.5754/", True),
    ],
    ids=["height", "digits", "less", "another place"],
)
def test_the_more_exact_of_two_places_is_kept(
    usual: str, apples: str, expected: str, told: bool, tmp_path: Path
) -> None:
    place = "com.apple.quicktime.location.ISO6709"
    tags = {"title": "A day", "location": usual, place: apples}
    made = tagged(tmp_path / "in.mov", tags, movflags="+use_metadata_tags")
    said, tags, _ = paint_tags(made, tmp_path / "out.mp4")
    assert tags["location"].startswith(expected)
    assert [line.rpartition(" ")[2] for line in said.splitlines()] == ([place] if told else [])


@pytest.mark.parametrize("name", ["out.mov", "out.mp4", "out.mkv"])
def test_the_time_code_of_a_whole_is_kept_and_that_of_a_part_left_out(name: str, tmp_path: Path) -> None:
    made = tagged(tmp_path / "in.mov", {}, {"timecode": "01:00:00:00"})
    said, _, streams = paint_tags(made, tmp_path / name)
    assert (said, streams[0]["timecode"]) == ("", "01:00:00:00")
    said, _, streams = paint_tags(made, tmp_path / name, "--start", 0.1, "--overwrite")
    assert said.splitlines() == [f"the time code of {made} is left out"]
    assert "timecode" not in streams[0]
