"""`gen migrate`: files of an earlier version, as this one writes them."""
