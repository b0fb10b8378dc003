"""Containers that a cloud is asked for: how their files are recognised, what they call things."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.readers.signs import Signs
from generator.readers.terraform import ELSEWHERE

TASK: Final = "AWS::ECS::TaskDefinition"
APP: Final = "Microsoft.App/containerApps"
GROUP: Final = "Microsoft.ContainerInstance/containerGroups"
SIGNS: Final = Signs(
    maybe=frozenset({".json", ".yaml", ".yml", ".template"}),
    content=rf"\"containerDefinitions\"\s*:|(?m:^containerDefinitions:)|\b{TASK}\b"
    rf"|\bAWS::EC2::(?:Instance|LaunchTemplate)\b|\b(?:{APP}|{GROUP})\b",
)
CLOUD: Final = replace(ELSEWHERE, kind="cloud", read_by="whoever may read the task sees it")
