from generator.readers.signs import Signs

SIGNS = Signs(sure=frozenset({".toy"}))
