"""Carry out the Dockerfile in an empty folder, start what it starts, and ask what it asks."""

from __future__ import annotations

import http.client
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.api.postgres import own_postgres
from tests.api.server import free_port
from tests.image.dockerfile import Stage, stages
from tests.starts import PROJECT

NOBODY = 65_534
PATIENCE = 90  # seconds until the web server answers, beside other work
# What pip needs to find packages on this machine, as an engine's build gets it from its host.
HANDED_ON = ("PIP_", "SSL_", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class Tree:
    """The file system of a stage: a folder, below which the paths of the image lie."""

    def __init__(self, folder: Path, account: int | None) -> None:
        self.folder, self.account = folder, account
        self.workdir = folder
        self.environment: dict[str, str] = {}

    def here(self, text: str) -> str:
        """Put the folder before every path of ours in a text of the Dockerfile."""
        return text.replace("/srv/", f"{self.folder}/srv/")

    def run(
        self, command: str | list[str], account: int | None, **environment: str
    ) -> subprocess.Popen[bytes]:
        home = self.folder.parent / "home"
        handed = {k: v for k, v in os.environ.items() if k.startswith(HANDED_ON)}
        found = f"{self.folder.parent / 'bin'}:/usr/bin:/bin"
        return subprocess.Popen(
            command,
            shell=isinstance(command, str),
            cwd=self.workdir,
            env={"HOME": str(home), "PATH": found} | handed | self.environment | environment,
            start_new_session=True,
            **({} if account is None else {"user": account, "group": account, "extra_groups": []}),
        )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def base_python() -> str:
    """Return a Python that an account without rights can read, with pip."""
    candidates = [shutil.which("python3", path="/usr/local/bin:/usr/bin")]
    if os.geteuid() != 0:
        candidates.insert(0, str(Path(sys.base_prefix) / "bin" / "python3"))
    for found in filter(None, candidates):
        asks = "import pip, sys, venv; sys.exit(sys.version_info < (3, 11))"
        if subprocess.run([found, "-c", asks], capture_output=True, check=False).returncode == 0:
            return found
    sys.exit("No Python 3.11 with pip for all accounts: apt install python3-pip python3-venv")


def context(folder: Path) -> Path:
    """Copy what git knows and .dockerignore lets through: what an engine would be sent."""
    allowed = [
        line[1:] for line in (PROJECT / ".dockerignore").read_text().split() if line[0] == "!"
    ]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--", *allowed],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / name, folder / name)
    return folder


def carry_out(stage: Stage, tree: Tree, sources: dict[str, Path]) -> None:
    """Do what the stage says, one instruction after the other."""
    for name, said in stage.steps:
        say(f"{name} {said}")
        if name == "WORKDIR":
            tree.workdir = Path(tree.here(said))
            tree.workdir.mkdir(parents=True)
            if tree.account is not None:
                os.chown(tree.workdir, tree.account, tree.account)
        elif name == "ENV":
            tree.environment |= dict(p.split("=", 1) for p in shlex.split(tree.here(said)))
        elif name == "COPY":
            copy(said, tree, sources)
        elif name == "RUN" and (code := tree.run(tree.here(said), tree.account).wait()) != 0:
            sys.exit(f"RUN ended with {code}: {said}")


def copy(said: str, tree: Tree, sources: dict[str, Path]) -> None:
    words = said.split()
    source = sources[words.pop(0).partition("=")[2] if words[0].startswith("--from=") else ""]
    *names, target = words
    for name in names:
        found = source / name.lstrip("/")
        to = Path(tree.here(target)) if target[0] == "/" else tree.workdir / target
        if found.is_dir():
            shutil.copytree(found, to, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copyfile(found, to / found.name if target.endswith("/") else to)
    if tree.account is not None:
        for path in [*tree.workdir.rglob("*")]:
            os.chown(path, tree.account, tree.account, follow_symlinks=False)


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (s.st_size, s.st_mtime_ns) for p in folder.rglob("*") if (s := p.lstat())}


def asked(port: int, path: str) -> tuple[int, bytes]:
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        caller.request("GET", path, headers={"Host": "cases.example.org"})
        answer = caller.getresponse()
        return answer.status, answer.read()
    finally:
        caller.close()


def start_and_ask(stage: Stage, tree: Tree) -> None:
    """Run the container's command against a database, and its health check beside it."""
    root = os.geteuid() == 0
    runs_as = int(stage.last("USER").partition(":")[0]) if root else None
    port = free_port()
    before = contents(tree.folder)
    with own_postgres(migrated=False) as postgres:
        postgres.place.socket.chmod(0o755)  # for the container's account
        given = {
            "DATABASE_URL": postgres.url,
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ALLOWED_HOSTS": "cases.example.org",
            "CSRF_TRUSTED_ORIGINS": "https://cases.example.org",
            "PORT": str(port),
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}",
            "DRAIN_SECONDS": "0",
        }
        server = tree.run(stage.command, runs_as, **given)
        try:
            end = time.monotonic() + PATIENCE
            while not answers(port):
                if server.poll() is not None or time.monotonic() > end:
                    sys.exit(f"CMD does not come up: {server.poll()}")
                time.sleep(0.2)
            expect("HEALTHCHECK before the migrations", tree.run(stage.probe, runs_as, **given), 1)
            migrate = ["python", "manage.py", "migrate", "--no-input", "--verbosity", "0"]
            expect("migrate", tree.run(migrate, runs_as, **given), 0)
            expect("HEALTHCHECK after them", tree.run(stage.probe, runs_as, **given), 0)
            check = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
            expect("check --deploy", tree.run(check, runs_as, **given), 0)
            for path, status in (("/health/ready", 200), ("/cases", 403)):
                found, body = asked(port, path)
                say(f"GET {path}: {found} {body.decode()}")
                if found != status:
                    sys.exit(f"{status} was expected.")
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)
        expect("CMD after SIGTERM", server, 0)
    if changed := contents(tree.folder).items() ^ before.items():
        sys.exit(f"The container wrote into its own files: {sorted(changed)[:5]}")
    say("The Dockerfile's lines make a service that runs.")


def answers(port: int) -> bool:
    try:
        return asked(port, "/health/live")[0] == 200
    except OSError:
        return False


def expect(what: str, process: subprocess.Popen[bytes], code: int) -> None:
    found = process.wait(PATIENCE)
    say(f"{what}: {found}")
    if found != code:
        sys.exit(f"{what} should have ended with {code}.")


def main() -> None:
    account = NOBODY if os.geteuid() == 0 else None
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="rc-image-", dir="/tmp") as made:
        scratch = Path(made)
        scratch.chmod(0o755)
        (scratch / "bin").mkdir()
        (scratch / "bin" / "python").symlink_to(base_python())
        (scratch / "home").mkdir()
        if account is not None:
            os.chown(scratch / "home", account, account)
        sources = {"": context(scratch / "context")}
        for number, stage in enumerate(all_stages := stages(PROJECT / "Dockerfile")):
            say(f"Stage {number + 1}: {stage.name or 'the last'}")
            tree = Tree(scratch / f"stage-{number + 1}", account)
            tree.folder.mkdir()
            carry_out(stage, tree, sources)
            sources[stage.name] = tree.folder
        for name in ("context", "stage-1", "home"):  # the image holds its last stage only
            shutil.rmtree(scratch / name)
        start_and_ask(all_stages[-1], tree)


if __name__ == "__main__":
    main()
