"""HW323 to HW326: programs, units, variables and logs that are put where nobody finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import AMONG_LINKS, MISPLACED, UNTIL_REBOOT

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_LOGS: Final = ("StandardOutPath", "StandardErrorPath")
_OF_ROOT: Final = "/var/log/"


@Rule(
    id="HW323",
    title="a unit that starts the program where the installer puts none",
    why="install.sh takes the first of /usr/local/bin, /usr/bin and /bin that is in PATH: the "
    "program is /usr/local/bin/ollama. /usr/bin/ollama comes with a package of a distribution. "
    "systemd ends with 203/EXEC where there is no such file.",
    bad="curl -fsSL https://ollama.com/install.sh | sh\n# ollama.service\n"
    "ExecStart=/usr/bin/ollama serve",
    good="ExecStart=/usr/local/bin/ollama serve",
    source="scripts/install.sh@v0.32.15, BINDIR",
)
def program_elsewhere(view: View, _: Facts) -> Hits:
    for line in view.lines_in(MISPLACED):
        yield Hit(
            message=f"`{line.value}` is not there: the installer of the scripts here puts it "
            "into /usr/local/bin, and the unit ends with 203/EXEC",
            place=line.place,
            fix="write `/usr/local/bin/ollama`",
        )


@Rule(
    id="HW324",
    title="a unit that is written into a directory of links",
    why="What lies in `multi-user.target.wants` says by its name which unit the target wants, as "
    "`systemctl enable` links it there. systemd reads no unit from it: it looks for that name in "
    "/etc/systemd/system, and finds none.",
    bad="cat > /etc/systemd/system/multi-user.target.wants/ollama.service <<EOF",
    good="cat > /etc/systemd/system/ollama.service <<EOF\n…\nsystemctl enable ollama",
    source="systemd.unit(5), .wants/ directories",
)
def among_links(view: View, _: Facts) -> Hits:
    for line in view.lines_in(AMONG_LINKS):
        folder = line.value.rpartition("/")[0].rpartition("/")[0]
        yield Hit(
            message=f"systemd reads no unit from a directory of links: there is no {line.name}",
            place=line.place,
            fix=f"write it to `{folder}/{line.name}`, and enable it",
        )


@Rule(
    id="HW325",
    severity="info",
    title="a variable that macOS forgets when it starts anew",
    why="`launchctl setenv` tells the launchd that runs: the app finds the variable when it is "
    "started next, and after the next start of the machine there is none. A launch agent that "
    "says it at each login, or the property list of the server itself, keeps it.",
    bad="launchctl setenv OLLAMA_HOST 0.0.0.0",
    good="an agent in ~/Library/LaunchAgents with `RunAtLoad` that runs `launchctl setenv …`",
    source="launchctl(1), setenv; docs/faq.mdx@v0.32.15",
)
def until_reboot(view: View, _: Facts) -> Hits:
    for line in view.lines_in(UNTIL_REBOOT):
        yield Hit(
            message="what `launchctl setenv` says is gone when the machine starts anew: "
            f"{line.name} counts until then alone",
            place=line.place,
            fix="say it in a launch agent with `RunAtLoad`, or in the property list of the server",
        )


@Rule(
    id="HW326",
    title="a log of a launch agent that its user may not write",
    why="An agent of ~/Library/LaunchAgents runs as its user, and /var/log is root's: launchd "
    "cannot open the log, and ends the agent with 78, EX_CONFIG, before the program runs.",
    bad="<key>StandardOutPath</key> <string>/var/log/ollama.log</string>    # of an agent",
    good="<string>/Users/me/Library/Logs/ollama.log</string>",
    source="launchd.plist(5), StandardOutPath",
)
def unwritable_log(view: View, _: Facts) -> Hits:
    for line in view.lines_named(*_LOGS):
        if line.value.startswith(_OF_ROOT) and view.manager == "user":
            yield Hit(
                message=f"the user of a launch agent may not write `{line.value}`: launchd ends "
                "the agent before the program runs",
                place=line.place,
                fix="write a path below `/Users/…/Library/Logs`, or `/tmp`",
            )
