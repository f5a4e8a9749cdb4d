"""A machine with a GPU, played on one without (stand_in/): does everything that computes stay where it belongs?

What is played ran on a real GPU under other code. A training that lost its last records there, for example, is nothing
that a CPU would show.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

from hrvgan_lib.ablations import STUDIES
from hrvgan_lib.networks import SYSTEMS
from hrvgan_lib.provenance import repo_root

ARMS = [dict(arm.options) for study in STUDIES.values() for arm in study.arms if arm.options]
CASES = [(name, {}) for name in SYSTEMS] + [("hrvgan", arm) for arm in ARMS] + [("prediction", {"alpha": 0.0})]

TOUR = """
import json, sys, tempfile
from pathlib import Path

import torch

from hrvgan_lib.devices import pick_device
from hrvgan_lib.metrics.eyes import judge, judge_training
from hrvgan_lib.networks import SYSTEMS, build_system
from hrvgan_lib.series.timing import RandomClips
from hrvgan_lib.training import TrainConfig, train

def built(name, options, device):
    torch.manual_seed(0)
    labels = 2 * SYSTEMS[name].takes_labels
    return build_system(name, frames=8, size=16, n_classes=labels, width=0.0625, **options).to(device)

def steps(system, config, folder=None):
    clips = RandomClips(8, 16, system.n_classes)
    return list(train(system, clips, config, folder, dtype=torch.float32))

found = {"device": str(pick_device()), "trainings": []}
for name, options in json.loads(sys.argv[1]):
    config, seen = TrainConfig(steps=3, batch=4), []
    for device in (pick_device(), "cpu")[: 1 if options else 2]:  # each system once on the CPU too
        system = built(name, options, device)
        records = steps(system, config)
        losses = [{**record.discriminator, **record.generator} for record in records]
        seen.append([[record.step for record in records], losses[0], {str(p.device) for p in system.parameters()} ])
        if name != "prediction":
            assert system.sample(3).device.type == "cpu"
        else:
            assert system.predict(torch.zeros(3, 3, 4, 16, 16), torch.tensor([0, 1, 0])).device.type == "cpu"
    found["trainings"].append([name, options, *[[a, b, sorted(c)] for a, b, c in seen]])

config = TrainConfig(steps=6, batch=4, save_every=2)
with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
    whole, parts = built("hrvgan", {}, pick_device()), built("hrvgan", {}, pick_device())
    steps(whole, config, Path(one))
    for record in train(parts, RandomClips(8, 16, 2), config, Path(two), dtype=torch.float32):
        if record.step == 4:
            break
    again = built("hrvgan", {}, pick_device())
    found["resumed"] = [record.step for record in steps(again, config, Path(two))]
    found["alike"] = all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters()))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def tour():
    if not shutil.which("c++"):
        pytest.skip("no C++ compiler builds the played device here")
    play = repo_root() / "tests" / "stand_in"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(play), str(repo_root())])}
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", TOUR, json.dumps(CASES)], env=environment,
                         capture_output=True, text=True)  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


def test_every_training_stays_on_the_gpu_and_yields_every_step(tour):
    assert tour["device"] == "gpu"
    assert len(tour["trainings"]) == len(CASES)
    for name, options, (steps, losses, places), *on_cpu in tour["trainings"]:
        assert steps == [1, 2, 3] and places == ["gpu:0"], (name, options)
        assert options or losses == pytest.approx(on_cpu[0][1], rel=1e-3, abs=1e-4), name


def test_a_stopped_training_goes_on_there(tour):
    assert tour["resumed"] == [5, 6] and tour["alike"]
