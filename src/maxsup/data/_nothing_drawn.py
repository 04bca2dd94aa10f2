"""The error of a seed that changes nothing."""


class NothingDrawn(ValueError):
    """A seed is set for data of which nothing is drawn at random."""
