"""What livestyle is compared with: other people's networks, and the usual ways of running them.

The networks are written anew from what was published, with random weights, which do not change the time. How
well they paint is not compared.
"""
