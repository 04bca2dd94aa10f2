"""Measures that an inspection takes beside those of every finished training, a file each."""

from maxsup.evaluation import Measure

MEASURES: tuple[Measure, ...] = ()
