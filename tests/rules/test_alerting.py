"""HW577: configurations of Alertmanager that it refuses."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, manager, sides, told

ROUTE = "route: {receiver: a}\n"


CASES: Cases = {
    "HW577": (
        (
            manager("  - {name: b}\n"),
            manager("  - {name: a}\n  - {name: a}\n"),
            manager("  - {name: a}\n", "route: {group_by: [x]}\n"),
            manager("  - {name: a}\n", "route: {receiver: a, matchers: [x=y]}\n"),
            manager("  - {name: a}\n", "route: {receiver: a, continue: true}\n"),
            manager("  - {name: a}\n", "route: {receiver: a, group_interval: 0s}\n"),
            manager("  - {name: a}\n", "route: {receiver: a, group_wait: 5 minutes}\n"),
            manager("  - {name: a}\n", "route: {receiver: a, group_by: [x, x]}\n"),
            manager("  - {name: a}\n", "route: {receiver: a, group_by: ['...', x]}\n"),
            manager("  - {name: a}\n",
                    "route: {receiver: a, routes: [{mute_time_intervals: [n]}]}\n"),
            manager("  - {name: a, slack_configs: [{channel: c}]}\n"),
            manager("  - {name: a, email_configs: [{to: a@b.c}]}\n"),
            manager("  - {name: a, discord_configs: [{title: t}]}\n"),
            manager("  - {name: a, telegram_configs: [{bot_token: t}]}\n"),
        ),
        (
            manager("  - {name: a, slack_configs: [{channel: c}]}\n",
                    f"global: {{slack_api_url: 'http://x'}}\n{ROUTE}"),
            manager("  - name: a\n"
                    "    email_configs: [{to: a@b.c, from: x@y.z, smarthost: 'm:25'}]\n"),
            manager("  - {name: a, pagerduty_configs: [{routing_key_file: /run/k}]}\n"
                    "  - {name: nobody}\n",
                    "route:\n  receiver: a\n"
                    "  routes: [{match: {x: y}, receiver: nobody, group_wait: 0s}]\n"),
            manager("  - {name: a, webhook_configs: [{url: 'http://h/'}]}\n"
                    "  - {name: b, email_configs: }\n"),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught
