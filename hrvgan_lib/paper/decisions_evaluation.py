"""Decisions E1-E9: how the scores are taken and compared (chapters 08 and 10)."""

from __future__ import annotations

from .decision_entry import Decision

EVALUATION = (
    Decision(
        "E1",
        "Protocol of the Inception Score",
        "Section 4.7, Table 3",
        open_point=(
            "Classifier, number of samples, repeats, resolution and the step from 32 frames to the "
            "classifier's clip are not given."
        ),
        options=("the protocol of TGAN's published script", "later variants with other sizes and splits"),
        choice="TGAN's protocol: a C3D classifier, one split, several seeds, the clip's first frames",
        why="Table 3 compares with TGAN's row; the score of real clips is printed beside.",
        switch="judge_for.protocol, Protocol.stride",
        chapter="08_evaluation",
    ),
    Decision(
        "E2",
        "Network, samples and scale of the Fréchet distance",
        "Section 4.7, Table 4",
        open_point=(
            "Feature network, layer, number of samples and real split are not given; the values are of the "
            "order of 10^5."
        ),
        options=("name the metric by network, layer and number", "compare ratios only"),
        choice=(
            "each value names network, layer and number; with the paper we compare ratios, between a floor "
            "and a ceiling"
        ),
        why=("The distance grows with the square of the features' scale, so a bare value compares with nothing."),
        switch="Judge.features.layer",
        chapter="08_evaluation",
    ),
    Decision(
        "E3",
        "Labels of the scored samples",
        "Section 4.7, Table 3",
        open_point="Which labels a conditional generator is given for the score is not said.",
        options=("uniform", "as frequent as in the data"),
        choice="uniform",
        why="UCF101 is nearly balanced; uniform needs no data set.",
        switch="System.sample.labels",
        chapter="08_evaluation",
    ),
    Decision(
        "E4",
        "Error bars and the fourth system",
        "Tables 3 and 4",
        open_point="One value a cell; MoCoGAN stands in Table 3 only.",
        options=("intervals over seeds or samples", "single values"),
        choice="every value of ours with a 95 % interval and what it is over",
        why="An ordering needs an interval of the difference that leaves out zero.",
        switch="Profile.repeats",
        chapter="10_tables",
    ),
    Decision(
        "E5",
        "Other published scores",
        "Table 3; bibliography",
        open_point=("Entries [1] and [20] of the bibliography report Inception Scores on UCF101 too: 14.57 and 24.34."),
        options=("the rows of Table 3", "more rows"),
        choice="the rows of Table 3, with a note",
        why="The book reproduces the paper's table.",
        chapter="10_tables",
    ),
    Decision(
        "E6",
        "How much lower",
        "Section 5, Table 4",
        open_point='"Substantially lower" is not quantified.',
        options=("print the ratios",),
        choice="ratios to VGAN and TGAN, computed from the rows",
        why="They differ between the data sets, and a reader can weigh them.",
        chapter="10_tables",
    ),
    Decision(
        "E7",
        "Marginal of the Inception Score",
        "Eq. 16",
        open_point="p(y) is the marginal over classes; whose is not said.",
        options=("of the same samples", "of the training set"),
        choice="of the same samples",
        why="The definition of [22].",
        chapter="08_evaluation",
    ),
    Decision(
        "E8",
        "Figures 2-4 as targets",
        "Section 5",
        open_point="Pictures can be compared by layout, not pixel by pixel.",
        options=("the same layout, our samples", "a visual match"),
        choice="the same layout, our samples",
        why="A generator trained again draws other samples.",
        chapter="09_latent_space",
    ),
    Decision(
        "E9",
        "How the rivals are trained",
        "Tables 3 and 4",
        open_point=(
            "The rivals' numbers come from their papers, each with a training of its own. MoCoGAN's released code "
            "shows D_I ten frames and D_V three clips a step, and starts from what its PyTorch gives a layer."
        ),
        options=("as published, in full", "as published, in batches of one size", "one recipe for all"),
        choice=(
            "each rival in two recipes: its authors' optimisers, and HRVGAN's; batches of one size for all. MoCoGAN's "
            "two discriminators both see the whole batch, and it starts from the defaults of today's PyTorch"
        ),
        why=(
            "An order should not hang on a learning rate. Split in the published proportion, a batch of eight leaves "
            "D_V two clips; after 12,000 clips MoCoGAN could then not be told from its untrained network, and with "
            "whole batches it could. The two kinds of first weights ended near each other (chapter 11, one seed)."
        ),
        switch="MoCoGANConfig.first_weights, MoCoGANConfig.batches, MoCoGANConfig.recipe",
        chapter="10_tables",
    ),
)
