# Text for systemd.syntax(7) that systemd reads back as it was typed, or a refusal.
{ lib }:
let
  breaks = text: lib.hasInfix "\n" text || lib.hasInfix "\r" text;
  padded = text: builtins.match "[ \t].*|.*[ \t]" text != null;
  oneLine = lib.replaceStrings [ "\n" "\r" ] [ " " " " ];
  quoted =
    text:
    "\""
    +
      lib.replaceStrings
        [ "\\" "\"" "\n" "\r" "\t" "%" ]
        [ "\\\\" "\\\"" "\\n" "\\r" "\\t" "%%" ]
        text
    + "\"";
in
rec {
  # Most values expand `%`.
  verbatim = lib.replaceStrings [ "%" ] [ "%%" ];

  # `key=value` with a comment above it, which may be empty.
  entry =
    key: value: comment:
    let
      text = toString value;
    in
    if breaks text || padded text || lib.hasSuffix "\\" text then
      throw "hostwright: `${key}=` can hold neither a line break nor spaces around its value, nor end in a backslash."
    else
      {
        inherit comment;
        line = "${key}=${text}";
      };

  variable = name: value: entry "Environment" (quoted "${name}=${value}");

  comment = text: lib.optionalString (text != "") "# ${oneLine text}\n";

  # A file: comments, then `{ name, entries }` with those that have entries.
  file =
    header: sections:
    let
      written = entry: "${comment entry.comment}${entry.line}\n";
      section = { name, entries }: "\n[${name}]\n${lib.concatMapStrings written entries}";
    in
    lib.concatMapStrings comment header
    + lib.concatMapStrings section (lib.filter (section: section.entries != [ ]) sections);

  # A line of tmpfiles.d(5): a directory and its owner.
  directory =
    path: user: group:
    let
      isBare = text: builtins.match "[A-Za-z0-9_@+=:,./-]+" text != null;
      word = text: if isBare text then text else quoted text;
    in
    "d ${word path} 0750 ${word user} ${word group}";
}
