from generator.view import Phrases

TOY = Phrases(kind="toy", of_unit=".*", assigns=True, read_by="a child reads it", keep_in="a box")
