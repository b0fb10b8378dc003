"""Container engines, installs and what the system runs in."""

from __future__ import annotations

from tests.detect.machines import machine


def test_containers_and_installs() -> None:
    spark, xeon = machine("dgx-spark"), machine("xeon-cpu")
    (docker,) = spark.containers.engines
    assert (docker.version, docker.nvidia_runtime) == ("28.3.3", True)
    assert (spark.containers.toolkit, spark.containers.cdi) == (
        "1.18.0",
        ("/var/run/cdi/nvidia.yaml",),
    )
    assert (spark.ollama.kind, xeon.ollama.kind) == ("script", "nixos")
    assert machine("two-sockets").ollama.version == "0.32.15"
    assert (machine("mig-guest").system.hypervisor, xeon.system.hypervisor) == ("KVM", "")
    assert machine("small-container").system.container == "docker"
