"""What `gen explain` and the generated pages say: rules, variables, keys, limits, model options.

`lookup` finds what a name means, a module per kind makes its Page, `layout` fits a Page into a
terminal and `markdown` writes the committed pages. Nothing here imports pydantic or prints.
"""
