"""livestyle paints video as it happens: fast neural style transfer for files and cameras.

    from livestyle.engine import load_engine
    from livestyle.styles import StyleMix
    from livestyle.weights import load_weights

    engine = load_engine(load_weights("small"))
    painted = engine.stylize(image, StyleMix.parse("mosaic:0.7,great_wave:0.3"))

`livestyle.pipeline.run` does it to whole videos, from one of `livestyle.sources` to one of `livestyle.sinks`.
"""

__version__ = "0.1.0"
