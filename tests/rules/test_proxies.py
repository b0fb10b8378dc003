"""HW223 to HW229, HW572, HW629, HW644, HW645, HW661, HW681: proxies, each in its words."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, checked, messages, sides, told

GOOD = """
defaults
  mode http
  timeout connect 5s
  timeout client 30m
  timeout server 30m
  timeout queue 10m
frontend f
  bind 127.0.0.1:8080
  default_backend ollama
"""
CHECK = "  option httpchk\n  http-check send meth GET uri /api/version\n"
SERVERS = "  server a 10.0.0.1:11434 check maxconn 4\n  server b 10.0.0.2:11434 check maxconn 4\n"


def haproxy(backend: str = CHECK + SERVERS, head: str = GOOD) -> Text:
    return {"haproxy.cfg": f"{head}backend ollama\n{backend}"}


def nginx(
    *lines: str, passes: str = "http://127.0.0.1:11434", server: str = "", listen: str = "80"
) -> Text:
    own = "".join(f"    {line}\n" for line in lines)
    return {
        "nginx.conf": f"http {{\n  server {{\n    listen {listen};\n{server}"
        f"    location / {{\n      proxy_pass {passes};\n{own}    }}\n  }}\n}}\n"
    }


QUIET = ("proxy_buffering off;", "proxy_read_timeout 30m;", "client_max_body_size 64m;")
PUBLIC = "    server_name llm.example.com;\n"


def caddy(*lines: str, site: str = ":8080", to: str = "127.0.0.1:11434", block: str = "") -> Text:
    own = "".join(f"\t\t{line}\n" for line in lines)
    return {"Caddyfile": f"{site} {{\n{block}\treverse_proxy {to} {{\n{own}\t}}\n}}\n"}


ASKS = "\tbasic_auth {\n\t\tme $2a$14$x\n\t}\n"

POOL = (
    "upstream llm {\n  %s\n  server 10.0.0.1:11434;\n  server 10.0.0.2:11434;\n}\n"
    "server {\n  location / { proxy_pass http://llm; }\n}\n"
)
SITES = GOOD.replace(
    "  default_backend ollama\n",
    "  acl app hdr(host) -i app.example.com\n  use_backend %s if app\n"
    "  acl llm hdr(host) -i llm.lan\n  use_backend ollama if llm\n  # %s\n",
)
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: o\n"
    "  annotations: {nginx.ingress.kubernetes.io/auth-type: basic%s}\nspec:\n  rules:\n"
    "  - http: {paths: [{backend: {service: {name: ollama, port: {number: 11434}}}}]}\n"
)
SHUFFLED = {
    "l.yaml": "model_list:\n- model_name: a\n  litellm_params: {model: ollama_chat/a, api_base: "
    "'http://a:11434'}\n- model_name: a\n  litellm_params: {model: ollama_chat/a, api_base: "
    "'http://b:11434'}\n"
}

# rule: (caught, left alone)
ASKED = (
    "model_list:\n- model_name: a\n"
    "  litellm_params: {{model: ollama_chat/qwen3:8b, api_base: '{}'}}\n"
)
CASES: Cases = {
    "HW223": (
        (
            haproxy(head=GOOD.replace("server 30m", "server 50000")),
            haproxy(f"  timeout server 60s\n{SERVERS}"),
            nginx("proxy_buffering off;"),
            nginx("proxy_buffering off;", "proxy_read_timeout 90;"),
            nginx(*QUIET[:1], "proxy_read_timeout 1m 30s;"),
            nginx("set $up http://ollama:11434;", passes="$up"),
            caddy("transport http {", "\tread_timeout 30s", "}"),
            {"proxy.yaml": "model_list:\n- model_name: a\n  litellm_params: {model: ollama_chat/a, "
             "timeout: 60}\n"},
        ),
        (
            haproxy(),
            haproxy(head=GOOD.replace("server 30m", "server 300s")),
            nginx(*QUIET),
            nginx(*QUIET[:1], "proxy_read_timeout $wait;"),
            nginx("proxy_buffering off;", passes="http://app:8080"),
            caddy(),
            {"nginx.conf": "server {\n location /api/tags {\n  proxy_pass http://ollama;\n }\n}\n"},
        ),
    ),
    "HW224": (
        (
            nginx("proxy_read_timeout 30m;"),
            nginx("proxy_read_timeout 30m;", "proxy_buffering on;"),
            caddy("flush_interval 5s"),
        ),
        (
            nginx(*QUIET),
            nginx(server="    proxy_buffering off;\n"),
            caddy(),
            caddy("flush_interval -1"),
            {"nginx.conf": "server {\n location /api/embed {\n proxy_pass http://ollama;\n }\n}\n"},
        ),
    ),
    "HW225": (
        (
            nginx(*QUIET, "proxy_set_header Host $host;", server=PUBLIC),
            nginx(*QUIET, "proxy_set_header Host llm.example.com;"),
            caddy(site="llm.example.com"),
            haproxy("  server a 127.0.0.1:11434\n",
                    GOOD.replace("  default_backend", "  use_backend ollama if { hdr(host) -i "
                                 "llm.example.com }\n  default_backend")),
        ),
        (
            nginx(*QUIET, server=PUBLIC),
            nginx(*QUIET, "proxy_set_header Host localhost;", server=PUBLIC),
            nginx(*QUIET, "proxy_set_header Host $host;", server=PUBLIC, passes="http://ollama"),
            nginx(*QUIET, "proxy_set_header Host $host;", server="    server_name llm.local;\n"),
            caddy(site="llm.home.internal"),
            caddy("header_up Host localhost", site="llm.example.com"),
            caddy(site="llm.example.com", to="ollama:11434"),
        ),
    ),
    "HW226": (
        (nginx(*QUIET[:2]), nginx(*QUIET[:2], "client_max_body_size 2m;"),
         caddy(block="\trequest_body {\n\t\tmax_size 1MB\n\t}\n")),
        (nginx(*QUIET), nginx(*QUIET[:2], "client_max_body_size 0;"), caddy()),
    ),
    "HW227": (
        (haproxy(SERVERS.replace(" maxconn 4", "")),
         haproxy("  server a 127.0.0.1:11434 check\n")),
        (haproxy(), haproxy(f"  default-server maxconn 4\n{SERVERS.replace(' maxconn 4', '')}"),
         haproxy(f"{SERVERS}backend asides\n  server c 10.0.0.1:11434 check\n"),
         {"haproxy.cfg": f"{GOOD}backend app\n  server a 10.0.0.1:8080\n"}),
    ),
    "HW228": (
        (haproxy(head=GOOD.replace("  timeout queue 10m\n", "")),
         haproxy(head=GOOD.replace("queue 10m", "queue 5s"))),
        (haproxy(), haproxy("  server a 10.0.0.1:11434\n",
                            GOOD.replace("  timeout queue 10m\n", ""))),
    ),
    "HW229": (
        (haproxy(f"  option httpchk\n{SERVERS}"), haproxy(f"  option httpchk /\n{SERVERS}"),
         haproxy(f"  option httpchk GET /health\n{SERVERS}"),
         haproxy(f"  option httpchk POST /api/generate\n{SERVERS}"),
         caddy("health_uri /healthz")),
        (haproxy(), haproxy(f"  option httpchk GET /\n{SERVERS}"),
         haproxy(f"  option httpchk HEAD /api/tags\n{SERVERS}"), haproxy(SERVERS),
         haproxy("  option httpchk GET /health\n  server a 10.0.0.1:11434 maxconn 4\n"),
         caddy("health_uri /api/version")),
    ),
    "HW572": (
        (caddy("health_uri /api/version", to="a:11434 b:11434"),
         caddy("lb_policy round_robin", to="a:11434 b:11434"), nginx(*QUIET, passes="http://llm")
         | {"nginx.conf": POOL % ""}, SHUFFLED, {"l.yaml": f"{SHUFFLED['l.yaml']}"
         "router_settings: {routing_strategy: simple-shuffle}\n"}),
        (caddy("lb_policy least_conn", to="a:11434 b:11434"), caddy(to="a:11434"),
         caddy("lb_policy first", to="a:11434 b:11434"), {"nginx.conf": POOL % "least_conn;"},
         {"nginx.conf": POOL.replace("2:11434", "2:11434 backup") % ""},
         {"l.yaml": f"{SHUFFLED['l.yaml']}router_settings: {{routing_strategy: least-busy}}\n"}),
    ),
    "HW629": (
        ({"Caddyfile": ":8080 {\n\treverse_proxy /llm/* 127.0.0.1:11434\n}\n"},),
        ({"Caddyfile": ":8080 {\n\treverse_proxy /api/* 127.0.0.1:11434\n}\n"},),
    ),
    "HW578": (
        ({"i.yaml": INGRESS % ""},),
        ({"i.yaml": INGRESS % ", nginx.ingress.kubernetes.io/auth-secret: users"},),
    ),
    "HW644": (
        (haproxy(head=GOOD.replace("  default_backend",
                 "  use_backend big if { req.body -m sub qwen3 }\n  default_backend")),
         haproxy(f"  option http-buffer-request\n{SERVERS}")),
        (haproxy(), haproxy(head=GOOD.replace("  default_backend", "  option http-buffer-request\n"
                 "  use_backend big if { req.body -m sub qwen3 }\n  default_backend"))),
    ),
    "HW645": (
        (haproxy(SERVERS.replace(" check", "")), caddy(to="a:11434 b:11434")),
        (haproxy(), haproxy("  server a 10.0.0.1:11434 maxconn 4\n"), caddy(),
         caddy("health_uri /", to="a:11434 b:11434")),
    ),
    "HW661": (
        (
            nginx(*QUIET, server=PUBLIC),
            caddy("header_up Host localhost", site="llm.example.com"),
            {"Caddyfile": "llm.example.com\nreverse_proxy ollama:11434\n"},
            haproxy(head=SITES % ("ollama", "ollama")),
        ),
        (
            nginx(*QUIET, server=PUBLIC + "    auth_basic x;\n"),
            nginx(*QUIET, server=PUBLIC + '    if ($http_authorization != "x") { return 401; }\n'),
            nginx(*QUIET, server="    server_name _ 192.168.1.5 llm.lan;\n"),
            caddy(site="llm.example.com", block=ASKS),
            caddy(site="llm.example.com", block='\t@key header Authorization "Bearer x"\n'),
            caddy(site="llm.home.arpa"),
            haproxy(head=SITES % ("app", "app")),
            {"Caddyfile": f"(safe) {{\n{ASKS}}}\nllm.example.com {{\n\timport safe\n"
             "\treverse_proxy ollama:11434\n}\n"},
        ),
    ),
    "HW681": (
        (
            nginx(*QUIET, passes="https://localhost:11434"),
            caddy(to="https://10.0.0.5:11434"),
            haproxy(SERVERS.replace(" check", " ssl verify none check")),
            {"llm.yaml": ASKED.format("https://10.0.0.5:11434")},
        ),
        (
            nginx(*QUIET),
            caddy(to="https://ollama.example.org:11434"),
            haproxy(),
            {"llm.yaml": ASKED.format("http://10.0.0.5:11434")},
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


@pytest.mark.parametrize(
    "files",
    [
        haproxy(),
        nginx(*QUIET, listen="127.0.0.1:80"),
        caddy("header_up Host localhost", block="\tbind 127.0.0.1\n"),
    ],
)
def test_of_a_good_proxy_nothing_is_said_and_nothing_left(tmp_path: Path, files: Text) -> None:
    report = checked(tmp_path, files)
    assert (report.findings, report.not_judged) == ((), ())


def test_a_default_is_told_once_however_many_places_have_it(tmp_path: Path) -> None:
    place = "  location /%s/ {\n    proxy_pass http://ollama:11434;\n  }\n"
    text = "server {\n" + "".join(place % name for name in "abc") + "}\n"
    (message,) = messages(tmp_path, {"nginx.conf": text}, "HW223")
    assert "is not set, and then 60 seconds" in message
    assert "so it is at 2 more places of this file" in message


def test_a_bound_on_several_servers_matters_more_than_on_one(tmp_path: Path) -> None:
    one = checked(tmp_path, haproxy("  server a 127.0.0.1:11434 check\n"))
    assert [p.finding.severity for p in one.findings] == ["info"]
