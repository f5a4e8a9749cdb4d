"""Decisions A1-A23: what the paper leaves open about the networks (chapters 02, 03 and 04)."""

from __future__ import annotations

from .decision_entry import Decision

NETWORKS = (
    Decision(
        "A1",
        "Width of the first layer",
        "Table 1, row 2",
        open_point=(
            "The fully connected layer gives 128×1×1×1 and the next row, a 3×3×3 layer, is at 128×4×4×4; no "
            "layer between them grows the volume."
        ),
        options=(
            "fully connected to 8192, reshaped to 128×4×4×4",
            "fully connected to 128, then a 4×4×4 transposed convolution",
            "fully connected to 128, then upsampling by 4",
        ),
        choice="fully connected to 8192, reshaped to 128×4×4×4",
        why=(
            "It is the layer of the progressive GAN that Table 1's widths follow, and it makes G and D "
            "nearly the same size."
        ),
        chapter="03_generator",
    ),
    Decision(
        "A2",
        "DeConv 3×3×3",
        "Table 1",
        open_point="Stride and padding of the transposed convolutions are not given.",
        options=(
            "transposed convolution, stride 1, padding 1",
            "ordinary convolution, padding 1",
            "transposed convolution with stride 2 that also upsamples",
        ),
        choice="transposed convolution, stride 1, padding 1, after a separate upsampling layer",
        why="Table 1 has rows of their own for upsampling, and its DeConv rows keep the size.",
        chapter="03_generator",
    ),
    Decision(
        "A3",
        "Upsample and Downsample",
        "Tables 1 and 2",
        open_point="The kernels of the resampling layers are not given.",
        options=("nearest or trilinear upsampling", "average pooling, max pooling or a stride"),
        choice="nearest neighbour up, average pooling down",
        why="The two are each other's mirror image and have no weights; the progressive GAN does the same.",
        switch="HRVGANConfig.upsample",
        chapter="03_generator",
    ),
    Decision(
        "A4",
        "Where time doubles",
        "Table 1",
        open_point=(
            "The rows double time at 8, 64 and 256 pixels; related networks of this family double it elsewhere."
        ),
        options=("as printed: at 8, 64, 256", "at 8, 32, 128"),
        choice="as printed: at 8, 64, 256",
        why="Table 1 is the specification.",
        switch="HRVGANConfig.temporal_doublings",
        chapter="03_generator",
    ),
    Decision(
        "A5",
        "Last activation of G",
        "Table 1, last row; Eq. 11",
        open_point=(
            "ReLU on the RGB layer cannot give a negative value and has no upper bound; the range of pixels "
            "is not stated."
        ),
        options=("tanh, pixels in [-1, 1]", "ReLU, pixels in [0, 1]", "no activation"),
        choice="tanh, pixels in [-1, 1]",
        why="Bounded like the pixels it has to imitate, with a gradient on both sides of zero.",
        switch="HRVGANConfig.final_activation",
        chapter="03_generator",
    ),
    Decision(
        "A6",
        "Order of Table 2",
        "Table 2",
        open_point=(
            "The layer names run from image to score while the printed shapes run from 4×4×4 to 32×256×256, "
            "so that each Downsample row enlarges."
        ),
        options=("layers as printed with the mirrored shapes of Table 1", "shapes as printed (cannot be run)"),
        choice="layers as printed with the mirrored shapes of Table 1",
        why=("The column of names then fits row by row, 24 of 24, and the parameter counts of G and D nearly agree."),
        chapter="04_discriminator",
    ),
    Decision(
        "A7",
        "Input of D",
        "Table 2, row 1",
        open_point="The input image is printed as 128×1×1.",
        options=("3×32×256×256", "the latent vector's shape"),
        choice="3×32×256×256",
        why="It is what G emits and what section 4.2 passes to D.",
        chapter="04_discriminator",
    ),
    Decision(
        "A8",
        "Minibatch stddev: place and group",
        "Table 2, row 21",
        open_point="129×4×4×4 follows a row of 16×32×256×256; the group size is not given.",
        options=("one map at 4×4×4, groups of four", "other groups or more maps"),
        choice="one map at 4×4×4, groups of four (of the whole batch where it is smaller)",
        why="129 is 128 + 1, and four is the group of the layer's original description.",
        switch="HRVGANConfig.stddev_group",
        chapter="04_discriminator",
    ),
    Decision(
        "A9",
        "Convolution after the minibatch stddev",
        "Table 2, row 22",
        open_point="Printed as 8×32×256×256 directly after 129×4×4×4.",
        options=("128×4×4×4", "8 channels"),
        choice="128×4×4×4",
        why="A 3×3×3 convolution keeps 4×4×4, and 128 is the width of that stage.",
        chapter="04_discriminator",
    ),
    Decision(
        "A10",
        "Two linear layers at the end of D",
        "Table 2, rows 23-24",
        open_point="Both fully connected layers are linear; two linear maps in a row equal one.",
        options=("leaky ReLU after the 128 features", "linear, as printed"),
        choice="leaky ReLU after the 128 features",
        why="The 128 features are then worth their weights; the progressive GAN does the same.",
        switch="HRVGANConfig.fc_activation",
        chapter="04_discriminator",
    ),
    Decision(
        "A11",
        "Slope, epsilon, initial weights",
        "Tables 1 and 2; Eqs. 8 and 9",
        open_point=(
            "Slope of the leaky ReLU, the constants in the norms and the initial weights are not given; one "
            "row prints LReLU, the others Leaky ReLU."
        ),
        options=("slope 0.2", "slope 0.01"),
        choice=("slope 0.2; epsilon 1e-8 (pixel norm) and 1e-5 (batch, instance norm); one function under both names"),
        why="The usual values of this family of networks.",
        switch="HRVGANConfig.leak",
        chapter="04_discriminator",
    ),
    Decision(
        "A12",
        "Which norm stands where",
        "Sections 4.2, 4.3 and 4.4",
        open_point=(
            "4.2 puts batch norm throughout G and instance norm in D; 4.3 pixel norm in both; 4.4 instance "
            "norm after convolutions and deconvolutions."
        ),
        options=(
            "G: batch + pixel, D: instance",
            "all three in G",
            "pixel norm in D as well",
            "any one of them",
            "none",
        ),
        choice="G: DeConv, batch norm, pixel norm, ReLU; D: convolution, instance norm, leaky ReLU",
        why=(
            "Keeps each of the three techniques once. Pixel norm stands before the ReLU: behind it, a "
            "position whose features are all but zero would be scaled up to full size. "
            "Instance norm before the minibatch stddev's "
            "convolution would cancel it, so that convolution, the RGB layer and the fully connected layers "
            "have none."
        ),
        switch="HRVGANConfig.generator_norm, HRVGANConfig.discriminator_norm",
        chapter="02_norm_layers",
    ),
    Decision(
        "A13",
        "Pixel norm: what explodes, and where epsilon stands",
        "Section 4.3, Eq. 8",
        open_point=(
            "The text speaks of parameters, the equation bounds magnitudes of features; whether the latent "
            "is normalised too is not said."
        ),
        options=("features only", "the latent vector too"),
        choice="features only; epsilon inside the root, after the mean, as Eq. 8 has it",
        why="It is what the equation says.",
        switch="HRVGANConfig.latent_norm",
        chapter="02_norm_layers",
    ),
    Decision(
        "A14",
        "Order inside a layer",
        "Section 4.4, Eq. 9",
        open_point=(
            "Eq. 9 normalises the input of a convolution, the text its output; it has ReLU where D has "
            "leaky ReLU, and no index for the sample."
        ),
        options=("convolution, instance norm, activation", "instance norm, activation, convolution"),
        choice="convolution, instance norm, activation",
        why="Stacked, the two are the same chain: the inner activation of Eq. 9 belongs to the layer before.",
        chapter="02_norm_layers",
    ),
    Decision(
        "A15",
        "Instance norm: weights and statistics",
        "Section 4.4, Eq. 9",
        open_point="γ and β appear; whether statistics are remembered for sampling is not said.",
        options=("learned γ and β, statistics of the clip at hand", "running statistics"),
        choice="learned γ and β, statistics of the clip at hand",
        why="A norm per instance needs no memory.",
        chapter="02_norm_layers",
    ),
    Decision(
        "A16",
        "One latent or one a frame",
        "Table 1, row 1; section 4.2",
        open_point=("Table 1 starts from one vector, section 4.2 from a sequence of vectors, one for each frame."),
        options=(
            "one vector",
            "a sequence: one vector for each of the four base time steps",
            "one vector for each frame, and no doubling of time",
            "a separate temporal network",
        ),
        choice="one vector",
        why=(
            "Table 1 has shapes. The sequence keeps every later shape of Table 1, so it is a switch; so is one vector "
            "a frame, for which chapter 07 reconstructs, edits and splices sequences."
        ),
        switch="HRVGANConfig.latent",
        chapter="03_generator",
    ),
    Decision(
        "A17",
        "Distribution of the latent",
        "Sections 3.1 and 4.2",
        open_point="The distribution of the noise is not given.",
        options=("standard normal", "uniform on (-1, 1)"),
        choice="standard normal",
        why="The most common choice, and the one for which interpolation has a natural path.",
        switch="HRVGANConfig.latent_distribution",
        chapter="03_generator",
    ),
    Decision(
        "A18",
        "How a label enters",
        "Section 4.2; Eq. 7",
        open_point="The condition is announced, its mechanism is not.",
        options=(
            "G: label embedding beside z, or conditional batch norm",
            "D: projection, auxiliary classifier, or label maps",
            "D's fakes: generated clips alone, or also real clips under a wrong label",
        ),
        choice=(
            "G: label embedding beside z; D: projection on the 128 features; in the stable preset a real clip under "
            "a wrong label counts as a fake pair"
        ),
        why=(
            "Projection adds no term to Eqs. 12-14, and neither do wrong labels: Eq. 7 asks whether the pair is "
            "real. Constant label maps at D's input would be weakened by instance norm."
        ),
        switch="build_system.n_classes, HRVGANConfig.mismatched_labels",
        chapter="03_generator",
    ),
    Decision(
        "A19",
        "Data sets without labels",
        "Sections 4.1 and 4.2",
        open_point="Golf and Aeroplane have no classes, the network is described as conditional.",
        options=("an unconditional form of the same network", "one dummy class"),
        choice="an unconditional form of the same network (no classes)",
        why="No parameter without a purpose.",
        switch="build_system.n_classes",
        chapter="03_generator",
    ),
    Decision(
        "A20",
        "The reconstruction network",
        "Section 4.2",
        open_point=(
            "A second stage, a reconstruction network, is named; no table, figure row or algorithm step describes it."
        ),
        options=(
            "leave it out",
            "the MSE term alone",
            "an encoder E, so that G(E(Y)) reconstructs Y",
            "a separate refiner",
        ),
        choice="an encoder E, the mirror image of G, so that G(E(Y)) reconstructs Y",
        why=(
            "It gives the MSE of Eqs. 10 and 15 a paired target while G still samples from noise. In the stable preset "
            "a code is variational: each of its numbers has a mean and a variance, whose divergence from N(0, I) is "
            "added to Eq. 15 with weight 0.05, so that codes lie where z is drawn. In the literal preset it has unit "
            "mean square, and half of its variance is fresh noise."
        ),
        switch=(
            "HRVGANConfig.pixel_loss, HRVGANConfig.code, HRVGANConfig.code_noise, HRVGANConfig.code_weight, "
            "HRVGANConfig.encoder_norm, HRVGANConfig.adversarial_path"
        ),
        chapter="06_training_loop",
    ),
    Decision(
        "A21",
        "256×256 from smaller sources",
        "Sections 2 and 4.1",
        open_point="UCF101 is 320×240, Golf and Aeroplane are 128×128; how they reach 256×256 is not said.",
        options=("resize the short side and crop", "train at the source's size", "interpolate"),
        choice=("short side resized to the clip size, centre crop; the size is an option and interpolation is flagged"),
        why="The table can be cut at any stage, so no size is privileged.",
        switch="build_system.size",
        chapter="01_videos",
    ),
    Decision(
        "A22",
        "Progressive growing",
        "Section 2; Algorithm 1",
        open_point="Discussed among related work; Algorithm 1 does not grow.",
        options=("train at the final size", "grow stage by stage"),
        choice="train at the final size",
        why="Algorithm 1 is the specification.",
        chapter="06_training_loop",
    ),
    Decision(
        "A23",
        "Order of the axes",
        "Tables 1 and 2",
        open_point=(
            "The captions say 256×256×32, the rows channels × 32×256×256, the last rows of Table 2 put channels last."
        ),
        options=("channels, time, height, width", "height, width, time"),
        choice="channels, time, height, width everywhere",
        why="It is the order of most rows and of PyTorch.",
        chapter="03_generator",
    ),
)
