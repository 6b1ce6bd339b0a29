"""FFmpeg's filters."""

from fractions import Fraction

import av
import av.filter
from av.video.frame import VideoFrame

Shape = tuple[int, int, str]


def shape_of(frame: VideoFrame) -> Shape:
    """What frames of one graph have in common: width, height and format."""
    return frame.width, frame.height, frame.format.name


def filter_graph(frame: VideoFrame, *filters: tuple[str, dict[str, str]]) -> av.filter.Graph:
    """Filters in a row, each with its options, for frames of the shape of this one."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1),
    )
    nodes = [graph.add(name, **options) for name, options in filters]
    graph.link_nodes(source, *nodes, graph.add("buffersink"))
    graph.configure()
    return graph
