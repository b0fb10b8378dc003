# A shell with what `make test` needs.
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
      packages.hypothesis
      packages.jinja2
      packages.jsonschema
      packages.psutil
      packages.pydantic
      packages.pytest
      packages.pyyaml
      packages.tomli-w
    ]))
  ];
}
