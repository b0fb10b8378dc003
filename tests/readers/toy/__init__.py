"""A kind of file that nobody has: lines of `set NAME VALUE`."""

from generator.readers.signs import Signs
from generator.view import Phrases

SIGNS = Signs(sure=frozenset({".toy"}))
TOY = Phrases(kind="toy", of_unit=".*", assigns=True, read_by="a child reads it", keep_in="a box")
