"""What `gen explain` says: rules, variables, keys, limits, model options.

`lookup` finds what a name means, a function for each kind makes its Page, and `layout` fits a Page
into a terminal. Nothing here imports pydantic or prints.
"""
