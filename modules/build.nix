# A package with what `ollama.build` changes of its sources, and the library that it links.
{ lib, pkgs }:
build: package:
if build == null then
  package
else
  package.overrideAttrs (
    old:
    {
      postPatch =
        old.postPatch or ""
        + lib.concatMapStrings (
          edit:
          "substituteInPlace ${edit.file} --replace-fail ${lib.escapeShellArg edit.old} ${lib.escapeShellArg edit.new}\n"
        ) build.edits;
    }
    // lib.optionalAttrs (build.blas != "") {
      buildInputs = old.buildInputs or [ ] ++ [
        (pkgs.blas.override { blasProvider = pkgs.${build.blas}; })
      ];
      nativeBuildInputs = old.nativeBuildInputs or [ ] ++ [ pkgs.pkg-config ];
    }
  )
