"""Fit the mixtures of tests/fc6_mixtures.npz to what a judge saw: python tests/fit_mixtures.py runs/cpu

One bell curve a class, of real training clips and of HRVGAN's samples, in the directions that carry the features (fc6
of the judge, chapter 08). A Fréchet distance does not change when clouds are rotated, so that these few coordinates
stand for all features. tests/simulations.py draws from the mixtures; run this again when the judge has changed for
good.
"""

import re
import sys
from pathlib import Path

import numpy as np

DIRECTIONS = 48
TRAINING_LOOKS = 12  # more looks than the test split has


def features(folder: Path, source: str, units: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """All labelled features of a source's draws, with `units` different units at least: (N, D) and labels (N,)."""
    found = []
    for place in sorted((folder / "evaluations" / "features").iterdir()):
        if not re.fullmatch(f"{source}-[0-9a-f]{{12}}", place.name):
            continue
        parts = [dict(np.load(path, allow_pickle=False)) for path in sorted(place.glob("*.npz"))]
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        if "labels" in whole and len(np.unique(whole.get("units", 0))) >= units and whole["features"].var() > 1e-3:
            found.append(whole)
    most = max(len(one["features"]) for one in found)  # fewer clips are those of another chapter's systems
    found = [one for one in found if len(one["features"]) == most]
    return tuple(np.concatenate([one[name] for one in found]) for name in ("features", "labels"))


def main(folder: Path) -> None:
    sides = {"real": features(folder, "real", TRAINING_LOOKS), "fake": features(folder, "hrvgan")}
    everything = np.concatenate([rows for rows, _ in sides.values()]).astype(np.float64)
    *_, directions = np.linalg.svd(everything - everything.mean(axis=0), full_matrices=False)
    kept = {}
    for side, (rows, labels) in sides.items():
        flat = (rows - everything.mean(axis=0)) @ directions[:DIRECTIONS].T
        classes = [flat[labels == label] for label in np.unique(labels)]
        kept[f"{side}_means"] = np.stack([one.mean(axis=0) for one in classes]).astype(np.float16)
        roots = [np.linalg.cholesky(np.cov(one, rowvar=False) + 1e-6 * np.eye(DIRECTIONS)) for one in classes]
        kept[f"{side}_roots"] = np.stack(roots).astype(np.float16)  # covariance = root @ root.T
    np.savez_compressed(Path(__file__).parent / "fc6_mixtures.npz", **kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
