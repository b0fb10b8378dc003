# The generator as a package: `gen`, with the profiles in it.
{
  lib,
  python3Packages,
}:
python3Packages.buildPythonApplication {
  pname = "hostwright";
  version = lib.head (
    builtins.match ".*\n__version__ = \"([^\"]+)\"\n.*" (builtins.readFile ../generator/__init__.py)
  );
  pyproject = true;
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../LICENSE
      ../README.md
      ../generator
      ../modules
      ../profiles
      ../pyproject.toml
    ];
  };
  build-system = [ python3Packages.hatchling ];
  dependencies = [
    python3Packages.click
    python3Packages.jinja2
    python3Packages.psutil
    python3Packages.pydantic
    python3Packages.pyyaml
    python3Packages.tomli-w
  ];
  pythonImportsCheck = [ "generator" ];
  meta = {
    description = "One typed profile per inference host, checked configuration for Ollama";
    license = lib.licenses.mit;
    mainProgram = "gen";
    platforms = lib.platforms.unix;
  };
}
