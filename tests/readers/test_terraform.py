"""Terraform: what resources make of a server, as far as the text of their module tells."""

import sys
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.errors import ProfileError
from generator.readers.base import Context, NeedsMore, Source
from generator.readers.syntax import hcl
from generator.readers.terraform.read import read
from generator.view import View

IMAGE = 'image = "ollama/ollama:0.32.15"\n'


def views(text: str, beside: dict[str, str] | None = None) -> list[View]:
    files = beside or {}
    context = Context(load_catalogue(), read=files.get, listed=lambda _: ["main.tf", *files])
    return list(read([Source("main.tf", text)], context))


def one(text: str, beside: dict[str, str] | None = None) -> View:
    (view,) = views(text, beside)
    return view


def container(text: str) -> str:
    return f'resource "docker_container" "llm" {{\n{text}}}\n'


def env(view: View) -> dict[str, str]:
    return {v.name: v.value for v in view.variables if not v.unresolved}


CONTAINER = container(
    IMAGE
    + """\
  name       = "llm"
  env        = ["OLLAMA_DEBUG=1", "OLLAMA_MODELS=/m"]
  memory     = 8192
  cpus       = "4"
  gpus       = "all"
  restart    = "always"
  command    = ["serve"]
  ports {
    internal = 11434
    external = 11434
    ip       = "127.0.0.1"
  }
  volumes {
    volume_name    = docker_volume.m.name
    container_path = "/root/.ollama"
  }
  healthcheck { test = ["CMD", "ollama", "--version"] }
"""
)


def test_a_container_of_docker() -> None:
    view = one(CONTAINER)
    box = view.container
    assert box is not None
    assert [(v.name, v.value, v.place.line, v.written) for v in view.variables] == [
        ("OLLAMA_DEBUG", "1", 4, "1"),
        ("OLLAMA_MODELS", "/m", 4, "/m"),
    ]
    assert [(b.name, b.value) for b in view.bounds] == [
        ("cpu_quota", 400),
        ("memory_max", 8 * 2**30),
    ]
    assert [text for text, _ in box.ports] == ["127.0.0.1:11434:11434"]
    assert [text for text, _ in box.mounts] == ["docker_volume.m.name:/root/.ollama"]
    assert box.healthcheck is not None
    assert box.healthcheck[0] == ("CMD", "ollama", "--version")
    assert (box.restart, box.gpu_access, box.arguments[0][0]) == ("always", "reservation", "serve")
    assert (view.name, view.acceleration, view.not_judged) == ("llm", "cuda", ())


FAR = f"local.list.{'9' * 5000}"


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        ("docker_image.o.image_id", "ollama/ollama:0.30.0"),
        ("docker_image.o.name", "ollama/ollama:0.30.0"),
        ('"ollama/ollama:${var.tag}"', "ollama/ollama:0.30.0"),
        ('"ollama/ollama:${local.tag}"', "ollama/ollama:0.30.0"),
        ('"ollama/ollama:${local.all.tag}"', "ollama/ollama:0.30.0"),
        ('"${join("/", ["ollama", "ollama"])}:rocm"', "ollama/ollama:rocm"),
        ('var.gpu == "amd" ? "ollama/ollama:rocm" : "ollama/ollama"', "ollama/ollama:rocm"),
        ('"ollama/ollama:${var.untold}"', "ollama/ollama:${var.untold}"),
        (f'"ollama/ollama:${{{FAR}}}"', f"ollama/ollama:${{{FAR}}}"),
    ],
)
def test_names_are_followed_to_what_is_literal(image: str, seen: str) -> None:
    text = (
        'variable "tag" { default = "0.30.0" }\nvariable "untold" {}\n'
        'variable "gpu" { default = "amd" }\n'
        "locals {\n  tag = var.tag\n  all = { tag = local.tag }\n  list = [local.tag]\n}\n"
        'resource "docker_image" "o" { name = "ollama/ollama:${local.tag}" }\n'
    )
    box = one(text + container(f"  image = {image}\n")).container
    assert box is not None
    assert box.image == seen


@pytest.mark.parametrize(
    "told",
    [
        '["A=1", "B=2"]',
        '[for k, v in local.env : "${k}=${v}"]',
        'concat(["A=1"], ["B=${1 + 1}"])',
        "local.listed",
        'toset(["A=1", "B=2"])',
    ],
)
def test_variables_of_a_list_that_is_made(told: str) -> None:
    more = 'locals {\n  env = { A = 1, "B" = 2 }\n  listed = ["A=1", "B=2"]\n}\n'
    view = one(container(f"  {IMAGE}  env = {told}\n") + more)
    assert env(view) == {"A": "1", "B": "2"}
    assert view.not_judged == ()


@pytest.mark.parametrize(
    "told", ["var.env", "[for k, v in var.env : k]", "concat([], var.env)", "module.x.env"]
)
def test_what_is_not_literal_is_named(told: str) -> None:
    view = one(container(f"  {IMAGE}  env = {told}\n"))
    assert [(gap.part, gap.line, gap.variables) for gap in view.not_judged] == [("`env`", 3, True)]


def test_a_part_of_a_value_that_is_not_literal() -> None:
    view = one(container(f'  {IMAGE}  env = ["A=${{var.a}}", "B=2"]\n'))
    assert [(v.name, v.unresolved) for v in view.variables] == [("A", True), ("B", False)]


def test_files_of_values_win_over_defaults() -> None:
    text = f'variable "a" {{ default = "1" }}\n{container(f"{IMAGE}env = [var.a]")}'
    found = env(one(text, {"terraform.tfvars": 'a = "A=2"\n', "other.tfvars": 'a = "A=3"\n'}))
    assert found == {"A": "2"}
    assert env(one(container(f"{IMAGE}env = [local.a]"), {"l.tf": 'locals { a = "A=4" }'})) == {
        "A": "4"
    }


def test_a_name_that_needs_itself_has_no_value() -> None:
    text = f"locals {{\n  a = local.b\n  b = local.a\n}}\n{container(f'{IMAGE}env = [local.a]')}"
    assert [gap.part for gap in one(text).not_judged] == ["`env`"]


def test_what_is_not_made_is_not_judged() -> None:
    with_none = container(f"  count = 0\n  {IMAGE}")
    assert views(with_none) == []


DEPLOYMENT = """\
resource "kubernetes_config_map_v1" "c" {
  metadata { name = "settings-${var.stage}" }
  data = { OLLAMA_DEBUG = 1 }
}
resource "kubernetes_deployment_v1" "o" {
  metadata { name = "llm" }
  spec {
    selector { match_labels = { app = "llm" } }
    template {
      metadata { labels = { app = "llm" } }
      spec {
        container {
          name  = "llm"
          image = "ollama/ollama:0.32.15"
          dynamic "env" {
            for_each = { OLLAMA_KEEP_ALIVE = "1d" }
            content {
              name  = env.key
              value = env.value
            }
          }
          env_from {
            config_map_ref { name = kubernetes_config_map_v1.c.metadata[0].name }
          }
          resources { limits = { cpu = "2", memory = "8Gi", "nvidia.com/gpu" = 1 } }
          volume_mount {
            name       = "data"
            mount_path = "/root/.ollama"
          }
          readiness_probe {
            http_get {
              path = "/api/tags"
              port = 11434
            }
          }
        }
        volume {
          name = "data"
          persistent_volume_claim { claim_name = local.claim }
        }
      }
    }
  }
}
resource "kubernetes_persistent_volume_claim" "d" {
  metadata { name = "data" }
  spec { resources { requests = { storage = "5Gi" } } }
}
resource "kubernetes_service" "s" {
  metadata { name = "llm" }
  spec {
    selector = { app = "llm" }
    type     = "NodePort"
    port {
      port        = 80
      target_port = 11434
    }
  }
}
"""


def test_a_deployment_is_the_manifest_that_the_provider_makes() -> None:
    claim = "kubernetes_persistent_volume_claim.d.metadata.0.name"
    view = one(f"{DEPLOYMENT}locals {{ claim = {claim} }}\n")
    box = view.container
    assert box is not None
    assert env(view) == {"OLLAMA_DEBUG": "1", "OLLAMA_KEEP_ALIVE": "1d"}
    assert [v.place.line for v in view.variables] == [3, 16]
    assert {v.refused for v in view.variables} == {""}
    assert [(b.name, b.value) for b in view.bounds] == [
        ("cpu_quota", 200),
        ("memory_max", 8 * 2**30),
    ]
    assert [(text, place.line) for text, place in box.mounts] == [("data:/root/.ollama", 26)]
    assert [(v.size, v.place.line) for v in box.volumes] == [(5 * 2**30, 47)]
    assert [(line.value, line.place.line) for line in box.exposed] == [("NodePort", 53)]
    assert [path for path, _ in box.probes] == ["/api/tags"]
    assert (view.name, view.acceleration, view.not_judged) == ("llm", "cuda", ())


OBJECT = """\
{
    kind     = "Pod"
    metadata = { name = "a" }
    spec = { containers = [{ name = "o", image = "ollama/ollama",
      env = [{ name = "A", value = "b" }]
    }] }
  }
"""
WRITTEN = """\
<<-YAML
    kind: Pod
    metadata: {name: a}
    spec: {containers: [{name: o, image: ollama/ollama,
      env: [{name: A, value: b}]}]}
  YAML
"""


@pytest.mark.parametrize(
    ("resource", "line"),
    [
        (f'resource "kubernetes_manifest" "m" {{\n  manifest = {OBJECT}}}\n', 6),
        (f'resource "kubectl_manifest" "m" {{\n  yaml_body = {WRITTEN}}}\n', 6),
        (f'resource "kubernetes_manifest" "m" {{\n  manifest = yamldecode({WRITTEN})\n}}\n', 6),
    ],
)
def test_a_manifest_stands_there_as_an_object_or_as_text(resource: str, line: int) -> None:
    view = one(resource)
    assert [(v.name, v.value, v.place.line) for v in view.variables] == [("A", "b", line)]


CHART = """\
resource "helm_release" "o" {{
  chart      = "ollama"
  repository = "https://otwld.github.io/ollama-helm/"
{}}}
"""


ENCODED = '  values = [yamlencode({ extraEnv = [{ name = "A" }] })]\n'
OF_FILE = '  values = [file("${path.module}/v.yaml")]\n'


@pytest.mark.parametrize(
    ("told", "value", "line"),
    [
        (
            '  values = [yamlencode({\n    extraEnv = [{ name = "A", value = "b" }]\n  })]\n',
            "b",
            5,
        ),
        ("  values = [<<-EOT\n    extraEnv:\n      - {name: A, value: b}\n  EOT\n  ]\n", "b", 6),
        (f'{ENCODED}  set {{\n    name  = "extraEnv[0].value"\n    value = "c"\n  }}\n', "c", 7),
        (f'{OF_FILE}  set = [{{ name = "extraEnv[0].value", value = "d" }}]\n', "d", 5),
    ],
)
def test_a_release_of_a_chart(told: str, value: str, line: int) -> None:
    view = one(CHART.format(told), {"v.yaml": "extraEnv: [{name: A, value: b}]\n"})
    assert [(v.value, v.place.line) for v in view.variables] == [(value, line)]
    assert view.not_judged == ()


def test_values_that_are_not_literal_are_named() -> None:
    told = '  values = [var.v]\n  set {\n    name = "ollama.gpu.enabled"\n    value = true\n  }\n'
    view = one(CHART.format(told))
    assert [gap.part for gap in view.not_judged] == ["`values`"]
    assert view.acceleration == "cuda"


SERVES = "OLLAMA_DEBUG=1 ollama serve &"


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (f"user_data = <<-EOT\n    #!/bin/sh\n    {SERVES}\n  EOT\n", 4),
        (f"user_data = base64encode(<<EOT\n#cloud-config\nruncmd:\n  - {SERVES}\nEOT\n)\n", 5),
        (
            'metadata = {\n  startup-script = "#!/bin/sh\\nOLLAMA_DEBUG=1 ollama serve &"\n}\n',
            4,
        ),
        (f'provisioner "remote-exec" {{\n  inline = [\n    "id",\n    "{SERVES}",\n  ]\n}}\n', 5),
        ('user_data = file("${path.module}/up.sh")\n', 2),
    ],
)
def test_a_machine_is_given_a_script(told: str, line: int) -> None:
    up = "#!/bin/sh\nOLLAMA_DEBUG=1 ollama serve &\n"
    view = one(f'resource "aws_instance" "a" {{\n{told}}}\n', {"up.sh": up})
    assert [(v.name, v.value, v.place.line) for v in view.variables] == [
        ("OLLAMA_DEBUG", "1", line)
    ]


def test_what_terraform_fills_in_is_not_told() -> None:
    text = "user_data = <<EOT\n#!/bin/sh\nexport OLLAMA_DEBUG=${var.d} A=$${B}\nollama serve\nEOT\n"
    view = one(f'resource "aws_instance" "a" {{\n{text}}}\n')
    assert [v.unresolved for v in view.variables if v.name == "OLLAMA_DEBUG"] == [True]


def test_a_container_of_a_cloud_is_judged_in_part() -> None:
    text = """\
resource "google_cloud_run_v2_service" "o" {
  template {
    containers {
      image = "ollama/ollama:0.32.15"
      env {
        name  = "OLLAMA_DEBUG"
        value = 1
      }
      resources { limits = { memory = "8Gi" } }
    }
  }
}
"""
    view = one(text)
    assert env(view) == {"OLLAMA_DEBUG": "1"}
    assert [b.value for b in view.bounds] == [8 * 2**30]
    assert [gap.part for gap in view.not_judged] == ["what else its container has"]
    task = (
        'resource "aws_ecs_task_definition" "o" {\n  container_definitions = jsonencode([{\n'
        '    image = "ollama/ollama", environment = [{ name = "A", value = "b" }] }])\n}\n'
    )
    assert env(one(task)) == {"A": "b"}
    group = (
        'resource "azurerm_container_group" "o" {\n  container {\n    image = "ollama/ollama"\n'
        '    environment_variables = { A = "b" }\n  }\n}\n'
    )
    assert env(one(group)) == {"A": "b"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('module "o" {\n  source = "x"\n  image = "ollama/ollama"\n}\n', "stands elsewhere"),
        ('resource "x_y" "o" {\n  thing = ["ollama/ollama"]\n}\n', "not read here"),
        ('resource "kubectl_manifest" "m" {\n  yaml_body = f("ollama/ollama")\n}\n', "not literal"),
        (f'{container(IMAGE)}resource "a" {{ = }}\n', "is no HCL"),
    ],
)
def test_what_nobody_reads_is_named(text: str, reason: str) -> None:
    try:
        gaps = [gap.reason for view in views(text) for gap in view.not_judged]
    except NeedsMore as error:
        gaps = [problem.message for problem in error.problems]
    assert [gap for gap in gaps if reason in gap] != []


def test_a_client_is_no_part_that_is_not_judged() -> None:
    client = container('  image = "web:1"\n  env = ["OLLAMA_HOST=http://llm:11434"]\n')
    untold = container('  image = var.web\n  env = ["OLLAMA_BASE_URL=http://llm:11434"]\n')
    assert views(client) == []
    assert views(untold) == []
    with pytest.raises(NeedsMore):
        views(container('  image = var.web\n  env = ["OLLAMA_NUM_PARALLEL=2"]\n'))


@pytest.mark.parametrize("image", ["var.ollama_image", "docker_image.o.image_id", "var.x"])
def test_an_image_that_is_not_told_is_known_by_names_around_it(image: str) -> None:
    text = f'  name = "ollama"\n  image = {image}\n  env = ["A=b"]\n'
    view = one(container(text) + 'resource "docker_image" "o" { name = var.ollama_image }\n')
    assert view.container is not None
    assert view.container.digest  # Its tag is not told either.


def test_an_image_that_the_module_builds_has_no_tag_to_pin() -> None:
    image = 'resource "docker_image" "o" {\n  name = "ollama"\n  build { context = "." }\n}\n'
    view = one(image + container("  image = docker_image.o.image_id\n"))
    assert view.container is not None
    assert view.container.moving


def test_names_that_are_not_told_mean_the_same_everywhere() -> None:
    text = """\
resource "kubernetes_manifest" "m" {
  manifest = {
    kind = "Pod"
    metadata = { name = "a-${each.value}" }
    spec = {
      containers = [{
        name         = "o"
        image        = "ollama/ollama"
        volumeMounts = [{ name = "v-${each.value}", mountPath = "/root/.ollama" }]
      }]
      volumes = [{ name = "v-${each.value}", hostPath = { path = "/srv" } }]
    }
  }
}
"""
    box = one(text).container
    assert box is not None
    assert box.unbound == ()
    assert [mount for mount, _ in box.mounts] == ["v-${each.value}:/root/.ollama"]


def test_lists_of_a_chart_that_are_not_told_are_named() -> None:
    told = '  set_list {\n    name = "ollama.models.pull"\n    value = %s\n  }\n'
    assert [m.name for m in one(CHART.format(told % '["qwen3:8b"]')).models] == ["qwen3:8b"]
    (problem,) = _refused(CHART.format(told % "var.models"))
    assert problem.startswith("it is not literal")


def _refused(text: str) -> list[str]:
    with pytest.raises(NeedsMore) as caught:
        views(text)
    return [problem.message for problem in caught.value.problems]


def test_a_text_of_one_gap_is_that_value() -> None:
    told = '  values = ["${file("v.yaml")}"]\n'
    view = one(CHART.format(told), {"v.yaml": "extraEnv: [{name: A, value: b}]\n"})
    assert [v.place.file for v in view.variables] == ["v.yaml"]


def test_a_module_is_given_a_script() -> None:
    text = f'module "m" {{\n  user_data = <<EOT\n#!/bin/sh\n{SERVES}\nEOT\n}}\n'
    view = one(text)
    assert [(v.name, v.place.line) for v in view.variables] == [("OLLAMA_DEBUG", 4)]


def test_without_its_parser_nothing_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter_hcl", None)
    hcl.parser.cache_clear()
    (tmp_path / "main.tf").write_text(CONTAINER)
    report = check(CheckRequest(paths=[str(tmp_path)]))
    hcl.parser.cache_clear()
    assert [(gap.reason, gap.exit_code) for gap in report.not_judged] == [
        ("nothing here reads Terraform", 3)
    ]
    assert "hostwright[terraform]" in report.not_judged[0].hint


def test_what_is_larger_than_any_module_is_refused() -> None:
    text = container(IMAGE + "  a = " + "[" * 300 + "]" * 300 + "\n")
    with pytest.raises(ProfileError):
        views(text)


def test_files_of_a_directory_are_one_module(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(container("  image = var.image\n  env = local.env\n"))
    (tmp_path / "variables.tf").write_text('variable "image" { default = "ollama/ollama:0.5.0" }\n')
    (tmp_path / "locals.tofu").write_text('locals { env = ["OLLAMA_KEEP_ALIVE=1d"] }\n')
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.tf").write_text('locals { env = "nothing" }\n')
    report = check(CheckRequest(paths=[str(tmp_path)]))
    found = {(one.finding.rule, Path(one.place.file).name) for one in report.findings}
    assert ("HW109", "locals.tofu") in found
    assert report.not_judged == ()


PACKER = """\
source "qemu" "llm" {}
build {
  sources = ["source.qemu.llm"]
  provisioner "shell" {
    inline = [
      "curl -fsSL https://ollama.com/install.sh | sh",
      "echo '[Service]' | sudo tee /etc/systemd/system/ollama.service.d/a.conf",
      "echo %s | sudo tee -a /etc/systemd/system/ollama.service.d/a.conf",
      "sudo systemctl daemon-reload",
    ]
  }
}
"""


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Environment=OLLAMA_KEEP_ALIVE=1d", [(8, "HW109")]),
        ("Environment=OLLAMA_KEEP_ALIVE=24h", []),
    ],
)
def test_provisioners_of_packer(line: str, told: list[tuple[int, str]], tmp_path: Path) -> None:
    path = tmp_path / "llm.pkr.hcl"
    path.write_text(PACKER % line, encoding="utf-8")
    found = check(CheckRequest(paths=[str(tmp_path)])).findings
    assert [(one.place.line, one.finding.rule) for one in found] == told
