"""Ways of running the network.

Each module has `load(weights) -> Engine`; `livestyle.engine` reaches it by name.
"""
