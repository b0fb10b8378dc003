"""HW689: policies of a cluster that bar pulls of a server, or its clients."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, pod, sides

PULLS = (
    'lifecycle: {postStart: {exec: {command: [sh, -c, "sleep 9; ollama pull qwen3:8b"]}}}',
    "ports: [{containerPort: 11434}]",
)
SERVICE = (
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: ollama}\n"
    "spec: {selector: {app: ollama}, ports: [{port: 11434}]}\n"
)


def policy(spec: str, selector: str = "{matchLabels: {app: ollama}}", name: str = "p") -> str:
    return (
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: {name}}}\nspec: {{podSelector: {selector}, {spec}}}\n"
    )


def cluster(*policies: str, lines: tuple[str, ...] = PULLS) -> Text:
    return pod(*lines, more=SERVICE + "".join(policies))


WEB = "from: [{podSelector: {matchLabels: {app: web}}}]"
BOTH = f"policyTypes: [Ingress, Egress], ingress: [{{{WEB}}}]"
DNS = "policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}, {port: 53}]}]"
HTTPS = "policyTypes: [Egress], egress: [{ports: [{port: 443}]}]"
ANYWHERE = "{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}"
WRONG = f"policyTypes: [Ingress], ingress: [{{{WEB}, ports: [{{port: 8080}}]}}]"

# rule: (caught, left alone)
CASES: Cases = {
    "HW689": (
        (
            cluster(policy(BOTH)),
            cluster(policy(DNS)),
            cluster(policy("policyTypes: [Egress], egress: []")),
            cluster(policy("policyTypes: [Egress]", "{}")),
            cluster(policy(WRONG)),
            cluster(policy("policyTypes: [Ingress]")),
        ),
        (
            cluster(),
            cluster(policy(f"policyTypes: [Ingress], ingress: [{{{WEB}}}]")),
            cluster(policy(f"ingress: [{{{WEB}, ports: [{{port: 11434}}]}}]")),
            cluster(policy(f"ingress: [{{{WEB}, ports: [{{port: http}}]}}]")),
            cluster(policy(f"ingress: [{{{WEB}, ports: [{{port: 11000, endPort: 12000}}]}}]")),
            cluster(policy(HTTPS)),
            cluster(policy(DNS), policy(HTTPS, name="q")),
            cluster(policy("policyTypes: [Egress], egress: [{}]")),
            cluster(
                policy("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]")
            ),
            cluster(policy(DNS, "{matchLabels: {app: web}}")),
            cluster(policy(DNS, "{matchExpressions: [{key: app, operator: Exists}]}")),
            cluster(policy(DNS), lines=("ports: [{containerPort: 11434}]",)),
            cluster(
                policy(DNS),
                lines=(*PULLS, "env: [{name: HTTPS_PROXY, value: 'http://proxy:3128'}]"),
            ),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert bool(messages(tmp_path, files, rule)) is caught


def test_what_is_barred_is_said(tmp_path: Path) -> None:
    (pulls,) = messages(tmp_path, cluster(policy(BOTH)), "HW689")
    assert "models cannot be pulled; allow it, beside DNS" in pulls
    (clients,) = messages(tmp_path, cluster(policy(WRONG)), "HW689")
    assert clients.endswith("allow that port, `ports: [{port: 11434}]`, from the pods that ask")
