"""Makes the virtual environment of the tests, once: python3 make_environment.py FOLDER REQUIREMENTS.

Any number of test workers may call it at once: the first one builds, the others block in the lock until it is done. The
operating system lets go of the lock when its holder dies, so a killed run leaves nothing to repair: a folder without the
marker is built anew.
"""

import fcntl
import pathlib
import shutil
import subprocess
import sys
import venv


def main(folder: pathlib.Path, requirements: pathlib.Path) -> None:
    marker = folder / "complete"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(folder.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if marker.exists():
            return
        for old in folder.parent.glob("venv-*"):
            if old.is_dir():
                shutil.rmtree(old)
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(requirements)], check=True, stdin=subprocess.DEVNULL)
        marker.touch()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
