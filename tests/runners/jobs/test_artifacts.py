import os
import struct
import zlib
from pathlib import Path

import pytest

from runners.errors import UnknownArtifactError
from runners.jobs.artifacts import Artifacts, RefusedArtifactError
from runners.protocol.words import JobId

JOB = JobId("0" * 32)


def png(width: int = 1, height: int = 1, filling: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", filling)
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "artifacts")


def test_a_picture_is_kept_and_found_again(tmp_path: Path, artifacts: Artifacts) -> None:
    source = tmp_path / "curves.png"
    source.write_bytes(png())
    artifacts.keep(JOB, source)
    source.unlink()
    assert artifacts.path(JOB, "curves.png").read_bytes() == png()
    assert artifacts.names(JOB) == ("curves.png",)
    artifacts.forget(JOB)
    assert artifacts.names(JOB) == ()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "no PNG"),
        (b"GIF89a", "no PNG"),
        (b"\x89PNG\r\n\x1a\n", "no PNG"),
        (png()[:-1], "end is missing"),
        (png()[:18] + b"\xff" + png()[19:], "header is damaged"),
        (png(width=100_000), "100000 × 1 pixels"),
        (png(width=0), "0 × 1 pixels"),
        (png(filling=b"0" * 9_000_000), "larger than 8 MiB"),
    ],
)
def test_what_is_no_whole_picture_is_refused(
    tmp_path: Path, artifacts: Artifacts, content: bytes, fault: str
) -> None:
    source = tmp_path / "curves.png"
    source.write_bytes(content)
    with pytest.raises(RefusedArtifactError, match=fault):
        artifacts.keep(JOB, source)
    assert artifacts.names(JOB) == ()


def test_links_pipes_and_folders_are_refused(tmp_path: Path, artifacts: Artifacts) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(png())
    (tmp_path / "link.png").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("link.png", "pipe.png", "folder.png", "missing.png"):
        with pytest.raises(RefusedArtifactError):
            artifacts.keep(JOB, tmp_path / name)


@pytest.mark.parametrize("name", ["../curves.png", "Curves.png", ".png", "a.jpg", "a.png/b.png"])
def test_names_with_tricks_are_refused(tmp_path: Path, artifacts: Artifacts, name: str) -> None:
    with pytest.raises(RefusedArtifactError):
        artifacts.keep(JOB, tmp_path / name)


@pytest.mark.parametrize(
    ("job", "name"),
    [
        (JOB, "../secret.png"),
        ("..", "secret.png"),
        ("0" * 31 + "/", "secret.png"),
        (JOB, "missing.png"),
        ("", ""),
    ],
)
def test_only_artifacts_are_found(
    tmp_path: Path, artifacts: Artifacts, job: str, name: str
) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    with pytest.raises(UnknownArtifactError):
        artifacts.path(JobId(job), name)
