"""HW505: directories of the module of NixOS that nobody makes for a user of the moment."""

from pathlib import Path

import pytest

from tests.texts import messages

MODULE = (
    "{{ config, ... }}:\n{{\n  services.ollama = {{\n    enable = true;\n{own}  }};\n{more}}}\n"
)
SRV = '    models = "/srv/models";\n'
TMPFILES = "  systemd.tmpfiles.rules = [ {} ];\n"


def said(folder: Path, own: str, more: str = "", **files: str) -> list[str]:
    texts = {"configuration.nix": MODULE.format(own=own, more=more)}
    texts |= {name.replace("_", "."): text for name, text in files.items()}
    return messages(folder, texts, "HW505")


@pytest.mark.parametrize(
    ("own", "path"),
    [
        (SRV, "/srv/models"),
        ('    home = "/srv/llm";\n', "/srv/llm"),
        ('    home = "/srv/llm";\n    models = "/srv/llm/models";\n', "/srv/llm"),
        ('    home = "/var/lib/llm";\n', "/var/lib/llm"),
        ("    user = null;\n" + SRV, "/srv/models"),
        ("    # for /srv/models\n" + SRV, "/srv/models"),
    ],
)
def test_a_directory_outside_of_its_own_is_nobodys(own: str, path: str, tmp_path: Path) -> None:
    (message,) = said(tmp_path, own)
    assert f"`{path}` is no directory of the service" in message
    assert f'"d {path} 0750 ollama ollama -"' in message


@pytest.mark.parametrize(
    ("own", "more"),
    [
        ('    models = "/var/lib/ollama/big";\n', ""),
        ('    models = "/var/lib/private/ollama/big";\n', ""),
        ('    user = "ollama";\n' + SRV, ""),
        (SRV, TMPFILES.format('"d /srv/models 0777 root root -"')),
        (SRV, TMPFILES.format('"d ${config.services.ollama.models} 0777 root root -"')),
        (SRV, '  systemd.tmpfiles.settings.ai."/srv/models".d = { mode = "0777"; };\n'),
        (SRV, '  fileSystems."/srv/models" = { fsType = "exfat"; };\n'),
        ('    models = "/big/llm/models";\n', '  fileSystems."/big" = { fsType = "nfs"; };\n'),
        (SRV, '  users.users.ollama = { isSystemUser = true; group = "ollama"; };\n'),
        (SRV, "  users.users = { ollama = { isSystemUser = true; }; };\n"),
        (SRV, '  systemd.services.ollama.serviceConfig.SupplementaryGroups = [ "llm" ];\n'),
        (SRV, '  systemd.services.ollama.serviceConfig.User = "llm";\n'),
        ("    enable = false;\n" + SRV, ""),
        ("    models = config.my.models;\n", ""),
    ],
)
def test_who_says_more_of_it_may_have_made_it(own: str, more: str, tmp_path: Path) -> None:
    if "enable = false" in own:
        text = MODULE.format(own=own, more=more).replace("    enable = true;\n", "")
        assert messages(tmp_path, {"configuration.nix": text}, "HW505") == []
    else:
        assert said(tmp_path, own, more) == []


def test_a_module_beside_it_may_make_it(tmp_path: Path) -> None:
    beside = "{ ... }: { systemd.tmpfiles.rules = [ ''d /srv/models 0777 root root -'' ]; }\n"
    (tmp_path / "disks.nix").write_text(beside, encoding="utf-8")
    assert said(tmp_path, SRV) == []
    (tmp_path / "disks.nix").unlink()
    assert len(said(tmp_path, SRV)) == 1
