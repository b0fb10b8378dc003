# The generator as a package: `gen`, with the profiles in it.
{
  lib,
  python3Packages,
  runCommand,
  testers,
}:
let
  inherit (lib) fileset;
  homepage = "https://github.com/hostwright/hostwright";
  version = lib.head (
    builtins.match ".*\n__version__ = \"([^\"]+)\"\n.*" (builtins.readFile ../generator/__init__.py)
  );

  gen = python3Packages.buildPythonApplication {
    pname = "hostwright";
    inherit version;
    pyproject = true;
    src = fileset.toSource {
      root = ../.;
      fileset = fileset.unions [
        ../LICENSE
        ../README.md
        ../docs/schemas
        ../generator
        ../man
        ../modules
        ../profiles
        ../pyproject.toml
        # Of the tests what asks for no other program; `nix flake check` runs them all.
        ../tests/__init__.py
        ../tests/catalogue
        ../tests/conftest.py
        ../tests/facts.py
        ../tests/formats
        ../tests/hostile.py
        ../tests/plans.py
        ../tests/profiles
        ../tests/test_codec.py
        ../tests/test_resolve.py
        ../tests/test_units.py
        ../tests/tools.py
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
      python3Packages.tomlkit
    ];
    nativeCheckInputs = [
      python3Packages.hypothesis
      python3Packages.jsonschema
      python3Packages.pytestCheckHook
    ];
    # What the libraries of this nixpkgs warn of is no fault here.
    preCheck = ''
      export HOME=$TMPDIR HOSTWRIGHT_NO_CACHE=1 PYTEST_ADDOPTS=-Wdefault
    '';
    pythonImportsCheck = [ "generator" ];
    passthru.tests = {
      version = testers.testVersion { package = gen; };
      render = runCommand "hostwright-render" { nativeBuildInputs = [ gen ]; } ''
        HOSTWRIGHT_NO_CACHE=1 gen --profile xeon-cpu > "$out"
      '';
    };
    meta = {
      description = "One typed profile per inference host, checked configuration for Ollama";
      inherit homepage;
      changelog = "${homepage}/blob/main/CHANGELOG.md";
      license = lib.licenses.mit;
      mainProgram = "gen";
      maintainers = [
        {
          name = "Hostwright maintainers";
          github = "hostwright";
        }
      ];
      platforms = lib.platforms.unix;
    };
  };
in
gen
