"""The only escaping and serialising of the program, one module per format.

`text` comments and numbers · `nix` · `unit` systemd · `yaml` · `modelfile` · `shell` ·
`data` JSON and TOML · `edit` a key of TOML that is there ·
`template` whole files around what the others wrote.

Importing a module of this package costs the standard library only: PyYAML, Jinja, tomli-w and
tomlkit are imported by the first call that needs them.
"""
