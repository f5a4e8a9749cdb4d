"""The paper's bibliography under its own numbers, so that a chapter can cite [30] (chapter 00)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One entry of the bibliography: its number, the short form we cite by, title and year."""

    number: int
    name: str
    title: str
    year: int


_ENTRIES = (
    (1, "Acharya et al.", "Towards high resolution video generation with progressive growing of sliced "
     "Wasserstein GANs", 2018),
    (2, "Arjovsky et al.", "Wasserstein GAN", 2017),
    (3, "Cai et al.", "Deep video generation, prediction and completion of human action sequences", 2018),
    (4, "Carreira & Zisserman", "Quo vadis, action recognition? A new model and the Kinetics dataset", 2017),
    (5, "Clark et al.", "Efficient video generation on complex datasets", 2019),
    (6, "Denton & Fergus", "Stochastic video generation with a learned prior", 2018),
    (7, "Deshpande et al.", "Generative modeling using the sliced Wasserstein distance", 2018),
    (8, "Ghosh et al.", "Multi-agent diverse generative adversarial networks", 2018),
    (9, "Goodfellow et al.", "Generative adversarial nets", 2014),
    (10, "Gulrajani et al.", "Improved training of Wasserstein GANs", 2017),
    (11, "He et al.", "Probabilistic video generation using holistic attribute control", 2018),
    (12, "Heusel et al.", "GANs trained by a two time-scale update rule converge to a local Nash equilibrium",
     2017),
    (13, "Huang et al.", "What makes a video a video", 2018),
    (14, "Karras et al.", "Progressive growing of GANs for improved quality, stability, and variation", 2017),
    (15, "Kratzwald et al.", "Towards an understanding of our world by GANing videos in the wild", 2017),
    (16, "Mao et al.", "Least squares generative adversarial networks", 2017),
    (17, "Metz et al.", "Unrolled generative adversarial networks", 2016),
    (18, "Mirza & Osindero", "Conditional generative adversarial nets", 2014),
    (19, "Pan et al.", "Video generation from single semantic label map", 2019),
    (20, "Saito & Saito", "TGANv2: efficient training of large models for video generation", 2018),
    (21, "Saito et al. (TGAN)", "Temporal generative adversarial nets with singular value clipping", 2017),
    (22, "Salimans et al.", "Improved techniques for training GANs", 2016),
    (23, "Soomro et al.", "UCF101: a dataset of 101 human actions classes from videos in the wild", 2012),
    (24, "Srivastava et al.", "VEEGAN: reducing mode collapse in GANs using implicit variational learning",
     2017),
    (25, "Sun et al.", "A two-stream variational adversarial network for video generation", 2018),
    (26, "Torrado et al.", "Bootstrapping conditional GANs for video game level generation", 2019),
    (27, "Tulyakov et al. (MoCoGAN)", "MoCoGAN: decomposing motion and content for video generation", 2018),
    (28, "van den Oord et al.", "Conditional image generation with PixelCNN decoders", 2016),
    (29, "Villegas et al.", "Learning to generate long-term future via hierarchical prediction", 2017),
    (30, "Vondrick et al. (VGAN)", "Generating videos with scene dynamics", 2016),
    (31, "Wang et al.", "Perceptual adversarial networks for image-to-image transformation", 2018),
    (32, "Wang et al. (ImaGINator)", "ImaGINator: conditional spatio-temporal GAN for video generation",
     2020),
    (33, "Xiong et al.", "Learning to generate time-lapse videos using multi-stage dynamic GANs", 2018),
    (34, "Yang et al.", "Pose guided human video generation", 2018),
)  # fmt: skip

REFERENCES: dict[int, Reference] = {entry[0]: Reference(*entry) for entry in _ENTRIES}


def cite(number: int) -> str:
    """`cite(30)` -> "Vondrick et al. (VGAN), 2016 [30]". Raises ValueError for an unknown number."""
    if number not in REFERENCES:
        raise ValueError(f"the paper has no reference [{number}]: choose 1 to {max(REFERENCES)}")
    reference = REFERENCES[number]
    return f"{reference.name}, {reference.year} [{number}]"
