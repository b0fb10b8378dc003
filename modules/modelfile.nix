# A Modelfile. It has no escapes: a value is bare, `"…"` or `"""…"""`, and only quotes span lines.
{ lib }:
base: parameters:
let
  # What the parser takes for a command instead of a parameter.
  commands = [
    "adapter"
    "draft"
    "from"
    "license"
    "message"
    "model"
    "parameter"
    "parser"
    "renderer"
    "requires"
    "system"
    "template"
  ];
  matches = pattern: text: builtins.match pattern text != null;
  refuse = what: throw "hostwright.models: a Modelfile cannot carry ${what}.";

  value =
    name: text:
    let
      visible = lib.replaceStrings [ "\n" "\r" "\t" ] [ " " " " " " ] text;
      breaks = lib.hasInfix "\n" text || lib.hasInfix "\r" text;
    in
    if matches ".*[[:cntrl:]].*" visible || (breaks && lib.hasInfix "\"" text) then
      refuse "the value of `${name}`; remove control characters, and quotes from text of several lines"
    else if breaks then
      "\"${text}\""
    else if text == "" || lib.hasPrefix "\"" text || matches "[ \t].*|.*[ \t]" text then
      "\"\"\"${text}\"\"\""
    else
      text;

  line =
    parameter:
    let
      inherit (parameter) name;
    in
    if !matches "[A-Za-z0-9_]+" name || lib.elem (lib.toLower name) commands then
      refuse "a parameter `${name}`"
    else
      "PARAMETER ${name} ${value name parameter.value}\n";
in
"FROM ${value "name" base}\n" + lib.concatMapStrings line parameters
