# Takes secrets out of text: what a name that holds one is set to, and what stands in an address.
# `endings`, `parts` and `elsewhere` are words of names. `entries`: each line is one NAME=VALUE.

function has_end(name, words, each, count, at) {
  count = split(words, each, " ")
  for (at = 1; at <= count; at++)
    if (substr(name, length(name) - length(each[at])) == "_" each[at]) return 1
  return 0
}

function secret(name, each, count, at) {
  name = "_" toupper(name)
  gsub(/[-.]/, "_", name)
  if (has_end(name, elsewhere)) return 0
  if (has_end(name, endings)) return 1
  count = split(parts, each, " ")
  for (at = 1; at <= count; at++) if (index(name, each[at])) return 1
  return 0
}

# Return where a text in quotes ends that has begun before it.
function closing(text, quote, at, one) {
  for (at = 1; at <= length(text); at++) {
    one = substr(text, at, 1)
    if (one == "\\") at++
    else if (one == quote) return at
  }
  return length(text) + 1
}

# Return a text without the secrets that are assigned in it.
function without(text, done, before, name, head, first, quote, end) {
  done = ""
  while (match(text, /[A-Za-z_][A-Za-z0-9_.-]*["']?[ \t]*[=:][ \t]*/)) {
    before = substr(text, 1, RSTART - 1)
    head = substr(text, RSTART, RLENGTH)
    text = substr(text, RSTART + RLENGTH)
    name = head
    sub(/["']?[ \t]*[=:][ \t]*$/, "", name)
    done = done before head
    if (!secret(name)) continue
    first = substr(text, 1, 1)
    quote = substr(before, length(before), 1)
    if (first == "\"" || first == "'") {
      end = closing(substr(text, 2), first)
      done = done first "***"
      text = substr(text, end + 1)
    } else if ((quote == "\"" || quote == "'") && head !~ /["'][ \t]*[=:]/) {
      done = done "***"
      text = substr(text, closing(text, quote))
    } else if (head ~ /["'][ \t]*:/ || text ~ /^(null|true|false|[0-9.]+)?[],}]*$/) {
      continue
    } else {
      done = done "***"
      text = match(text, /[ \t]+["']?[A-Za-z_][A-Za-z0-9_.-]*=/) ? substr(text, RSTART) : ""
    }
  }
  return done text
}

# Return a text without the secrets that follow an option of a command.
function without_options(text, done, name, end) {
  done = ""
  while (match(text, /--[A-Za-z][A-Za-z0-9-]*[ \t]+[^- \t]/)) {
    name = substr(text, RSTART + 2, RLENGTH - 3)
    sub(/[ \t]+$/, "", name)
    done = done substr(text, 1, RSTART + RLENGTH - 2)
    text = substr(text, RSTART + RLENGTH - 1)
    if (!secret(name)) continue
    done = done "***"
    text = match(text, /[ \t]/) ? substr(text, RSTART) : ""
  }
  return done text
}

{
  gsub(/:\/\/[^\/@ \t"']*@/, "://***@")
  if (entries) {
    at = index($0, "=")
    if (next_is) { $0 = "***"; next_is = 0 }
    else if (at && secret(substr($0, 1, at - 1))) $0 = substr($0, 1, at) "***"
    else if ($0 ~ /^--[A-Za-z]/ && !at) next_is = secret(substr($0, 3))
  } else if ($0 ~ /^[ \t]*SetCredential(Encrypted)?=/) {
    sub(/:.*/, ":***")
  } else $0 = without_options(without($0))
  print
}
