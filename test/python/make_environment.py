"""Makes the virtual environment for a file of requirements (default: that of the tests), once, and prints the path of its Python.

Any number of test workers may call it at once: the first one builds, the others block in the lock until it is done. The
operating system lets go of the lock when its holder dies, so a killed run leaves nothing to repair: a folder without the
marker is built anew.
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys
import venv

here = pathlib.Path(__file__)
requirements = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.with_name("requirements.txt")
cache = here.resolve().parents[2] / ".cache"
prefix = "venv" + requirements.stem.removeprefix("requirements")


def main() -> None:
    folder = cache / f"{prefix}-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    marker = folder / "complete"
    cache.mkdir(exist_ok=True)
    with open(cache / "venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            build(folder)
            marker.touch()
    print(folder / "bin" / "python")


def build(folder: pathlib.Path) -> None:
    for old in cache.glob(f"{prefix}-{'?' * 12}"):
        if old.is_dir():
            shutil.rmtree(old)
    venv.create(folder, with_pip=True)
    # JupyterLab runs a CommonJS file of its own with Node, which must not take it for a part of this ESM package.
    (folder / "package.json").write_text('{"type": "commonjs"}\n')
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(requirements)], check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
