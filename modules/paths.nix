# Paths, and what systemd-tmpfiles makes of them.
{ lib }:
let
  inherit (import ./lib.nix { inherit lib; }) percent;
in
rec {
  # tmpfiles.d(5) takes C's escapes in quotes, and expands `%`.
  word =
    path:
    if builtins.match "[A-Za-z0-9/._-]+" path == null then builtins.toJSON (percent path) else path;

  # A path without `//`, `.`, `..` and a slash at the end.
  normal =
    path:
    let
      step =
        done: part:
        if part == "" || part == "." then
          done
        else if part == ".." then
          lib.take (lib.length done - 1) done
        else
          done ++ [ part ];
    in
    "/${lib.concatStringsSep "/" (lib.foldl' step [ ] (lib.splitString "/" path))}";
  # Where a word of `BindPaths=` puts what it names.
  bound =
    word:
    let
      fields = lib.splitString ":" word;
      source = lib.head fields;
      named = lib.head (lib.drop 1 fields ++ [ "" ]);
    in
    normal (if named == "" then lib.replaceStrings [ "-/" ] [ "/" ] source else named);
  isBelow = root: lib.hasPrefix (if root == "/" then root else "${root}/");

  # Lines of tmpfiles.d(5) for directories of the server, and for what is above one in a directory
  # that is not root's, as `homes` are: systemd-tmpfiles would make it root's, and then not go
  # through it.
  directories =
    {
      homes,
      user,
      group,
    }:
    paths:
    let
      above =
        path:
        let
          up = dirOf path;
        in
        lib.optionals (up != "/") (above up) ++ [ path ];
      owner = "0750 ${user} ${if group == null then user else group}";
      ownerOf =
        path:
        let
          person = builtins.match "/home/([^/]+)/.+" path;
        in
        if lib.elem path paths || lib.any (root: isBelow root path) (paths ++ homes) then
          owner
        else if person != null then
          "0755 ${lib.head person} -"
        else
          null;
      made = lib.filter (path: ownerOf path != null) (lib.unique (lib.concatMap above paths));
    in
    map (path: "d ${word path} ${ownerOf path}") made;
}
