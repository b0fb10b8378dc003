"""Images that the services of a project build."""

from __future__ import annotations

import posixpath

from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.compose.project import joined
from generator.readers.dockerfile.built import Built, dockerfile_in, of_dockerfile
from generator.readers.syntax.yaml_tree import Scalar, Table


def built_of(service: Table, context: Context) -> Built | None:
    """Return what the Dockerfile of a service says; None: it is not at hand."""
    build = service.get("build")
    about = build if isinstance(build, Table) else Table({}, service.place_of("build"))
    folder = build if isinstance(build, Scalar) else about.scalar("context")
    inline, named = about.scalar("dockerfile_inline"), about.scalar("dockerfile")
    target = about.text("target")
    told = {
        name: node.text
        for name, node in about.table("args").entries.items()
        if isinstance(node, Scalar) and node.explicit and node.kind != "null"
    }
    if inline is not None:
        # Read beside its own lines: what it says stands in this file.
        text = "\n" * (inline.starts - 1) + inline.text
        source: Source | None = Source(inline.place.file, text)
    elif any(one is not None and not one.explicit for one in (folder, named)):
        return None
    else:
        place = service.place_of("build") if folder is None else folder.place
        where = joined(place.file, folder.text if folder else ".")
        source = dockerfile_in(where, named.text if named else "", context)
    try:
        return of_dockerfile(source, context, target, told) if source else None
    except ProfileError:
        return None  # Its own check says so.


def is_a_folder(service: Table, context: Context) -> bool:
    """Return whether what a service names as its Dockerfile is a directory with files."""
    named, folder = service.scalar("build", "dockerfile"), service.scalar("build", "context")
    if named is None or not named.explicit or (folder is not None and not folder.explicit):
        return False
    where = joined(named.place.file, folder.text if folder else ".")
    return bool(context.listed(posixpath.join(where, named.text, "Dockerfile")))
