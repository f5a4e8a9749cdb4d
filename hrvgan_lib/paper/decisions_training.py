"""Decisions T1-T9, L1-L13, O1-O3: task, data, losses and optimiser (chapters 01, 05, 06 and 09)."""

from __future__ import annotations

from .decision_entry import Decision

TRAINING = (
    Decision(
        "T1",
        "Generation or prediction",
        "Abstract; Eqs. 10-15; Algorithm 1; Fig. 1",
        open_point=(
            "Title, abstract and Tables 3-4 speak of clips from noise; Eqs. 10-15 and Algorithm 1 take a "
            "pair X, Y. The MSE needs a target that belongs to the sample."
        ),
        options=(
            "MSE against the reconstruction G(E(Y))",
            "MSE between G(z) and an unrelated real clip, the literal reading",
            "no MSE (β = 0)",
            "prediction: X the first frames, Y the last",
        ),
        choice="two modes behind one switch; generation with MSE against the reconstruction is the default",
        why=(
            "Keeps α = β = 0.5, keeps sampling from noise for Tables 3 and 4, and gives the reconstruction a meaning."
        ),
        switch="HRVGANConfig.pixel_loss, build_system.name",
        chapter="06_training_loop",
    ),
    Decision(
        "T2",
        "How many frames in, how many out",
        "Section 4.2",
        open_point="m input and n predicted frames are named without values.",
        options=("16 and 16", "other splits of 32"),
        choice=(
            "half and half of any cut of Table 2; G and E leave out one doubling of time, and E hands G its map of "
            "128x4x4x4; G writes the change from the last frame of X"
        ),
        why=(
            "X and Y together are then the 32 frames of Table 2. A single vector of 128 loses where things are, and a "
            "network that starts from the last frame need not copy the background through a map of 4x4."
        ),
        switch="PredictionConfig.given, PredictionConfig.features, PredictionConfig.change",
        chapter="07_prediction",
    ),
    Decision(
        "T3",
        "Frame rate and windows",
        "Section 4.1",
        open_point="Stride and start of the 32-frame windows are not given.",
        options=("stride 1, random start", "another stride"),
        choice=("a window of 32 frames at the source's rate, random start; fewer frames subsample the same window"),
        why=("A smaller cut of the network then sees the same stretch of time; a short clip repeats its last frame."),
        switch="open_dataset.stride",
        chapter="01_videos",
    ),
    Decision(
        "T4",
        "Splits",
        "Section 4.1",
        open_point="The data sets serve training and testing; the split is not named.",
        options=("official split 1", "all three splits", "everything"),
        choice="UCF101: official split 1; Golf and Aeroplane: by source video",
        why="No source video, and so no scene, stands on both sides.",
        switch="open_dataset.fold",
        chapter="01_videos",
    ),
    Decision(
        "T5",
        "Augmentation",
        "Section 4.1",
        open_point="None is mentioned.",
        options=("none", "horizontal flips"),
        choice="none",
        why="Nothing is mentioned, and a flip turns a right-handed golfer into another one.",
        chapter="01_videos",
    ),
    Decision(
        "T6",
        "Range of pixels",
        "Eq. 11",
        open_point="Eq. 11 takes values in [0, 1]; the range of pixels is not given.",
        options=("pixels in [-1, 1], probabilities in [0, 1]", "everything in [0, 1]"),
        choice="pixels in [-1, 1], probabilities in [0, 1]",
        why=(
            "Eq. 11 is applied to D's output, which is a probability. The printed ReLU (A5) would keep G's pixels "
            "above zero; the clips stay in [-1, 1] under every switch."
        ),
        switch="HRVGANConfig.final_activation",
        chapter="05_losses",
    ),
    Decision(
        "T7",
        "Unsupervised or class-conditional",
        "Title, abstract, section 4.2",
        open_point="The method is called unsupervised and uses action labels.",
        options=("with labels", "without labels"),
        choice="both are built; each row says which it is",
        why="A comparison with unconditional systems must not be decided by labels.",
        switch="build_system.n_classes",
        chapter="10_tables",
    ),
    Decision(
        "T8",
        "Interpolation",
        "Section 5, Figs. 2 and 3",
        open_point="Linear interpolation; number of steps and the choice of frames are not given.",
        options=("linear", "spherical"),
        choice="linear, five rows, every fourth of 32 frames",
        why="The layout of the paper's figures.",
        switch="interpolate.path",
        chapter="09_latent_space",
    ),
    Decision(
        "T9",
        "Frames of Figure 4",
        "Section 5, Fig. 4",
        open_point=("Eight consecutive frames of two actions; at 25 frames a second that is a third of a second."),
        options=("eight consecutive", "every fourth of 32"),
        choice="eight consecutive; a second strip takes every fourth",
        why="The first is the paper's layout, the second lets the motion be seen.",
        chapter="09_latent_space",
    ),
    Decision(
        "L1",
        "Sign of the game",
        "Eqs. 1-3",
        open_point="F is the discriminator's loss (minus logs), and Eq. 3 maximises it over D.",
        options=("D minimises F, G maximises it", "signs as printed", "non-saturating G"),
        choice="D minimises F; G uses the non-saturating form in training",
        why="The only signs under which D learns to tell; the saturating form stays as a function.",
        chapter="05_losses",
    ),
    Decision(
        "L2",
        "Sign and penalty of the critic",
        "Section 3.2, Eqs. 5-6",
        open_point=(
            "The sign lets D grow without bound downwards; the text names weight clipping, the formula is "
            "the gradient penalty; λ and the points x̂ are not defined."
        ),
        options=("E D(G(z)) - E D(x) + penalty, minimised", "weight clipping", "as printed"),
        choice="E D(G(z)) - E D(x) + 10 E(‖∇‖ - k)², x̂ uniform on lines between real and generated clips",
        why="The published form of [10]; clipping is built beside it.",
        switch="HRVGANConfig.lipschitz, HRVGANConfig.lambda_gp",
        chapter="05_losses",
    ),
    Decision(
        "L3",
        "Where the condition stands",
        "Section 3.3, Eq. 7",
        open_point="The condition does not appear in Eq. 7; one bracket is open; z is drawn from p_x.",
        options=("D(x|y) and G(z|y)", "condition in G only"),
        choice="D(x|y) and G(z|y), z from p_z",
        why="The definition of [18], which the sentence cites.",
        chapter="05_losses",
    ),
    Decision(
        "L4",
        "Brackets and arguments of the cross-entropy",
        "Eq. 11",
        open_point="Without brackets the second term has a plus sign; the text calls the arguments frames.",
        options=("-Σ[t log p + (1-t) log(1-p)], prediction first", "as printed"),
        choice="-Σ[t log p + (1-t) log(1-p)], prediction first, applied to D's output",
        why="The only reading with its minimum at p = t.",
        chapter="05_losses",
    ),
    Decision(
        "L5",
        "What D - k means",
        "Eqs. 12-14",
        open_point="If D is a probability, D - k is negative and its logarithm undefined; k has no value.",
        options=(
            "D a logit, shifted by k",
            "D scaled by 1/k",
            "k dropped",
            "a Wasserstein loss with k-Lipschitz critic",
            "as printed",
        ),
        choice="D a logit, shifted by k = 1, in both presets",
        why=(
            "The shift is the closest form that can be computed. D's last bias absorbs it (chapter 05), so that "
            "k changes nothing but the start."
        ),
        switch="HRVGANConfig.adversarial, HRVGANConfig.k",
        chapter="05_losses",
    ),
    Decision(
        "L6",
        "How the k-Lipschitz constraint is enforced",
        "Abstract; section 4.5; Algorithm 1",
        open_point="The constraint is named; no step of Algorithm 1 enforces it.",
        options=("gradient penalty", "spectral norm", "weight clipping", "none"),
        choice=(
            "none in both presets, as in Algorithm 1; the other three are switches, and k is the slope that the "
            "penalty asks for"
        ),
        why="Algorithm 1 is the specification; what each constraint does is measured beside it.",
        switch="HRVGANConfig.lipschitz",
        chapter="05_losses",
    ),
    Decision(
        "L7",
        "What i and N count",
        "Eqs. 12-14",
        open_point=("D_i and G_i carry an index that the text does not define; the λ2 term stands outside the sum."),
        options=("clips of the mini-batch", "frames", "scales of a pyramid", "several discriminators"),
        choice="clips of the mini-batch, one D, mean over the batch, both terms inside",
        why="One D and one G are described.",
        chapter="05_losses",
    ),
    Decision(
        "L8",
        "λ1 and λ2",
        "Eqs. 12-14",
        open_point="No values; they are also said to absorb the scale k.",
        options=("1 and 1", "other weights"),
        choice="1 and 1",
        why="Equal parts, as in Eqs. 1-2.",
        switch="HRVGANConfig.lambda_1, HRVGANConfig.lambda_2",
        chapter="05_losses",
    ),
    Decision(
        "L9",
        "α, β and the weights of Algorithm 1",
        "Eq. 15; Algorithm 1",
        open_point=(
            "Eq. 15 has α = β = 0.5, Algorithm 1 has λ_adv and λ_mse without values; α is also a learning rate."
        ),
        options=("λ_adv = α, λ_mse = β", "separate values"),
        choice="λ_adv = α = 0.5 and λ_mse = β = 0.5; learning rates are named apart",
        why="One pair of weights under two names.",
        switch="HRVGANConfig.alpha, HRVGANConfig.beta",
        chapter="05_losses",
    ),
    Decision(
        "L10",
        "Sum or mean in the MSE",
        "Eq. 10",
        open_point="‖·‖² is a sum over all values of a clip; the text says mean.",
        options=("mean", "sum", "the norm without its square"),
        choice="mean in the literal preset, the norm in the stable one",
        why=(
            "Beside the adversarial term a sum over millions of values is all that is heard, and a mean is not heard "
            "at all; the gradient of the norm has length one for clips of every size."
        ),
        switch="HRVGANConfig.pixel_reduction",
        chapter="05_losses",
    ),
    Decision(
        "L11",
        "Details of Algorithm 1",
        "Section 4.6",
        open_point=(
            "Sums of gradients over M samples, one update each, two draws of data; no noise, labels, critic "
            "iterations or stopping rule."
        ),
        options=("mean, 1:1, fixed number of steps", "several D updates for one of G", "sum"),
        choice="mean over the batch, one update each, fresh data for each, a fixed number of steps",
        why="As printed but for the mean, which only rescales the learning rate.",
        switch="HRVGANConfig.critic_steps",
        chapter="06_training_loop",
    ),
    Decision(
        "L12",
        "D of a pair in generation mode",
        "Eqs. 12-14",
        open_point="D takes X and Y; a clip made from noise has no X.",
        options=("D(Y | label)", "D(X, Y)"),
        choice="D(Y | label) for clips from noise; D(X, Y), one clip of m + n frames, for predictions",
        why="The condition of section 4.2 is the action label, that of section 4.5 the frames X.",
        switch="build_system.name",
        chapter="05_losses",
    ),
    Decision(
        "L13",
        "Symbols of the metrics",
        "Section 4.7, Eqs. 16-18",
        open_point="D names a divergence and a network; σ and Σ both name the covariance; Eq. 18 is empty.",
        options=("Eq. 17 alone", "a missing second line"),
        choice="Eq. 17 alone, Σ the covariance",
        why="Eq. 17 is complete.",
        chapter="08_evaluation",
    ),
    Decision(
        "O1",
        "Optimiser",
        "Sections 4.2 and 6",
        open_point="Mini-batch SGD is named; learning rate and momentum are not.",
        options=("Adam, 2e-4, β = (0, 0.99)", "SGD without momentum, 0.02", "Adam, 1e-3 for G and 2e-4 for D"),
        choice=(
            "literal preset: Adam, 2e-4, β = (0, 0.99); stable preset: Adam, β = (0.5, 0.99), 1e-3 for G, 2e-4 for D"
        ),
        why="A short budget needs a fast generator and a discriminator that does not run away from it.",
        switch=(
            "HRVGANConfig.optimiser, HRVGANConfig.learning_rate, HRVGANConfig.discriminator_learning_rate, "
            "HRVGANConfig.betas"
        ),
        chapter="06_training_loop",
    ),
    Decision(
        "O2",
        "Batch, steps, seeds, averaging",
        "Section 4.6",
        open_point="M, the number of iterations, hardware, seeds and weight averaging are not given.",
        options=("by budget", "to convergence"),
        choice="batch and steps from the profile; averaged generator for evaluation; fixed seeds",
        why="Every number can then be run again.",
        switch="Profile.batch, Profile.steps, TrainConfig.seed",
        chapter="06_training_loop",
    ),
    Decision(
        "O3",
        "Weight decay and schedules",
        "Section 4.6",
        open_point="None is mentioned.",
        options=("none", "a schedule"),
        choice="none",
        why="Nothing is mentioned.",
        chapter="06_training_loop",
    ),
)
