"""A stand-in of the hub's HTTP interface: what ``huggingface_hub`` calls to push a model and to fetch it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_mine"
LARGE = (".safetensors", ".onnx", ".pt2")
"""Ends of names that the hub stores beside the repository, as its ``.gitattributes`` say."""

Files = dict[str, bytes]


@dataclass
class Repository:
    """``commits`` by hash; ``branches`` name the newest of each."""

    private: bool
    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: Files) -> str:
        parts = (part for name in sorted(files) for part in (name.encode(), files[name]))
        sha = hashlib.sha1(b"\0".join(parts)).hexdigest()
        self.commits[sha], self.branches[branch] = files, sha
        return sha

    def at(self, revision: str) -> str | None:
        return self.branches.get(revision, revision if revision in self.commits else None)


@dataclass
class Hub:
    """Repositories, objects that were uploaded, and every request as method, path and token."""

    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    down: bool = False

    def files(self, repo: str, branch: str = "main") -> Files:
        """The newest files; a test may change them."""
        repository = self.repositories[repo]
        return repository.commits[repository.branches[branch]]


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._route("GET")

    def do_HEAD(self) -> None:
        self._route("HEAD")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def _route(self, method: str) -> None:
        path = urlsplit(self.path).path
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        self.is_owner = token == TOKEN
        self.hub.requests.append((method, path, token))
        if self.hub.down:
            return self._answer(503, {"error": "down"})
        for pattern, handle in ROUTES:
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return handle(self, **{key: unquote(value) for key, value in found.groupdict().items()})
        return self._answer(404, {"error": f"{method} {path}"})

    def create(self) -> None:
        asked = json.loads(self.body)
        repo = f"{asked.get('organization')}/{asked['name']}"
        if not self.is_owner:
            return self._answer(403, {"error": "not yours"})
        if repo in self.hub.repositories:
            return self._answer(409, {"error": "there already", "url": f"{self.hub.url}/{repo}"})
        made = Repository(asked.get("private") or asked.get("visibility") == "private")
        made.commit("main", {".gitattributes": b""})
        self.hub.repositories[repo] = made
        return self._answer(200, {"url": f"{self.hub.url}/{repo}"})

    def validate(self) -> None:
        text = json.loads(self.body)["content"]
        wrong = [] if text.startswith("---\n") and "license:" in text else [{"message": "no license"}]
        self._answer(400 if wrong else 200, {"errors": wrong, "warnings": []})

    def branch(self, repo: str, name: str) -> None:
        found = self._repository(repo, write=True)
        if found is None:
            return None
        if name in found.branches:
            return self._answer(409, {"error": "there already"})
        found.branches[name] = found.branches["main"]
        return self._answer(200, {})

    def info(self, repo: str, revision: str = "main") -> None:
        found = self._repository(repo)
        if found is None:
            return None
        sha = found.at(revision)
        if sha is None:
            return self._answer(404, {"error": "no revision"}, {"X-Error-Code": "RevisionNotFound"})
        names = [{"rfilename": name} for name in found.commits[sha]]
        return self._answer(200, {"id": repo, "sha": sha, "private": found.private, "siblings": names})

    def tree(self, repo: str, revision: str) -> None:
        found = self._repository(repo)
        if found is None:
            return None
        entries = []
        for name, content in found.commits[found.at(revision) or ""].items():
            large = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1}
            entry = {"type": "file", "path": name, "size": len(content), "oid": _oid(content)}
            entries.append({**entry, **({"lfs": large} if name.endswith(LARGE) else {})})
        return self._answer(200, entries)

    def preupload(self, repo: str, revision: str) -> None:
        found = self._repository(repo, write=True)
        if found is None:
            return None
        files = [
            {
                "path": each["path"],
                "uploadMode": "lfs" if each["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
            }
            for each in json.loads(self.body)["files"]
        ]
        return self._answer(200, {"files": files})

    def batch(self, repo: str) -> None:
        if self._repository(repo, write=True) is None:
            return None
        objects = [
            {
                "oid": each["oid"],
                "size": each["size"],
                "actions": {"upload": {"href": f"{self.hub.url}/objects/{each['oid']}"}},
            }
            for each in json.loads(self.body)["objects"]
        ]
        return self._answer(200, {"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        assert hashlib.sha256(self.body).hexdigest() == oid
        self.hub.objects[oid] = self.body
        self._answer(200, {})

    def commit(self, repo: str, revision: str) -> None:
        found = self._repository(repo, write=True)
        if found is None:
            return None
        files = dict(found.commits[found.branches[revision]])
        for line in self.body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            elif item["key"] == "deletedFile":
                del files[value["path"]]
        sha = found.commit(revision, files)
        return self._answer(200, {"commitUrl": f"{self.hub.url}/{repo}/commit/{sha}", "commitOid": sha})

    def resolve(self, repo: str, revision: str, name: str) -> None:
        found = self._repository(repo)
        if found is None:
            return None
        sha = found.at(revision) or ""
        content = found.commits[sha][name]
        headers = {"X-Repo-Commit": sha, "ETag": f'"{_oid(content)}"'}
        if name.endswith(LARGE):
            headers |= {"X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
            headers |= {"X-Linked-Size": str(len(content))}
        return self._answer(200, content, headers)

    def _repository(self, repo: str, write: bool = False) -> Repository | None:
        """The repository, or None after the answer that there is none, or none for this token."""
        found = self.hub.repositories.get(repo)
        if found is None or (found.private and not self.is_owner):
            self._answer(401, {"error": "not found"}, {"X-Error-Code": "RepoNotFound"})
            return None
        if write and not self.is_owner:
            self._answer(403, {"error": "read only"})
            return None
        return found

    def _answer(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        if not isinstance(content, bytes):
            self.send_header("Content-Type", "application/json")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _oid(content: bytes) -> str:
    """The hash that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


REPO = r"(?P<repo>[^/ ]+/[^/ ]+)"
ROUTES = (
    ("POST /api/repos/create", Handler.create),
    ("POST /api/validate-yaml", Handler.validate),
    (rf"POST /api/models/{REPO}/branch/(?P<name>[^/]+)", Handler.branch),
    (rf"POST /api/models/{REPO}/preupload/(?P<revision>[^/]+)", Handler.preupload),
    (rf"POST /api/models/{REPO}/commit/(?P<revision>[^/]+)", Handler.commit),
    (rf"POST /{REPO}\.git/info/lfs/objects/batch", Handler.batch),
    (r"PUT /objects/(?P<oid>\w+)", Handler.store),
    (rf"GET /api/models/{REPO}", Handler.info),
    (rf"GET /api/models/{REPO}/revision/(?P<revision>[^/]+)", Handler.info),
    (rf"GET /api/models/{REPO}/tree/(?P<revision>[^/]+)", Handler.tree),
    (rf"(?:GET|HEAD) /{REPO}/resolve/(?P<revision>[^/]+)/(?P<name>.+)", Handler.resolve),
)


@contextmanager
def serving() -> Iterator[Hub]:
    """Runs the stand-in on a free port of this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
