"""GAN systems by name. A new system is one new file and one line in `SYSTEMS`."""

from hrvgan_lib.keys import Registry
from hrvgan_lib.networks.system import System

SYSTEMS: Registry[type[System]] = Registry({
    "hrvgan": "hrvgan_lib.networks.hrvgan.HRVGAN",
    "prediction": "hrvgan_lib.networks.prediction.Prediction",
    "vgan": "hrvgan_lib.networks.vgan.VGAN",
    "tgan": "hrvgan_lib.networks.tgan.TGAN",
    "mocogan": "hrvgan_lib.networks.mocogan.MoCoGAN",
    "ivgan": "hrvgan_lib.networks.ivgan.IVGAN",
})  # fmt: skip


def system_class(name: str) -> type[System]:
    """The class of a system. Raises ValueError for an unknown name."""
    if name not in SYSTEMS:
        raise ValueError(f"unknown system '{name}'; choose one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def build_system(name: str, *, frames: int = 8, size: int = 32, n_classes: int | None = None,
                 **options: object) -> System:  # fmt: skip
    """Build a GAN system.

    Args:
        name: a key of `SYSTEMS`.
        frames, size: shape of a clip, (3, frames, size, size); the system says which it can be cut to.
        n_classes: None or 0 for an unconditional system.
        options: fields of the system's own configuration, such as `HRVGANConfig`; for HRVGAN also `preset`.

    Raises:
        ValueError: an unknown system, shape, preset or option.
    """
    return system_class(name)(frames=frames, size=size, n_classes=n_classes or 0, **options)


__all__ = ["SYSTEMS", "System", "build_system", "system_class"]
