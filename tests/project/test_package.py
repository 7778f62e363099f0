"""The wheel carries the data: installed into an empty environment it works from anywhere."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            folder,
            ROOT,
        ],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


def test_it_holds_every_data_file_byte_for_byte(wheel):
    with zipfile.ZipFile(wheel) as held:
        names = set(held.namelist())
        for path in sorted((ROOT / "data").iterdir()):
            assert held.read(f"impact/data/{path.name}") == path.read_bytes()
    assert not any(name.startswith(("tests/", "notebooks/", "figures/")) for name in names)


def test_an_installed_package_loads_prices_from_elsewhere(wheel, tmp_path):
    environment = tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            wheel,
        ],
        check=True,
        capture_output=True,
    )
    # The dependencies, without the source tree: a path file inside a path file is not followed.
    where = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    Path(where, "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    code = (
        "import impact; print(impact.__file__); print(len(impact.load_prices())); "
        "print(impact.event_card('geneva-truce').facts['label'])"
    )
    said = subprocess.run(
        [python, "-I", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert Path(said[0]).is_relative_to(environment)
    assert said[1:] == ["6957", "Geneva truce: 145 to 30%"]
