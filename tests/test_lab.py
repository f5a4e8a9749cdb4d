"""`make lab`: looking at chapters changes no file, and they look at the run that was named."""

import copy
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import lab
import nbformat
import pytest
from jupyter_client import BlockingKernelClient

from hrvgan_lib import book
from hrvgan_lib.series.chapters import WIDGET_VIEW, code_cells_of, execute, read_chapter

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.py"))
MADE = {"profile": "cpu*0.5", "seed": 0, "data_root": "/data", "actions": "weizmann", "run": "mine", "rehearse": False}
VARIABLES = [f"HRVGAN_{name}" for name in ("PROFILE", "RUN", "ACTIONS", "DATA_ROOT")]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in VARIABLES:  # these tests may be run in a terminal of JupyterLab
        monkeypatch.delenv(name, raising=False)


def finished(path: Path, **parameters) -> Path:
    """A chapter as a run leaves it: executed, with what papermill and the driver note."""
    notebook = nbformat.read(ROOT / "notebooks" / "02_norm_layers.ipynb", as_version=4)
    notebook.metadata |= {"papermill": {"parameters": MADE | parameters}, "hrvgan": {"key": "k", "files": {}}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


# --- a server as `make lab` starts it ---


class Server:
    """A running JupyterLab, spoken to as the page in the browser speaks to it."""

    def __init__(self, root: Path, process: subprocess.Popen, log: Path) -> None:
        self.root, self.process, self.log = root, process, log
        ends = time.monotonic() + 60
        self.about: dict = {}
        while "token" not in self.about:
            assert process.poll() is None and time.monotonic() < ends, log.read_text(encoding="utf-8")
            time.sleep(0.1)
            for file in (root / "jupyter").glob("jpserver-*.json"):
                self.about = json.loads(file.read_text() or "{}")

    def ask(self, method: str, path: str, body: dict | None = None, token: bool = True):
        request = urllib.request.Request(self.about["url"] + path, json.dumps(body).encode() if body else None)
        request.method = method
        if token:
            request.add_header("Authorization", f"token {self.about['token']}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def open(self, path: str) -> dict:
        return self.ask("GET", f"api/contents/{path}?type=notebook&content=1&hash=0")["content"]

    def save(self, path: str, content: dict) -> None:
        self.ask("POST", f"api/contents/{path}/checkpoints")
        self.ask("PUT", f"api/contents/{path}", {"type": "notebook", "format": "json", "content": content})

    def kernel(self, path: str) -> tuple[BlockingKernelClient, dict]:
        """A kernel for a notebook, and the metadata that JupyterLab sets once it has one."""
        body = {"path": path, "name": Path(path).name, "type": "notebook", "kernel": {"name": "python3"}}
        name = self.ask("POST", "api/sessions", body)["kernel"]["id"]
        client = BlockingKernelClient(connection_file=str(self.root / "jupyter" / f"kernel-{name}.json"))
        client.load_connection_file()
        client.start_channels()
        ends = time.monotonic() + 60
        while True:
            try:
                client.wait_for_ready(timeout=60)
                break
            except RuntimeError:  # older clients take a kernel that is slow to start for a dead one
                assert time.monotonic() < ends, self.log.read_text(encoding="utf-8")
        spec = self.ask("GET", "api/kernelspecs")["kernelspecs"]["python3"]["spec"]
        language = client.kernel_info(reply=True, timeout=60)["content"]["language_info"]
        named = {"name": "python3", "display_name": spec["display_name"], "language": spec["language"]}
        return client, {"kernelspec": named, "language_info": language}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    (root / "tools").mkdir()
    for name in ("lab.py", "lab_config.py"):
        shutil.copy(ROOT / "tools" / name, root / "tools")
    shutil.copytree(ROOT / "tools" / "lab_extensions", root / "tools" / "lab_extensions")
    finished(root / "runs" / "mine" / "02_norm_layers.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"JUPYTER_RUNTIME_DIR": "jupyter", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data",
              "IPYTHONDIR": "ipython"}  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment |= {name: str(root / folder) for name, folder in places.items()} | {"PYTHONPATH": str(ROOT)}
    (root / "config").mkdir()  # as images with Jupyter in them have it
    (root / "config" / "jupyter_config.py").write_text('c.ServerApp.ip = "0.0.0.0"\n')
    log = root / "log"
    with open(log, "wb") as output:
        command = [sys.executable, "tools/lab.py", "--run", "mine", f"--lab=--port {port} --no-browser"]
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=output)
    try:
        yield Server(root, process, log)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def kernel(server):
    client, metadata = server.kernel("notebooks/02_norm_layers.ipynb")
    yield SimpleNamespace(client=client, metadata=metadata)
    client.shutdown()
    client.stop_channels()


def files(root: Path) -> dict[str, bytes]:
    """Everything but what git ignores."""
    return {str(path.relative_to(root)): path.read_bytes() for folder in ("notebooks", "runs")
            for path in (root / folder).rglob("*")
            if path.is_file() and ".ipynb_checkpoints" not in path.parts}  # fmt: skip


@pytest.mark.parametrize("name", CHAPTERS)
def test_opening_and_autosaving_a_chapter_changes_no_byte(server, kernel, name):
    before = files(server.root)
    path = f"notebooks/{name}.ipynb"
    committed = json.loads(before[path])["metadata"]
    for _ in range(2):  # a second time with what the first left behind
        content = server.open(path)
        assert content["metadata"] == content["metadata"] | kernel.metadata  # else Lab has something to save at once
        assert content["metadata"] != committed
        content["metadata"] |= {"kernelspec": {"name": "other"}, "widgets": {"state": {}}}  # if there is a reason to
        server.save(path, content)
    after = files(server.root)
    assert {path for path in {*before, *after} if before.get(path) != after.get(path)} == set()


def test_what_the_reader_changes_reaches_both_files(server, kernel):
    path = server.root / "notebooks" / "08_evaluation.py"
    before, pair = path.read_text(), path.with_suffix(".ipynb").read_text()
    content = server.open("notebooks/08_evaluation.ipynb")
    content["metadata"] |= kernel.metadata
    cell = next(cell for cell in content["cells"] if 'profile = "smoke"' in cell["source"])
    cell["source"] = cell["source"].replace('profile = "smoke"', 'profile = "cpu"')
    server.save("notebooks/08_evaluation.ipynb", content)
    try:
        assert 'profile = "cpu"' in path.read_text() and 'profile = \\"cpu\\"' in path.with_suffix(".ipynb").read_text()
        assert path.read_text().startswith("# %% [markdown]")  # no header
        assert nbformat.read(path.with_suffix(".ipynb"), 4).metadata == nbformat.reads(pair, 4).metadata
    finally:
        path.write_text(before)
        path.with_suffix(".ipynb").write_text(pair)


def test_a_chapter_among_the_results_stays_one_file(server, kernel):
    before = files(server.root)
    path = "runs/mine/02_norm_layers.ipynb"
    content = server.open(path)
    assert "jupytext" not in content["metadata"]
    content["metadata"] |= copy.deepcopy(kernel.metadata) | {"widgets": {}}
    server.save(path, content)
    after = files(server.root)
    assert {*after} == {*before} and {name for name in before if before[name] != after[name]} == {path}
    metadata = json.loads(after[path])["metadata"]
    assert metadata["papermill"]["parameters"] == MADE and metadata["hrvgan"]["key"] == "k"
    assert metadata["language_info"] == kernel.metadata["language_info"] and "widgets" not in metadata


def test_a_widget_that_is_saved_leaves_its_static_twin(server):
    notebook = nbformat.v4.new_notebook()
    outputs = [{WIDGET_VIEW: {"model_id": "gone"}, "text/plain": "a strip"}, {WIDGET_VIEW: {"model_id": "gone"}}]
    notebook.cells = [
        nbformat.v4.new_code_cell("show()", outputs=[nbformat.v4.new_output("display_data", data)]) for data in outputs
    ]
    server.ask("PUT", "api/contents/own.ipynb",
                                 {"type": "notebook", "format": "json", "content": notebook})  # fmt: skip
    saved = nbformat.read(server.root / "own.ipynb", as_version=4)
    kinds = [set(cell.outputs[0].data) for cell in saved.cells]
    assert kinds == [{"text/plain"}, {WIDGET_VIEW}]  # the last has nothing else to show
    assert not (server.root / "own.py").exists()


def test_the_server_is_open_to_its_own_machine_and_token_only(server):
    assert server.about["token"] and server.about["hostname"] == "localhost"
    with pytest.raises(OSError):  # who listens to every address is heard here too
        socket.create_connection(("127.0.0.2", server.about["port"]), timeout=5)
    assert server.ask("GET", "api/status")["started"]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        server.ask("GET", "api/contents/notebooks", token=False)


def test_a_kernel_there_knows_the_run(server, kernel):
    asked = {name: f"__import__('os').environ.get({name!r})" for name in VARIABLES}
    reply = kernel.client.execute("", user_expressions=asked, reply=True, timeout=60)["content"]["user_expressions"]
    told = {name: answer["data"]["text/plain"] for name, answer in reply.items()}
    assert told == dict(zip(VARIABLES, ("'cpu*0.5'", "'mine'", "'weizmann'", "'/data'")))
    line = server.log.read_text().splitlines()[0]
    assert line.startswith("chapters open on the run mine, which is there: PROFILE=cpu*0.5") and "figures/mine/" in line


def test_links_that_land_are_part_of_the_page(server):
    page = urllib.request.urlopen(f"{server.about['url']}lab?token={server.about['token']}", timeout=30).read().decode()
    config = json.loads(re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[1])
    (links,) = (one for one in config["federated_extensions"] if one["name"] == "hrvgan-links")
    place = f"{server.about['url']}lab/extensions/{links['name']}/{links['load']}"
    script = urllib.request.urlopen(place, timeout=30).read().decode()
    assert f"window._JUPYTERLAB['{links['name']}']" in script and "data-jupyter-id" in script


# --- which run ---


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    return tmp_path / "runs"


def test_without_a_word_chapters_stay_as_they_are(runs):
    told, line = lab.chosen("", "")
    assert told == {} and line.startswith("chapters open as they stand: PROFILE=smoke")


def test_a_run_that_is_not_there_is_named_with_the_command_that_makes_it(runs):
    told, line = lab.chosen("cpu", "")
    assert told == {"profile": "cpu", "run": "cpu", "actions": "", "data_root": ""}
    assert "not there yet (make reproduce PROFILE=cpu):" in line
    told, line = lab.chosen("", "other")
    assert told["profile"] == "smoke" and "(make reproduce PROFILE=smoke RUN=other):" in line


def test_a_run_that_is_there_says_how_it_was_made(runs):
    finished(runs / "mine" / "02_norm_layers.ipynb")
    made = {"profile": "cpu*0.5", "run": "mine", "actions": "weizmann", "data_root": "/data"}
    assert lab.chosen("", "mine")[0] == lab.chosen("cpu", "mine")[0] == made
    newer = finished(runs / "mine" / "00_start_here.ipynb", profile="cpu")
    os.utime(newer, (time.time() + 5,) * 2)
    assert lab.chosen("cpu", "mine")[0]["profile"] == "cpu"


@pytest.mark.parametrize(
    "profile, run, told",
    [("cup", "", "unknown profile"), ("", "a/b", "not a folder name"), ("smoke", "mine", "made with PROFILE=cpu"),
     ("", "trial", "rehearsal")],
)  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(runs, capsys, profile, run, told):
    finished(runs / "mine" / "02_norm_layers.ipynb")
    finished(runs / "trial" / "02_norm_layers.ipynb", rehearse=True)
    assert lab.main(["--profile", profile, "--run", run]) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "flags, root", [("", True), ("--port 9999 --no-browser", True), ("--ip 0.0.0.0", False), ("--ip=*", False),
                    ("--ServerApp.ip=''", False), ("--IdentityProvider.token=''", False),
                    ("--ServerApp.password=''", False), ("--PasswordIdentityProvider.hashed_password=x", False)],
)  # fmt: skip
def test_root_is_let_in_behind_the_token_on_this_machine_only(runs, monkeypatch, flags, root):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    ran = []
    monkeypatch.setattr(os, "execv", lambda program, command: ran.append(command))
    lab.main([f"--lab={flags}"])
    assert ("--allow-root" in ran[0]) is root
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    lab.main([f"--lab={flags}"])
    assert "--allow-root" not in ran[1]


@pytest.mark.parametrize(
    "flags, refused", [("--ip 0.0.0.0 --IdentityProvider.token=", True), ("--ip=* --ServerApp.token \"\"", True),
                       ("--ServerApp.ip='' --token=''", True), ("--ip 0.0.0.0", False),
                       ("--ip=* --token=secret", False), ("--ip=* --token= --password_required=False", True),
                       ("--ip=* --token= --PasswordIdentityProvider.hashed_password=x", False),
                       ("--ip 127.0.0.1 --token=", False), ("--IdentityProvider.token=", False)],
)  # fmt: skip
def test_nobody_opens_it_to_others_without_a_token(runs, monkeypatch, capsys, flags, refused):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    ran = []
    monkeypatch.setattr(os, "execv", lambda program, command: ran.append(command))
    assert (lab.main([f"--lab={flags}"]) == 2) is refused is (not ran)
    said = capsys.readouterr().err
    assert said.count("\n") == refused == ("without a token" in said)


@pytest.mark.parametrize("flags", ["--ip=0.0.0.0", "--ServerApp.ip 0.0.0.0", "--ServerApp.sock=place", ""])
def test_it_listens_on_its_own_machine_unless_an_address_is_named(flags):
    given = flags.split()
    assert ("--ServerApp.ip=localhost" in lab.let_in(given)) is (not given)


# --- in the chapter ---


def test_a_chapter_as_printed_opens_on_that_run(monkeypatch, capsys):
    plain = book.open_page("02_norm_layers")
    assert (plain.run, plain.profile.name, capsys.readouterr().out) == ("smoke", "smoke", "")
    for name, value in zip(VARIABLES, ("cpu", "mine", "weizmann", "")):
        monkeypatch.setenv(name, value)
    page = book.open_page("02_norm_layers", profile="smoke", run="", actions="ucf101", data_root="")
    assert (page.run, page.profile.name, page.actions, page.data_root) == ("mine", "cpu", "weizmann", plain.data_root)
    assert capsys.readouterr().out == "profile cpu, run mine: as `make lab` was told\n"


def test_what_the_cell_says_comes_first(monkeypatch, capsys):
    for name, value in zip(VARIABLES, ("cpu", "mine", "weizmann", "/nowhere")):
        monkeypatch.setenv(name, value)
    for given, run in (({"profile": "overnight"}, "overnight"), ({"run": "smoke"}, "smoke")):
        page = book.open_page("02_norm_layers", **given)
        assert (page.run, page.actions) == (run, "ucf101") and capsys.readouterr().out == ""
    page = book.open_page("02_norm_layers", data_root=str(ROOT / "data"))
    assert (page.run, page.data_root) == ("mine", ROOT / "data")


def test_a_series_is_not_told(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "mine")
    chapter = tmp_path / "00_first.py"
    chapter.write_text(f"# %%\nimport os\n\nprint([os.environ[name] for name in {VARIABLES}])\n")
    assert execute(chapter, tmp_path / "out.ipynb").status == "ok"
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells[0].outputs[0].text == "['', '', '', '']\n"
    assert os.environ["HRVGAN_RUN"] == "mine"


# --- the first cell ---


def first_cell(name: str) -> str:
    cells = code_cells_of(read_chapter(ROOT / "notebooks" / f"{name}.py"))
    return next(cell.source for cell in cells if "open_page(" in cell.source)


def run_first_cell(folder: Path, packages: bool) -> subprocess.CompletedProcess:
    """Parameters and first cell in a Python that the library is not installed in, with or without packages."""
    parameters = "\n".join(
        cell.source for cell in code_cells_of(read_chapter(ROOT / "notebooks" / "03_generator.py"))[:1]
    )
    known = f"import sys\nsys.path.append({sysconfig.get_path('platlib')!r})\n" if packages else ""
    code = f"{known}{parameters}\n{first_cell('03_generator')}\nprint(book.__file__)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-S", "-c", code]  # without site an editable install is not seen
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_first_cell_is_the_same_in_every_chapter():
    cells = {" ".join(first_cell(name).replace(name, "NAME").split()) for name in CHAPTERS}
    assert len(cells) == 1


def test_the_first_cell_finds_the_library_beside_its_folder():
    told = run_first_cell(ROOT / "notebooks", packages=True)
    assert told.returncode == 0, told.stderr
    assert Path(told.stdout.strip()).resolve() == ROOT / "hrvgan_lib" / "book" / "__init__.py"


def test_the_first_cell_says_what_a_python_without_packages_lacks():
    told = run_first_cell(ROOT / "notebooks", packages=False)
    last = told.stderr.splitlines()[-1]
    assert last.startswith("ImportError: this Python lacks numpy, torch") and last.endswith("with `make lab`")
