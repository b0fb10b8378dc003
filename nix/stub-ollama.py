"""A stand-in for `ollama` in the machines of vm-test.nix: its commands, a server, no model.

It pulls from the machine `registry` by plain HTTP, keeps names as files below OLLAMA_MODELS, and
writes `loaded NAME` to its log for a model that is loaded. STUB_SILENT: it serves nothing.
"""

import json
import os
import pathlib
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS = os.environ.get("OLLAMA_HOST", "127.0.0.1:11434")
REGISTRY = "http://registry:8000"


def models() -> pathlib.Path:
    """Return the directory of the models, made."""
    folder = pathlib.Path(os.environ["OLLAMA_MODELS"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Server(BaseHTTPRequestHandler):
    """Answers what the commands below ask."""

    def do_GET(self) -> None:
        """Tell the release and the models."""
        names = sorted(path.name for path in models().iterdir())
        self.answer({"version": os.environ["STUB_VERSION"], "models": names})

    def do_POST(self) -> None:
        """Pull, create or load a model."""
        length = int(self.headers.get("Content-Length", 0))
        asked = json.loads(self.rfile.read(length))
        if asked["do"] == "pull":
            address = f"{REGISTRY}/{asked['name']}"
            with urllib.request.urlopen(address, timeout=10) as found:  # noqa: S310 -- plain HTTP
                (models() / asked["name"]).write_bytes(found.read())
        elif asked["do"] == "create":
            (models() / asked["name"]).write_text(asked["text"])
        elif asked["do"] == "run":
            sys.stdout.write(f"loaded {asked['name']}\n")
            sys.stdout.flush()
        self.answer({})

    def answer(self, data: dict[str, object]) -> None:
        """Send JSON."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())


def ask(data: dict[str, str] | None = None) -> dict[str, list[str]]:
    """Ask the server, and end where it does not answer."""
    body = json.dumps(data).encode() if data else None
    address = f"http://{ADDRESS}/"
    with urllib.request.urlopen(address, body, timeout=30) as answer:
        found: dict[str, list[str]] = json.load(answer)
        return found


def serve() -> None:
    """Serve, or only be there."""
    if os.environ.get("STUB_SILENT"):
        time.sleep(3600)
    host, _, port = ADDRESS.rpartition(":")
    ThreadingHTTPServer((host, int(port)), Server).serve_forever()


def main() -> None:
    """Do one command of `ollama`."""
    verb, *rest = sys.argv[1:]
    if verb == "serve":
        serve()
    elif verb == "list":
        sys.stdout.write("\n".join(["NAME", *ask()["models"], ""]))
    elif verb == "show":
        sys.exit(rest[0] not in ask()["models"])
    else:
        text = pathlib.Path(rest[2]).read_text() if verb == "create" else ""
        ask({"do": verb, "name": rest[0], "text": text})


main()
