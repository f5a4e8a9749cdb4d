"""Install the pip section of environment.yml, as written, into an empty Python and import the library from it.

Not a pytest: it fetches some gigabytes. `make test-environment` runs it.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    [section] = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        # conda does the same: a requirements file beside environment.yml, so that -r finds its neighbour
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=ROOT, prefix="condaenv.", suffix=".requirements.txt"
        ) as file:
            file.write("\n".join(section) + "\n")
            file.flush()
            subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", file.name], cwd=ROOT, check=True)
        code = "import hrvgan_lib, torch, jupyterlab, papermill; print('torch', torch.__version__)"
        subprocess.run([python, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    print("environment.yml installs as written")


if __name__ == "__main__":
    sys.exit(main())
