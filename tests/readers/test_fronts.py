"""Proxies wherever their settings stand: Traefik's files, Ingresses, modules of NixOS, includes."""

from pathlib import Path

import pytest

from generator.readers.proxies import MOST
from tests.texts import Text, checked

SERVER = "server {\n  listen 80;\n  location / { proxy_pass http://ollama:11434; %s }\n}\n"
QUIET = "proxy_buffering off; proxy_read_timeout 30m; client_max_body_size 64m;"


def told(folder: Path, files: Text) -> list[str]:
    """Return what is said, each by its file, line and rule."""
    found = checked(folder, files).findings
    return sorted(f"{Path(p.place.file).name}:{p.place.line} {p.finding.rule}" for p in found)


def traefik(more: str = "", middlewares: str = "", rule: str = "Host(`llm.example.com`)") -> str:
    used = f"      middlewares: [{middlewares}]\n" if middlewares else ""
    return (
        f'http:\n  routers:\n    llm:\n      rule: "{rule}"\n      service: llm\n{used}'
        "  services:\n    llm:\n      loadBalancer:\n        servers:\n"
        f'          - url: "http://10.0.0.1:11434"\n{more}'
    )


KNOWN = "  middlewares:\n    door:\n      %s\n"
TOML = """[http.routers.llm]
rule = "Host(`llm.example.com`)"
service = "llm"
[[http.services.llm.loadBalancer.servers]]
url = "http://127.0.0.1:11434"
"""


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"dyn.yml": traefik()}, ["dyn.yml:4 HW661"]),
        ({"dyn.yml": traefik(middlewares="sec-headers")}, ["dyn.yml:4 HW661"]),
        ({"dyn.yml": traefik(middlewares="authelia@docker")}, []),
        ({"dyn.yml": traefik(middlewares="mine")}, []),
        ({"dyn.yml": traefik(KNOWN % "basicAuth: {}", "door")}, []),
        ({"dyn.yml": traefik(KNOWN % "compress: {}", "door")}, ["dyn.yml:4 HW661"]),
        (
            {"dyn.yml": traefik(KNOWN % "buffering: {}", "door", rule="Host(`a.lan`)")},
            ["dyn.yml:14 HW224"],
        ),
        (
            {"dyn.yml": traefik("        healthCheck: {path: /healthz}\n", rule="Host(`a.lan`)")},
            ["dyn.yml:11 HW229"],
        ),
        ({"dyn.toml": TOML}, ["dyn.toml:2 HW225", "dyn.toml:2 HW661"]),
        ({"dyn.yml": traefik().replace("11434", "8080")}, []),
    ],
)
def test_a_file_of_traefik(files: Text, found: list[str], tmp_path: Path) -> None:
    assert told(tmp_path, files) == found


STATIC = """entryPoints:
  web:
    address: ":80"
    transport:
      respondingTimeouts: {readTimeout: 60s, writeTimeout: %s}
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (STATIC % "30s", ["traefik.yml:5 HW223"]),
        (STATIC % "0s", []),
        (STATIC % "2h", []),
        (STATIC % "30s" + "}", []),
    ],
)
def test_what_entry_points_give_an_answer_stands_beside(
    text: str, found: list[str], tmp_path: Path
) -> None:
    served = traefik(rule="Host(`a.lan`)")
    (tmp_path / "traefik.yml").write_text(text)
    assert told(tmp_path, {"dyn.yml": served}) == found


def labels(*more: str) -> Text:
    rules = "".join(f'      - "{one}"\n' for one in more)
    return {
        "compose.yaml": "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n"
        f"    restart: always\n    volumes: [o:/root/.ollama]\n    labels:\n{rules}"
        "volumes: {o: {}}\n"
    }


HTTP = "traefik.http.routers.o"
HOST = f"{HTTP}.rule=Host(`llm.example.com`)"


@pytest.mark.parametrize(
    ("files", "caught"),
    [
        (labels(HOST), True),
        (labels(HOST, f"{HTTP}.middlewares=cors-headers@file"), True),
        (labels(HOST, f"{HTTP}.middlewares=door"), False),
        (labels(HOST, f"{HTTP}.middlewares=d", "traefik.http.middlewares.d.compress=true"), True),
        (labels(HOST, f"{HTTP}.middlewares=d", "traefik.http.middlewares.d.basicauth.users=x"),
         False),
        (labels("traefik.tcp.routers.o.rule=HostSNI(`*`)"), True),
        (labels("traefik.tcp.routers.o.rule=HostSNI(`llm.lan`)"), False),
    ],
)  # fmt: skip
def test_labels_of_traefik(files: Text, caught: bool, tmp_path: Path) -> None:
    assert ("compose.yaml:7 HW661" in told(tmp_path, files)) is caught


def ingress(*notes: str, host: str = "llm.lan", name: str = "ollama") -> Text:
    own = "".join(f"    nginx.ingress.kubernetes.io/{note}\n" for note in notes)
    hosted = f"- host: {host}\n    http:" if host else "- http:"
    return {
        "ingress.yaml": "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: llm\n"
        f"  annotations:\n{own}spec:\n  ingressClassName: nginx\n  rules:\n  {hosted}\n"
        "      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n"
        f"          service: {{name: {name}, port: {{number: 80}}}}\n"
    }


SET = ('proxy-read-timeout: "1800"', 'proxy-body-size: "64m"')


@pytest.mark.parametrize(
    ("files", "rules"),
    [
        (ingress(*SET), set()),
        (ingress(SET[1]), {"HW223"}),
        (ingress("proxy-read-timeout: 30m", SET[1]), {"HW223"}),
        (ingress('proxy-read-timeout: "1800s"', SET[1]), {"HW223"}),
        (ingress(SET[0]), {"HW226"}),
        (ingress(*SET, 'proxy-buffering: "on"'), {"HW224"}),
        (ingress(*SET, "auth-type: basic"), {"HW578"}),
        (ingress(*SET, "auth-type: basic", "auth-secret: users"), set()),
        (ingress(*SET, host="llm.example.com"), {"HW661"}),
        (ingress(*SET, host=""), {"HW661"}),
        (ingress(*SET, "auth-url: http://a", host=""), set()),
        (ingress(name="open-webui"), set()),
    ],
)
def test_an_ingress_without_its_server(files: Text, rules: set[str], tmp_path: Path) -> None:
    assert {one.split(" ")[1] for one in told(tmp_path, files)} == rules


def test_an_ingress_of_a_program_with_the_name_of_the_server(tmp_path: Path) -> None:
    beside = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: ollama-api}\nspec: {ports: [{port: 80}]}"
        "\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ollama-api}\n"
        "spec: {template: {spec: {containers: [{name: a, image: me/ollama-api:1}]}}}\n"
    )
    files = ingress(host="llm.example.com", name="ollama-api")
    assert told(tmp_path / "a", files) != []
    assert told(tmp_path / "b", files | {"app.yaml": beside}) == []


def test_a_route_of_traefik_without_its_server(tmp_path: Path) -> None:
    text = (
        "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: o}\nspec:\n"
        "  routes:\n    - match: Host(`llm.example.com`)\n      kind: Rule\n"
        "      middlewares: [{name: %s}]\n      services: [{name: ollama, port: 11434}]\n"
    )
    assert told(tmp_path / "a", {"r.yaml": text % "headers"}) == ["r.yaml:6 HW661"]
    assert told(tmp_path / "b", {"r.yaml": text % "forward-auth"}) == []


def test_a_config_map_and_a_config_of_compose(tmp_path: Path) -> None:
    inner = "".join(f"    {line}\n" for line in (SERVER % "").splitlines())
    mapped = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: p}}\ndata:\n  a.conf: |\n{inner}"
    assert told(tmp_path / "a", {"c.yaml": mapped}) == [
        "c.yaml:8 HW223", "c.yaml:8 HW224", "c.yaml:8 HW226",
    ]  # fmt: skip
    inner = inner.replace("    ", "      ", 1).replace("\n    ", "\n      ")
    composed = (
        "services:\n  proxy:\n    image: nginx:1.29\n    configs:\n"
        "      - {source: site, target: /etc/nginx/conf.d/a.conf}\n"
        f"configs:\n  site:\n    content: |\n{inner}"
    )
    assert "compose.yaml:11 HW224" in told(tmp_path / "b", {"compose.yaml": composed})


def test_what_nginx_includes_is_put_in(tmp_path: Path) -> None:
    files = {
        "nginx.conf": "http {\n  proxy_buffering off;\n  client_max_body_size 64m;\n"
        "  include /etc/nginx/conf.d/*.conf;\n}\n",
        "conf.d/llm.conf": SERVER % "include times.inc;",
        "conf.d/times.inc": "proxy_read_timeout 20s;\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert told(tmp_path, {"nginx.conf": files["nginx.conf"]}) == ["times.inc:1 HW223"]


def test_a_file_that_includes_itself_comes_to_an_end(tmp_path: Path) -> None:
    text = f"include *.conf;\n{SERVER % QUIET}"
    (tmp_path / "b.conf").write_text("include a.conf;\n", encoding="utf-8")
    assert told(tmp_path, {"a.conf": text}) == []


SITES = """llm.example.com {
	reverse_proxy ollama:11434 {
		flush_interval 5s
	}
}
b.example.com {
	import key
	reverse_proxy ollama:11434
}
"""


def test_what_caddy_imports_is_put_in(tmp_path: Path) -> None:
    files = {
        "keys.caddy": "(key) {\n\tbasic_auth {\n\t\ta $2a$14$x\n\t}\n}\n",
        "sites/llm.caddy": SITES,
        "Caddyfile": "import keys.caddy\nimport sites/*\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert told(tmp_path, {"Caddyfile": files["Caddyfile"]}) == [
        "llm.caddy:1 HW661", "llm.caddy:3 HW224",
    ]  # fmt: skip


HEAD = "{ config, ... }:\n{\n  services.ollama.enable = true;\n"
PORT = "${toString config.services.ollama.port}"


def nginx(*location: str, host: str = "") -> str:
    own = "".join(f"      {line}\n" for line in location)
    return (
        f'{HEAD}  services.nginx.virtualHosts."llm.example.com" = {{\n    {host}\n'
        f'    locations."/" = {{\n      proxyPass = "http://127.0.0.1:{PORT}";\n{own}'
        "    };\n  };\n}\n"
    )


def caddy(*lines: str, more: str = "") -> str:
    own = "".join(f"    {line}\n" for line in lines)
    return (
        f"{HEAD}{more}  services.caddy.virtualHosts.\"llm.example.com\".extraConfig = ''\n"
        f"{own}  '';\n}}\n"
    )


TRAEFIK = f"""{HEAD}  services.traefik.dynamicConfigOptions.http = {{
    routers.llm = {{
      rule = "Host(`llm.example.com`)";
      service = "llm";
    }};
    services.llm.loadBalancer.servers = [
      {{ url = "http://10.0.0.4:11434"; }}
    ];
  }};
}}
"""
ASKS = 'basicAuthFile = "/run/keys";'
EXTRA = "extraConfig = ''\n        proxy_buffering off;\n        proxy_read_timeout 30m;\n      '';"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (nginx(host=ASKS), ["m.nix:7 HW223", "m.nix:7 HW224"]),
        (nginx(EXTRA, host=ASKS), []),
        (nginx(EXTRA), ["m.nix:7 HW661"]),
        (nginx(EXTRA, "recommendedProxySettings = true;", host=ASKS), ["m.nix:7 HW225"]),
        (caddy(f"reverse_proxy localhost:{PORT}"), ["m.nix:4 HW661", "m.nix:5 HW225"]),
        (caddy("basic_auth {", "  a x", "}", "reverse_proxy 10.0.0.4:11434"), []),
        (
            caddy(f"reverse_proxy localhost:{PORT}",
                  more='  services.ollama.host = "0.0.0.0";\n'),
            ["m.nix:4 HW401", "m.nix:5 HW661"],
        ),
        (
            TRAEFIK,
            ["m.nix:6 HW661"],
        ),
    ],
)  # fmt: skip
def test_proxies_of_nixos(text: str, found: list[str], tmp_path: Path) -> None:
    pytest.importorskip("tree_sitter_nix", reason="the options are read off the syntax tree")
    assert told(tmp_path, {"m.nix": text}) == found


def test_haproxy_of_nixos(tmp_path: Path) -> None:
    pytest.importorskip("tree_sitter_nix", reason="the options are read off the syntax tree")
    text = (
        "{\n  services.haproxy.config = ''\n    defaults\n      mode http\n"
        "      timeout server 50s\n    backend llm\n      server a 10.0.0.1:11434 check maxconn 4\n"
        "  '';\n}\n"
    )
    assert told(tmp_path, {"m.nix": text}) == ["m.nix:5 HW223"]


def test_a_fence_without_a_language(tmp_path: Path) -> None:
    text = f"# Before Ollama\n\nWrite this:\n\n```\n{SERVER % QUIET.replace('off', 'on')}```\n"
    assert told(tmp_path, {"guide.md": text}) == ["guide.md:8 HW224"]


def gateway(image: str) -> Text:
    return {
        "config.yaml": "model_list:\n- model_name: a\n  litellm_params: {model: ollama_chat/a}\n"
        "litellm_settings:\n  cache: true\n  cache_params: {type: redis-semantic, host: redis, "
        "semantic_cache_scope: end_user}\n",
        "compose.yaml": f"services:\n  redis:\n    restart: always\n    image: {image}\n",
    }


@pytest.mark.parametrize(
    ("image", "caught"),
    [
        ("redis:7-alpine", True),
        ("valkey/valkey:8", True),
        ("redis:8", False),
        ("redis/redis-stack-server:7.4.0-v0", False),
        ("postgres:17", False),
    ],
)
def test_a_redis_that_cannot_search(image: str, caught: bool, tmp_path: Path) -> None:
    files = gateway(image)
    (tmp_path / "compose.yaml").write_text(files.pop("compose.yaml"), encoding="utf-8")
    assert ("config.yaml:6 HW579" in told(tmp_path, files)) is caught


@pytest.mark.parametrize(
    ("name", "head", "each", "tail"),
    [
        (
            "nginx.conf",
            "server {\n",
            "location /a{} {{ proxy_pass http://ollama:11434; }}\n",
            "}\n",
        ),
        ("Caddyfile", "", "a{}.example.com {{\n  reverse_proxy ollama:11434\n}}\n", ""),
        ("haproxy.cfg", "", "backend a{}\n  server a ollama:11434\n", ""),
    ],
)
def test_of_many_ways_the_first_are_judged_and_the_rest_is_named(
    name: str, head: str, each: str, tail: str, tmp_path: Path
) -> None:
    for number, gaps in ((MOST, 0), (MOST + 1, 1)):
        report = checked(tmp_path, {name: head + "".join(map(each.format, range(number))) + tail})
        assert len(report.not_judged) == gaps
        assert report.findings
