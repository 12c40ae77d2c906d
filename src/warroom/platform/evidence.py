"""Results as a table people read at once, and as a sealed archive people rely on later."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence

from warroom.platform.results import ProbeResult
from warroom.platform.tables import aligned
from warroom.platform.words import span

MANIFEST = "MANIFEST"
"""In the form `sha256sum --check MANIFEST` reads."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The only date in the archive: its bytes depend on the evidence alone."""


def table(results: Sequence[ProbeResult]) -> str:
    """State, title, summary and elapsed time, aligned for monospace type, in the order given."""
    rows = [[r.state, r.title, r.summary, span(r.elapsed_s)] for r in results]
    return aligned(["STATE", "PROBE", "RESULT", "TOOK"], rows)


def archive(results: Sequence[ProbeResult], meta: Mapping[str, object]) -> bytes:
    """A ZIP with each raw answer, results.json (with `meta`, plain JSON values) and the SHA-256 of every file.

    The same results and meta give the same bytes.
    """
    files: dict[str, bytes] = {}
    listed = []
    for number, result in enumerate(results, 1):
        path = f"raw/{number:02d}-{file_name(result.probe)}.txt"
        files[path] = result.raw.encode()
        summary = {k: v for k, v in result.to_dict().items() if k != "raw"}
        listed.append(summary | {"file": path, "sha256": hashlib.sha256(files[path]).hexdigest()})
    document = {"meta": dict(meta), "results": listed}
    files["results.json"] = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).encode()
    files[MANIFEST] = _manifest(files).encode()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as bundle:
        for path, content in files.items():
            bundle.writestr(_entry(path), content)
    return held.getvalue()


def seal(sealed: bytes) -> str:
    """The SHA-256 of the archive's manifest: kept elsewhere, it proves every file in the archive."""
    with zipfile.ZipFile(io.BytesIO(sealed)) as bundle:
        return hashlib.sha256(bundle.read(MANIFEST)).hexdigest()


def check(sealed: bytes) -> list[str]:
    """What is wrong with an archive, a sentence each; nothing when every file is as it was sealed.

    Raises zipfile.BadZipFile when it is no archive, KeyError when it has no manifest.
    """
    with zipfile.ZipFile(io.BytesIO(sealed)) as bundle:
        written = bundle.read(MANIFEST).decode()
        listed = {path: digest for digest, path in (line.split("  ", 1) for line in written.splitlines())}
        present = set(bundle.namelist()) - {MANIFEST}
        problems = [f"{path} is missing from the archive" for path in sorted(listed.keys() - present)]
        problems += [f"{path} is not in the manifest: it was added later" for path in sorted(present - listed.keys())]
        changed = sorted(
            path for path in present & listed.keys() if hashlib.sha256(bundle.read(path)).hexdigest() != listed[path]
        )
    return problems + [f"{path} was changed after it was sealed" for path in changed]


def _manifest(files: Mapping[str, bytes]) -> str:
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(files.items()))


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _EPOCH)
    entry.create_system = 3
    entry.external_attr = 0o100444 << 16
    return entry


def file_name(name: str) -> str:
    """A name that is safe as part of a path."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "probe"
