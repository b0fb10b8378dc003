# A shell with what `make test` needs. Not in nixpkgs: pydantic-sarif; its test is skipped and says
# so. nvidia-ml-py is optional: without it `gen detect` asks nvidia-smi.
{
  docker-compose,
  mkShell,
  nix,
  nixfmt,
  python3,
}:
mkShell {
  packages = [
    docker-compose
    nix
    nixfmt
    (python3.withPackages (packages: [
      packages.click
      packages.gguf
      packages.hypothesis
      packages.jinja2
      packages.jsonschema
      packages.psutil
      packages.pydantic
      packages.pytest
      packages.pyyaml
      packages.tomli-w
      packages.tomlkit
    ]))
  ];
}
