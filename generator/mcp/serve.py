"""The server: tools over standard input and output, until the client closes it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import mcp.types as protocol
from jsonschema import Draft202012Validator
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from generator.mcp.run import LARGEST, run
from generator.mcp.tools import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.mcp.run import Done
    from generator.mcp.tools import Command

AT_ONCE: Final = 2
"""Commands that run side by side; others wait."""
_LAST_GOOD: Final = 1
"""Exit codes up to it are answers: 1 says that there are findings."""
_SHOWN: Final = 300
ABOUT: Final = (
    "Hostwright: profiles of inference hosts, checked configuration for Ollama. All tools only "
    "read. Start with `check` for files that exist, `fit` for which models a host holds."
)


async def serve(version: str, seconds: float) -> None:
    """Serve until standard input ends; each call has so many seconds."""
    server = made(version, seconds)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def made(version: str, seconds: float) -> Server[Any]:
    """Return the server with its tools, which nothing is connected to yet."""
    turns = asyncio.Semaphore(AT_ONCE)
    tools = [_tool(command) for command in COMMANDS.values()]

    async def listed(_: Any, __: Any) -> protocol.ListToolsResult:  # noqa: ANN401 -- of the SDK
        return protocol.ListToolsResult(tools=tools)

    async def called(_: Any, asked: protocol.CallToolRequestParams) -> protocol.CallToolResult:  # noqa: ANN401
        command = COMMANDS.get(asked.name)
        if command is None:
            return _failed(f"there is no tool `{asked.name[:_SHOWN]}`: {', '.join(COMMANDS)}")
        given = asked.arguments or {}
        if faults := list(_faults(command, given)):
            return _failed("\n".join(faults))
        words, text = command.line(given)
        async with turns:
            return _result(command, await run(words, text, seconds), seconds)

    return Server(
        "hostwright",
        version=version,
        instructions=ABOUT,
        on_list_tools=listed,
        on_call_tool=called,
    )


def _tool(command: Command) -> protocol.Tool:
    return protocol.Tool(
        name=command.command,
        description=command.about,
        input_schema=command.inputs,
        output_schema=command.outputs,
        annotations=protocol.ToolAnnotations(
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=command.elsewhere,
        ),
    )


def _faults(command: Command, given: dict[str, Any]) -> Iterator[str]:
    """Yield all that is wrong with the arguments of a call."""
    for fault in Draft202012Validator(command.inputs).iter_errors(given):
        where = ".".join(map(str, fault.absolute_path))
        message = fault.message
        if fault.validator == "anyOf":
            message = f"name one of {', '.join(command.one_of)}"
        elif fault.validator == "maxLength":
            message = f"it is longer than {fault.validator_value} characters"
        yield f"{where}: {message[:_SHOWN]}".removeprefix(": ")
    for name, value in given.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and "\0" in text:
                yield f"{name}: there is a NUL in it"
    if command.command == "check" and "text" in given and "paths" in given:
        yield "text: it stands for a file; leave paths out"
    if command.one_of[:1] == ("profile",) and {"profile", "text"} <= given.keys():
        yield "text: it stands for a profile; leave profile out"


def _result(command: Command, done: Done, seconds: float) -> protocol.CallToolResult:
    if done.late:
        return _failed(f"gen {command.command} took longer than {seconds:g} s, and was ended")
    if done.large:
        return _failed(f"gen {command.command} answers more than {LARGEST >> 20} MiB: ask for less")
    text = done.out.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not 0 <= done.code <= _LAST_GOOD or not isinstance(document, dict):
        return _failed(text or done.talk or f"gen {command.command} ended with {done.code}")
    return protocol.CallToolResult(
        content=[protocol.TextContent(type="text", text=text)], structured_content=document
    )


def _failed(text: str) -> protocol.CallToolResult:
    return protocol.CallToolResult(
        content=[protocol.TextContent(type="text", text=text)], is_error=True
    )
