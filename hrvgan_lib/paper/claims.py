"""The claims ledger: each statement of the paper that can be tested, and how (chapter 12)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from .tables import OURS, TABLE1, TABLE2, TABLE3, TABLE4, shape_text

KINDS = ("number", "ordering", "shape", "property", "statement")
NEEDS = {
    "ucf101": "the UCF101 data set",
    "golf": "the Golf data set",
    "aeroplane": "the Aeroplane data set",
    "published classifier": "the C3D weights of TGAN's protocol",
    "named metric": "the network, layer and number of samples behind the paper's value, which it does not name",
    "all systems": "VGAN, TGAN and MoCoGAN trained under one protocol",
}


@dataclass(frozen=True)
class Claim:
    """One testable claim.

    `words` is a short quotation or a close paraphrase; `test` says what is measured and what would settle it;
    `value` is the published number where there is one; `needs` lists keys of NEEDS without which there is no
    verdict on the claim as published (the nearest measurement is still shown). The verdict is measured by
    the run and never stands here.
    """

    id: str
    kind: str
    where: str
    words: str
    test: str
    chapter: str
    value: float | None = None
    needs: tuple[str, ...] = ()
    gap: float | None = None  # of a number: how far the next published one is, which it is to be told from
    by_construction: bool = False  # algebra or the design decides it; no data could say otherwise


_ORDER_TEST = (
    "Both systems under one protocol and on equal budgets, each clear of its own untrained network: the 95 % interval "
    "of their paired difference excludes zero, over three training seeds or more."
)


def _numbers() -> list[Claim]:
    """One claim for each cell of Tables 3 and 4, read from the rows themselves."""
    found = [
        Claim(
            f"is-{_slug(row.model)}", "number", "Table 3",
            words=f"Inception Score of {_named(row.model)} on UCF101: {row.score}",
            test="Score of this system's samples by the protocol of E1, against the published value.",
            chapter="10_tables", value=row.score, needs=("ucf101", "published classifier"),
            gap=_gap(row.score, [other.score for other in TABLE3]),
        )
        for row in TABLE3
    ]  # fmt: skip
    for row in TABLE4:
        for dataset, value in (("golf", row.golf), ("aeroplane", row.aeroplane)):
            found.append(Claim(
                f"fd-{dataset}-{_slug(row.model)}", "number", "Table 4",
                words=f"FID of {_named(row.model)} on {dataset.capitalize()}: {value:,}",
                test="Fréchet distance of a named network, layer and sample count; its ratio to VGAN's (E2).",
                chapter="10_tables", value=float(value), needs=(dataset, "named metric"),
                gap=_gap(value, [getattr(other, dataset) for other in TABLE4]),
            ))  # fmt: skip
    return found


def _orderings() -> list[Claim]:
    """The order of every two rows of Table 3, and of every two in each column of Table 4."""
    found = []
    for lower, higher in combinations(sorted(TABLE3, key=lambda row: row.score), 2):
        found.append(Claim(
            f"is-order-{_slug(higher.model)}-over-{_slug(lower.model)}", "ordering", "Table 3",
            words=f"{_named(higher.model)} scores above {_named(lower.model)}", test=_ORDER_TEST,
            chapter="10_tables", value=higher.score / lower.score, needs=("all systems",),
        ))  # fmt: skip
    for dataset in ("golf", "aeroplane"):
        for better, worse in combinations(sorted(TABLE4, key=lambda row: getattr(row, dataset)), 2):
            found.append(Claim(
                f"fd-order-{dataset}-{_slug(better.model)}-below-{_slug(worse.model)}", "ordering", "Table 4",
                words=f"{_named(better.model)} lies below {_named(worse.model)} on {dataset.capitalize()}",
                test=_ORDER_TEST,
                chapter="10_tables", value=getattr(better, dataset) / getattr(worse, dataset),
                needs=("all systems",),
            ))  # fmt: skip
    return found


def _shapes() -> list[Claim]:
    """One claim for each row of Tables 1 and 2."""
    return [
        Claim(
            f"table{number}-row{place:02d}", "shape", f"Table {number}, row {place}",
            words=f"{row.layer}, {row.activation}: {shape_text(row.printed)}",
            test="Row traced from the network that is trained, compared with the printed row.",
            chapter=chapter,
        )
        for number, rows, chapter in ((1, TABLE1, "03_generator"), (2, TABLE2, "04_discriminator"))
        for place, row in enumerate(rows, start=1)
    ]  # fmt: skip


def _gap(value: float, column: list[float]) -> float:
    """From a published number to the next one of its column."""
    return float(min(abs(value - other) for other in column if other != value))


def _slug(model: str) -> str:
    return _named(model).lower()


def _named(model: str) -> str:
    return "HRVGAN" if model == OURS else model


_READ_LINE_BY_LINE = (
    Claim(
        "novel-results-is",
        "ordering",
        "Abstract; 2; 5; 6",
        words="outperforms previous methods: ahead of VGAN, TGAN and MoCoGAN by Inception Score",
        test="All orderings of Table 3 that have HRVGAN ahead, together. How far: E6; other published scores: E5.",
        chapter="10_tables",
        needs=("all systems",),
    ),
    Claim(
        "novel-results-fd",
        "ordering",
        "Abstract; 2; 5; 6",
        words="consistently outperforms VGAN and TGAN by FID on both data sets",
        test="All orderings of Table 4 that have HRVGAN ahead, together. How substantially: E6.",
        chapter="10_tables",
        needs=("all systems",),
    ),
    Claim(
        "resolution-256",
        "shape",
        "Abstract; 2",
        words="high-resolution video generation at 256×256 pixels",
        test="Table 1 in full: shape and parameters of one sample at 32×256×256.",
        chapter="03_generator",
        value=256.0,
    ),
    Claim(
        "resolution-rivals",
        "statement",
        "2",
        words="the output of [27] was limited to 64×64 pixels",
        test="Output shape of MoCoGAN as published.",
        chapter="10_tables",
        value=64.0,
        needs=("all systems",),
        by_construction=True,
    ),
    Claim(
        "rivals-low-resolution",
        "statement",
        "2",
        words="most existing methods generate low-resolution videos",
        test="Side of a clip of the three rivals as published. ([1] and [20] of the bibliography reach 256 and 192.)",
        chapter="10_tables",
        value=64.0,
        needs=("all systems",),
        by_construction=True,
    ),
    Claim(
        "vgan-two-streams",
        "statement",
        "2",
        words="[30]: two parallel streams in G, of 2-D and of 3-D convolutions, and a 3-D discriminator",
        test="Kinds of convolution in VGAN's background, foreground and discriminator as published.",
        chapter="10_tables",
        value=3.0,
        needs=("all systems",),
        by_construction=True,
    ),
    Claim(
        "tgan-cascade",
        "statement",
        "2",
        words="[21]: 1-D deconvolutions turn a latent vector into a sequence, and an image generator draws each frame",
        test="Shapes along TGAN as published: vectors behind the temporal generator, frames behind the other.",
        chapter="10_tables",
        value=16.0,
        needs=("all systems",),
        by_construction=True,
    ),
    Claim(
        "detail-over-prior-work",
        "ordering",
        "2",
        words="significantly improving spatial detail and temporal coherence over prior work",
        test="Sharpness of frames and frame-to-frame change, each as a ratio to real clips, for all systems.",
        chapter="10_tables",
        needs=("all systems",),
    ),
    Claim(
        "diversity-over-prior-work",
        "ordering",
        "Abstract",
        words="outperforms previous methods in diversity",
        test="Coverage of real clips by samples (chapter 10), HRVGAN less each rival, paired, on equal budgets.",
        chapter="10_tables",
        needs=("all systems",),
    ),
    Claim(
        "temporal-coherence",
        "property",
        "Abstract; 4.2; 5",
        words="temporally coherent frame sequences; temporal consistency",
        test=(
            "Frame-to-frame change of samples against real clips and against the same frames in shuffled order; an "
            "untrained network, noise and shuffled samples must not pass."
        ),
        chapter="09_latent_space",
    ),
    Claim(
        "class-conditional",
        "property",
        "Abstract; 4.2",
        words="class labels enable class-specific generation",
        test=(
            "Share of samples that an independent classifier gives the asked class, at least twice that of guessing; "
            "an untrained network must not pass."
        ),
        chapter="10_tables",
    ),
    Claim(
        "labels-improve-consistency",
        "property",
        "Abstract",
        words="class labels give improved semantic consistency",
        test="Inception Score of HRVGAN with labels less that without, paired, on equal budgets.",
        chapter="10_tables",
    ),
    Claim(
        "labels-in-training-and-inference",
        "statement",
        "Abstract",
        words="class labels during both training and inference",
        test="Same latent, two labels: the clips differ; D's score changes with the label.",
        chapter="03_generator",
        by_construction=True,
    ),
    Claim(
        "smooth-interpolation",
        "property",
        "5, Figs. 2 and 3",
        words="linear interpolation shows smooth and meaningful transitions",
        test=(
            "Path length of the interpolation in feature space against a random walk of as many latents; an untrained "
            "network, a cross-fade and a memory must not pass."
        ),
        chapter="09_latent_space",
    ),
    Claim(
        "spatiotemporal-discriminator",
        "property",
        "4.2",
        words="3-D convolutions let D analyse the spatiotemporal coherence of its input",
        test=(
            "D's score of held-out clips less that of the same frames in shuffled order, in standard deviations of its "
            "scores; D before its first step must not pass."
        ),
        chapter="06_training_loop",
    ),
    Claim(
        "figure4",
        "property",
        "5, Fig. 4",
        words="8 consecutive frames of JumpingJack and TaiChi from random latents",
        test="The same layout from our generator, strips named by the classifier; an untrained network must not pass.",
        chapter="09_latent_space",
    ),
    Claim(
        "lipschitz-stabilises",
        "property",
        "Abstract; 1; 3.2; 6",
        words="a k-Lipschitz constraint on D stabilises training and enhances convergence",
        test=(
            "Runs that differ in the constraint only, over seeds: diverged or not, and Fréchet distance at "
            "equal budget."
        ),
        chapter="11_ablations",
    ),
    Claim(
        "k-absorbed",
        "property",
        "4.5",
        words="λ1 and λ2 absorb the scale k caused by the k-Lipschitz constraint on Wasserstein loss",
        test="Gradients of fakes as k goes from 1 to 3, under the Wasserstein loss: does one factor fit all of them?",
        chapter="05_losses",
        by_construction=True,
    ),
    Claim(
        "k-absorbed-bce",
        "property",
        "4.5, Eqs. 12-14",
        words="λ1 and λ2 absorb the scale k (in Eqs. 12-14, where they stand)",
        test="The same under the binary cross-entropy of Eqs. 12-14, with k as a slope of D and as the printed shift.",
        chapter="05_losses",
        by_construction=True,
    ),
    Claim(
        "wgan-less-collapse",
        "property",
        "2; 3.2",
        words="minimising the Wasserstein distance stabilises training (tested: its slope where Eqs. 1-3 have none)",
        test="Eq. 4 exactly against Eqs. 1-3 on distributions that do not overlap: which has a gradient.",
        chapter="05_losses",
        by_construction=True,
    ),
    Claim(
        "weight-clipping",
        "statement",
        "3.2",
        words="weight clipping enforces a K-Lipschitz constraint (holds by construction, for some K)",
        test="Steepest slope of a critic after clipping, against the bound that its clipped weights imply.",
        chapter="05_losses",
        by_construction=True,
    ),
    Claim(
        "nash",
        "property",
        "3.1",
        words="G and D play a zero-sum game with a Nash equilibrium",
        test="Value of Eqs. 1-2 at its closed-form equilibrium, D = 1/2: 2 log 2.",
        chapter="05_losses",
        by_construction=True,
    ),
    Claim(
        "least-squares",
        "property",
        "3.1",
        words="least squares and feature matching reduce instability (the part tested: the pull far from data)",
        test="Gradients of both losses for samples on the right side of the boundary but far from the data.",
        chapter="05_losses",
        by_construction=True,
    ),
    Claim(
        "minibatch-discrimination",
        "property",
        "3.1",
        words="minibatch discrimination reduces mode collapse (the part tested: a collapsed batch can be told)",
        test="The statistic that D is given of eight copies of one clip, over that of eight different clips.",
        chapter="02_norm_layers",
        by_construction=True,
    ),
    Claim(
        "batch-norm-helps",
        "property",
        "4.2",
        words="batch norm in G facilitates gradient flow and convergence",
        test="Same budget with and without it: gradient norm of the first layer, Fréchet distance.",
        chapter="11_ablations",
    ),
    Claim(
        "instance-norm-helps",
        "property",
        "4.2",
        words="instance norm in D improves generalisation",
        test="Same budget with and without it: gap of D between training and held-out clips.",
        chapter="11_ablations",
    ),
    Claim(
        "covariate-shift",
        "property",
        "4.2",
        words="instance norm in D reduces internal covariate shift",
        test=(
            "How far training moves the mean input of D's convolutions, channel by channel, in their standard "
            "deviations: with instance norm over without, at equal budget."
        ),
        chapter="11_ablations",
    ),
    Claim(
        "pixel-norm-explosion",
        "property",
        "4.3",
        words="pixel norm avoids an explosion of parameters in G and D (tested on magnitudes: A13)",
        test="Largest activation over depth with growing weights, with and without Eq. 8.",
        chapter="02_norm_layers",
    ),
    Claim(
        "instance-norm-gradient",
        "property",
        "4.4",
        words="instance norm solves the vanishing gradient problem",
        test="Gradient norm at the first of many layers with small weights, with and without Eq. 9.",
        chapter="02_norm_layers",
    ),
    Claim(
        "leaky-relu",
        "property",
        "4.2",
        words="leaky ReLU in D ensures gradient flow below zero",
        test="Share of zero gradients at D's input with leaky and with plain ReLU.",
        chapter="04_discriminator",
        by_construction=True,
    ),
    Claim(
        "relu-generator",
        "property",
        "4.2",
        words="ReLU in G keeps strong gradients and gives sparse activations",
        test="Share of zero activations in G, and gradient norm at the latent.",
        chapter="03_generator",
    ),
    Claim(
        "conv3d-over-1d",
        "property",
        "1",
        words="3-D convolutions are necessary where 1-D over time is cheaper",
        test="Fréchet distance of the network as it is over that with 2-D + 1-D convolutions, at equal budget.",
        chapter="11_ablations",
    ),
    Claim(
        "conv1d-cheaper",
        "property",
        "1",
        words="1-D convolutions over time reduce the computational cost",
        test="Multiplications and additions of G for one clip, 2-D + 1-D over 3-D, counted from the modules.",
        chapter="11_ablations",
        by_construction=True,
    ),
    Claim(
        "mse-balance",
        "property",
        "Abstract; 4.2; 4.5",
        words="adversarial and pixel loss together balance frame accuracy and realism",
        test=("β = 0, β = 0.5 on the reconstruction, β = 0.5 on unrelated clips: sharpness and Fréchet distance."),
        chapter="11_ablations",
    ),
    Claim(
        "reconstruction-fidelity",
        "property",
        "4.2",
        words="a reconstruction network maps latents into the pixel space (our reading: A20)",
        test=(
            "Error of G(E(Y)) on held-out clips over that of the best clip that ignores its input, the training mean; "
            "an untrained network must not pass."
        ),
        chapter="06_training_loop",
    ),
    Claim(
        "equal-weights",
        "statement",
        "4.5, Eq. 15",
        words="α = β = 0.5 (holds by construction)",
        test="Value and gradient of the combined loss.",
        chapter="05_losses",
        value=0.5,
        by_construction=True,
    ),
    Claim(
        "unsupervised",
        "property",
        "Abstract; 1; 2; 6",
        words="unsupervised video generation",
        test=(
            "HRVGAN without any label: its Fréchet distance over that of the same network before its first step; "
            "another untrained network must not pass."
        ),
        chapter="10_tables",
    ),
    Claim(
        "latent-per-frame",
        "statement",
        "4.2",
        words="the input is a sequence of latent noise vectors, each corresponding to a frame",
        test="Latent vectors that the network of Table 1 takes for a clip of 32 frames (A16).",
        chapter="03_generator",
        value=32.0,
        by_construction=True,
    ),
    Claim(
        "generality",
        "property",
        "1; 2",
        words="generalisable across diverse data sets and tasks",
        test=("The same network and preset on all three data sets, labelled and not; prediction is the second task."),
        chapter="10_tables",
        needs=("ucf101", "golf", "aeroplane"),
    ),
    Claim(
        "prediction",
        "property",
        "1; 4.2; 4.5",
        words="predicts frames Y from frames X",
        test=(
            "PSNR of the predicted frames over the second half of the horizon, on held-out clips, less that of the "
            "last frame held."
        ),
        chapter="07_prediction",
    ),
    Claim(
        "fid-more-accurate",
        "property",
        "4.7",
        words="FID is more accurate than the Inception Score",
        test="Both metrics on real clips damaged step by step: which goes the right way more steadily, kind by kind.",
        chapter="08_evaluation",
    ),
    Claim(
        "is-diversity",
        "property",
        "4.7",
        words="a higher Inception Score means diverse images without mode collapse",
        test="Score of samples restricted to ever fewer classes, and of one clip of each class repeated.",
        chapter="08_evaluation",
    ),
    Claim(
        "data-ucf101",
        "number",
        "4.1",
        words="UCF101 has 13320 videos of 101 actions",
        test="Count of the official lists, and of files where the data set is there.",
        chapter="01_videos",
        value=13_320.0,
        needs=("ucf101",),
        gap=1.0,
    ),
    Claim(
        "data-public",
        "statement",
        "2",
        words="publicly available benchmark data sets, including UCF101, Golf and Aeroplane",
        test="How many of the three were there for this run; whether they can be had today is not for a run to say.",
        chapter="01_videos",
        value=3.0,
        needs=("ucf101", "golf", "aeroplane"),
    ),
    Claim(
        "data-stacks",
        "shape",
        "4.1",
        words="Golf and Aeroplane have 128×128 frames",
        test="Shape of the decoded frames.",
        chapter="01_videos",
        value=128.0,
        needs=("golf", "aeroplane"),
    ),
    Claim(
        "sgd",
        "statement",
        "4.2; 6",
        words="trained end to end by mini-batch SGD",
        test="The same network trained by SGD without momentum: its Fréchet distance over that of untrained weights.",
        chapter="11_ablations",
    ),
    Claim(
        "detailed-description",
        "statement",
        "Abstract; 2; 6",
        words="comprehensive details of architecture, optimisation and algorithm",
        test="Number of entries that the decision ledger needed to make the system run.",
        chapter="12_claims_and_decisions",
    ),
)

CLAIMS: dict[str, Claim] = {entry.id: entry for entry in (*_numbers(), *_orderings(), *_READ_LINE_BY_LINE, *_shapes())}


def claim(id: str) -> Claim:
    """The claim with this id. Raises ValueError for an id that the ledger does not hold."""
    if id not in CLAIMS:
        raise ValueError(f"the claims ledger has no entry {id!r}: see hrvgan_lib.paper.CLAIMS for all {len(CLAIMS)}")
    return CLAIMS[id]
