"""`sentiment-edge web`: the folder that it writes. The page itself is tried in a browser by `python -m tools.web_page`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.invocation import invoke
from helpers.support import edit_manifest, put_file, reseal

from sentiment_edge.web.libraries import INSTALL, LIBRARIES
from sentiment_edge.web.site import write_site

IMPORTED = re.compile(r"""(?:from|import|new URL\()\s*"(?:\./)?([\w./-]+\.js)\"""")
WITHOUT_TORCH = """
import sys
for name in ("torch", "sentiment_edge_export", "openvino", "onnx"):
    sys.modules[name] = None
from sentiment_edge.cli import app
app(prog_name="sentiment-edge")
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder of npm packages as npm makes it, of tiny files."""
    folder = tmp_path / "with a space" / "node_modules"
    for library in LIBRARIES:
        for path in (*library.files.values(), "dist/unused.js", "README.md"):
            file = folder / library.name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"// {library.name} {path}\n")
        (folder / library.name / "package.json").write_text(json.dumps({"version": library.version}))
    (folder / LIBRARIES[1].name / "LICENSE").write_text("a licence\n")
    return folder


@pytest.fixture
def bundle(bundle_folder: Path) -> Path:
    """The default bundle, to be changed."""
    return bundle_folder


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def refused(*arguments: str | Path, status: int = 1) -> str:
    """Return the one line that the command ends in."""
    done = invoke("web", *arguments)
    line = done.stderr.decode()
    assert (done.returncode, done.stdout, line.count("\n")) == (status, b"", 1), done
    return line.removeprefix("sentiment-edge: ").removesuffix("\n")


def test_the_folder_has_all_that_the_page_loads(bundle: Path, modules: Path, tmp_path: Path) -> None:
    site = tmp_path / "my site"
    done = invoke("web", bundle, site, "--modules", modules)
    assert (done.returncode, done.stderr) == (0, b"")
    first, second = done.stdout.decode().splitlines()
    found = files(site)
    assert first == f"{site}: {len(found)} files, {sum((site / name).stat().st_size for name in found) / 1e6:.1f} MB"
    assert f"python -m http.server --bind 127.0.0.1 -d '{site}'" in second
    assert {"index.html", "page.js", "page.css", "libraries/tokenizers.LICENSE"} <= found
    assert found >= {"bundle/manifest.json", "bundle/tokenizer.json", "bundle/golden.jsonl", "bundle/onnx/model_quantized.onnx"}
    assert not any("unused" in name or "README" in name for name in found)
    for name in sorted(found):
        if name.startswith("bundle/"):
            assert (site / name).read_bytes() == (bundle / name.removeprefix("bundle/")).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "my site", "with a space"]


def test_every_imported_file_is_there(bundle: Path, modules: Path, tmp_path: Path) -> None:
    site = write_site(bundle, tmp_path / "site", modules).folder
    scripts = [site / name for name in files(site) if name.endswith(".js") and "/" not in name]
    imported = {name for script in scripts for name in IMPORTED.findall(script.read_text("utf-8"))}
    assert {"libraries/onnxruntime-web.js", "libraries/tokenizers.js", "model.js", "worker.js"} <= imported
    assert {name for name in imported if not (site / name).is_file()} == set()
    assert {path.name for path in scripts} - imported == {"page.js"}, "a script that nothing loads"
    assert (site / "libraries/onnxruntime-web.wasm").is_file()


def test_the_page_asks_nobody_else(bundle: Path, modules: Path, tmp_path: Path) -> None:
    site = write_site(bundle, tmp_path / "site", modules).folder
    for name in ("index.html", "page.css", *(name for name in files(site) if name.endswith(".js") and "/" not in name)):
        assert not re.search(
            r"(?:https?:)?//[a-z]|innerHTML|insertAdjacentHTML|document\.write|\beval\(", (site / name).read_text("utf-8")
        )
    page = (site / "index.html").read_text("utf-8")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}';" in policy
    assert "unsafe-inline" not in policy and " style=" not in page and " onclick=" not in page
    assert b"\r" not in (site / "index.html").read_bytes()


def test_missing_modules_are_told_how_to_get(
    bundle: Path, modules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    monkeypatch.chdir(tmp_path)
    advice = f"run `{INSTALL}` and give its node_modules by --modules"
    assert refused(bundle, site) == f"node_modules: no onnxruntime-web in it; {advice}"
    (modules / "@huggingface/tokenizers/dist/tokenizers.min.mjs").unlink()
    assert refused(bundle, site, "--modules", modules) == (
        f"{modules}: @huggingface/tokenizers has no dist/tokenizers.min.mjs; {advice}"
    )
    assert not site.exists()


def test_another_version_is_remarked(bundle: Path, modules: Path, tmp_path: Path) -> None:
    (modules / "onnxruntime-web/package.json").write_text('{"version": "9.8.7"}')
    done = invoke("web", bundle, tmp_path / "site", "--modules", modules)
    assert done.returncode == 0
    assert done.stderr.decode() == (
        f"sentiment-edge: onnxruntime-web is version 9.8.7, the page was tried with {LIBRARIES[0].version}\n"
    )


def test_what_is_there_stays(bundle: Path, modules: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    arguments = (bundle, site, "--modules", modules)
    assert invoke("web", *arguments).returncode == 0, "an empty folder is nothing"
    (site / "view.js").write_text("old")
    assert refused(*arguments) == f"{site} exists; pass --overwrite to replace it, or choose another folder"
    assert (site / "view.js").read_text() == "old"
    assert invoke("web", *arguments, "--overwrite").returncode == 0
    assert (site / "view.js").read_text() != "old"
    (site / "holiday.jpg").write_bytes(b"")
    assert "holds more than such a page" in refused(*arguments, "--overwrite")
    assert (site / "holiday.jpg").exists()
    (site / "holiday.jpg").rename(site / "bundle" / "holiday.jpg")
    assert "holds more than such a page" in refused(*arguments, "--overwrite")
    assert (site / "bundle" / "holiday.jpg").exists()


def test_a_page_of_someone_else_stays(bundle: Path, modules: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html>my own")
    assert "holds more than such a page" in refused(bundle, site, "--modules", modules, "--overwrite")
    assert (site / "index.html").read_text() == "<!doctype html>my own"


@pytest.mark.parametrize("inside", [True, False])
def test_the_bundle_stays(inside: bool, bundle: Path, modules: Path) -> None:
    before = files(bundle)
    place = bundle / "site" if inside else bundle.parent
    assert "lie within each other" in refused(bundle, place, "--modules", modules, "--overwrite")
    assert files(bundle) == before


def test_a_file_or_a_link_stays(bundle: Path, modules: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert refused(bundle, tmp_path / "file", "--modules", modules).endswith("is a file; choose another folder")
    assert "is a link" in refused(bundle, tmp_path / "link", "--modules", modules)
    assert "/file/site" in refused(bundle, tmp_path / "file" / "site", "--modules", modules)
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_half_written_is_left(bundle: Path, modules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = write_site(bundle, tmp_path / "site", modules).folder
    before = {name: (site / name).read_bytes() for name in files(site)}

    def full(_path: Path, _contents: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    line = refused(bundle, site, "--modules", modules, "--overwrite")
    assert line == f"{site}: No space left on device"
    assert {name: (site / name).read_bytes() for name in files(site)} == before
    assert not [*tmp_path.glob(".sentiment-edge-*")]


def test_a_bundle_without_a_model_for_the_page(bundle: Path, modules: Path, tmp_path: Path) -> None:
    put_file(bundle, "openvino/openvino_model.xml", b"<net/>")
    put_file(bundle, "openvino/openvino_model.bin", b"")
    edit_manifest(bundle, engines={"openvino": "openvino/openvino_model.xml"})
    assert "no model for onnxruntime in it, only for openvino" in refused(bundle, tmp_path / "site", "--modules", modules)


def test_bundles_of_other_releases(bundle: Path, modules: Path, tmp_path: Path) -> None:
    edit_manifest(bundle, format_version=3)
    assert "bundle format 3 is newer than 2" in refused(bundle, tmp_path / "site", "--modules", modules)
    older = json.loads((bundle / "manifest.json").read_text("utf-8"))
    del older["models"], older["special_tokens"]
    (bundle / "manifest.json").write_text(json.dumps({**older, "format_version": 1}), "utf-8")
    reseal(bundle, "manifest.json")
    assert "is of an earlier release" in refused(bundle, tmp_path / "site", "--modules", modules)
    assert not (tmp_path / "site").exists()


def test_no_bundle(modules: Path, tmp_path: Path) -> None:
    assert "no bundle here" in refused(tmp_path / "absent", tmp_path / "site", "--modules", modules)
    assert "is no bundle's folder" in refused("I love this", tmp_path / "site", status=2)


def test_a_light_install_is_enough(bundle: Path, modules: Path, tmp_path: Path) -> None:
    arguments = ("web", str(bundle), str(tmp_path / "site"), "--modules", str(modules))
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *arguments], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "site/index.html").is_file()


def test_external_weights_come_along(bundle: Path, modules: Path, tmp_path: Path) -> None:
    put_file(bundle, "onnx/model_quantized.onnx_data", b"weights")
    site = write_site(bundle, tmp_path / "site", modules).folder
    assert (site / "bundle/onnx/model_quantized.onnx_data").read_bytes() == b"weights"
