# A rendered profile: every target in a folder of its name, written by the generator itself.
{
  gen,
  name,
  runCommand,
}:
runCommand "hostwright-${name}" { nativeBuildInputs = [ gen ]; } ''
  HOSTWRIGHT_NO_CACHE=1 gen --profile ${name} --target all --output "$out"
''
