"""Plans, as `gen plan` prints them, and what profiles call things: it is they that are mended."""

from typing import Final

from generator.view import Phrases

PROFILE: Final = Phrases(
    kind="profile",
    keyed=True,
    read_by="every output has it, and on NixOS the Nix store, which every user reads",
    keep_in="a file of mode 0600 on the host that `EnvironmentFile=` names",
    of_unit=".*",
    memlock='add `limit_memlock = "infinity"` to [resources]',
)
