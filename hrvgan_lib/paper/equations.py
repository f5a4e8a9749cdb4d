"""Each numbered equation: as printed, as resolved, and what computes it (chapters 02, 05 and 08)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Equation:
    """One numbered equation.

    `printed` and `resolved` are LaTeX without delimiters; `resolved` is empty where we use the equation as
    printed. A number that only continues the line above it (2, 6, 14, 18) names the number it `continues`.
    `function` is the dotted name below `hrvgan_lib` of what computes it.
    """

    number: int
    section: str
    what: str
    printed: str
    resolved: str
    function: str
    decisions: tuple[str, ...] = ()
    continues: int | None = None

    @property
    def latex(self) -> str:
        """What the code computes: the resolved form where there is one, else the printed one."""
        return self.resolved or self.printed


_PX = r"\mathbf{x} \sim p_{\mathbf{x}}"
_PZ = r"\mathbf{z} \sim p_{\mathbf{z}}"

_INDEX = (
    Equation(
        1, "3.1", "value of the GAN game, part on real samples",
        rf"\mathcal{{F}}(\mathcal{{D}}, \mathcal{{G}}) = \mathbb{{E}}_{{{_PX}}} [-\log "
        rf"\mathcal{{D}}(\mathbf{{x}})]",
        "", "losses.gan_value", ("L1",),
    ),
    Equation(
        2, "3.1", "value of the GAN game, part on generated samples",
        rf"+ \mathbb{{E}}_{{{_PZ}}} [-\log(1 - \mathcal{{D}}(\mathcal{{G}}(\mathbf{{z}})))]",
        "", "losses.gan_value", ("L1",), 1,
    ),
    Equation(
        3, "3.1", "the zero-sum condition",
        r"\min_G \max_D \mathcal{F}(\mathcal{D}, \mathcal{G})",
        r"\max_G \min_D \mathcal{F}(\mathcal{D}, \mathcal{G})",
        "losses.saturating_generator_loss", ("L1",),
    ),
    Equation(
        4, "3.2", "Wasserstein distance between the real and the generated distribution",
        r"W(p_r, p_g) = \inf_{\gamma \in \Pi(p_r, p_g)} \mathbb{E}_{(x,y) \sim \gamma} [\|x - y\|]",
        "", "losses.wasserstein_distance_exact",
    ),
    Equation(
        5, "3.2", "critic's objective",
        rf"\mathcal{{F}}(\mathcal{{D}}, \mathcal{{G}}) = \mathbb{{E}}_{{{_PX}}} [\mathcal{{D}}(\mathbf{{x}})]"
        r" - \mathbb{E}_{\mathbf{z} \sim p_{\mathbf{u}}} [\mathcal{D}(\mathcal{G}(\mathbf{z}))]",
        rf"\mathcal{{L}}_D = \mathbb{{E}}_{{{_PZ}}} [\mathcal{{D}}(\mathcal{{G}}(\mathbf{{z}}))]"
        rf" - \mathbb{{E}}_{{{_PX}}} [\mathcal{{D}}(\mathbf{{x}})]",
        "losses.critic_loss", ("L2",),
    ),
    Equation(
        6, "3.2", "gradient penalty",
        r"+ \lambda \mathbb{E}_{\hat{\mathbf{x}} \sim p_{\hat{\mathbf{x}}}}"
        r" [(\|\nabla_{\hat{\mathbf{x}}} \mathcal{D}(\hat{\mathbf{x}})\|_2 - 1)^2]",
        r"+ \lambda_{gp} \mathbb{E}_{\hat{\mathbf{x}}} [(\|\nabla_{\hat{\mathbf{x}}}"
        r" \mathcal{D}(\hat{\mathbf{x}})\|_2 - k)^2],"
        r" \quad \hat{\mathbf{x}} = u\,\mathbf{x} + (1 - u)\,\mathcal{G}(\mathbf{z}), \; u \sim U(0, 1)",
        "losses.gradient_penalty", ("L2", "L6"), 5,
    ),
    Equation(
        7, "3.3", "value of the conditional GAN game",
        rf"\mathcal{{F}}(\mathcal{{D}}, \mathcal{{G}}) = \mathbb{{E}}_{{{_PX}}} [-\log "
        rf"\mathcal{{D}}(\mathbf{{x}})]"
        r" + \mathbb{E}_{\mathbf{z} \sim p_{\mathbf{x}}} [-\log(1 - \mathcal{D}(\mathcal{G}(\mathbf{z})))",
        rf"\mathcal{{F}}(\mathcal{{D}}, \mathcal{{G}}) = \mathbb{{E}}_{{{_PX}}} [-\log "
        rf"\mathcal{{D}}(\mathbf{{x}} | y)]"
        rf" + \mathbb{{E}}_{{{_PZ}}} [-\log(1 - \mathcal{{D}}(\mathcal{{G}}(\mathbf{{z}} | y) | y))]",
        "losses.conditional_gan_value", ("L3",),
    ),
    Equation(
        8, "4.3", "pixel normalisation",
        r"b_{x,y,t} = \frac{a_{x,y,t}}{\sqrt{\frac{1}{N} \sum_{j=0}^{N-1} (a_{x,y,t}^j)^2 + \epsilon}}",
        "", "norms.PixelNorm", ("A13",),
    ),
    Equation(
        9, "4.4", "instance normalisation inside two layers",
        r"y = \text{ReLU} \left(\sum_{i=0}^d w_i \cdot \text{ReLU} \left(\gamma_i \cdot"
        r" \frac{x_i - \mu_i}{\sqrt{\sigma_i^2 + \epsilon}} + \beta_i \right) + b \right)",
        r"y_n = \text{act} \left(\gamma \cdot \frac{x_n - \mu_n}{\sqrt{\sigma_n^2 + \epsilon}} + \beta "
        r"\right),"
        r" \quad x_n = w * y_n^{(l-1)} + b",
        "norms.InstanceNorm", ("A14", "A15"),
    ),
    Equation(
        10, "4.5", "mean squared pixel error",
        r"\mathcal{L}_{mse}(X, Y) = \ell_{mse}(G(X), Y) = \|G(X) - Y\|^2",
        r"\mathcal{L}_{mse}(X, Y) = \frac{1}{CTHW} \|G(X) - Y\|_2^2",
        "losses.mse_loss_paper", ("L9", "L10", "T1"),
    ),
    Equation(
        11, "4.5", "binary cross-entropy",
        r"L_{bce}(Y, \hat{Y}) = - \sum_i \hat{Y}_i \log(Y_i) + (1 - \hat{Y}_i) \log(1 - Y_i)",
        r"L_{bce}(p, t) = - \sum_i \left[ t_i \log(p_i) + (1 - t_i) \log(1 - p_i) \right]",
        "losses.bce", ("L4", "T6"),
    ),
    Equation(
        12, "4.5", "adversarial loss of the generator",
        r"\mathcal{L}_{adv}^G(X, Y) = \lambda_1 \sum_{i=1}^N L_{bce}(D_i(X_i, G_i(X_i)) - k, 1)",
        r"\mathcal{L}_{adv}^G = \lambda_1 \frac{1}{M} \sum_{i=1}^M L_{bce}(\sigma(D(G(z_i | y_i) | y_i) - "
        r"k), 1)",
        "losses.adversarial_generator_loss", ("L5", "L7", "L8", "L12"),
    ),
    Equation(
        13, "4.5", "adversarial loss of the discriminator, real part",
        r"\mathcal{L}_{adv}^D(X, Y) = \lambda_1 \sum_{i=1}^N L_{bce}(D_i(X_i, Y_i) - k, 1)",
        r"\mathcal{L}_{adv}^D = \frac{1}{M} \sum_{i=1}^M \Big[ \lambda_1 L_{bce}(\sigma(D(x_i | y_i) - k), "
        r"1)",
        "losses.adversarial_discriminator_loss", ("L5", "L7", "L8", "L12"),
    ),
    Equation(
        14, "4.5", "adversarial loss of the discriminator, generated part",
        r"+ \lambda_2 L_{bce}(D_i(X_i, G_i(X)) - k, 0)",
        r"+ \lambda_2 L_{bce}(\sigma(D(G(z_i | y_i) | y_i) - k), 0) \Big]",
        "losses.adversarial_discriminator_loss", ("L5", "L7", "L8", "L12"), 13,
    ),
    Equation(
        15, "4.5", "combined loss of the generator",
        r"\mathcal{L}(X, Y) = \alpha \mathcal{L}_{adv}^G(X, Y) + \beta \mathcal{L}_{mse}(X, Y)",
        "", "losses.combined_terms", ("L9",),
    ),
    Equation(
        16, "4.7", "Inception Score",
        r"IS(\mathcal{G}) = \exp(\mathbb{E}_{\mathbf{x} \sim p_g} \mathcal{D}_{KL}(p(y | \mathbf{x}) || "
        r"p(y)))",
        "", "metrics.inception_score", ("L13", "E1", "E7"),
    ),
    Equation(
        17, "4.7", "Fréchet distance",
        r"d^2((m_r, \Sigma_r), (m_f, \Sigma_f)) = \|m_r - m_f\|_2^2"
        r" + \text{Tr}(\Sigma_r + \Sigma_f - 2(\Sigma_r \Sigma_f)^{\frac{1}{2}})",
        "", "metrics.frechet_distance", ("L13", "E2"),
    ),
    Equation(
        18, "4.7", "a number without content: the line of Eq. 17 ends here",
        "", "", "metrics.frechet_distance", ("L13",), 17,
    ),
)  # fmt: skip

EQUATIONS: dict[int, Equation] = {entry.number: entry for entry in _INDEX}


def equation(number: int) -> Equation:
    """The equation with this number. Raises ValueError outside 1 to 18."""
    if number not in EQUATIONS:
        raise ValueError(f"the paper has no equation {number}: choose {min(EQUATIONS)} to {max(EQUATIONS)}")
    return EQUATIONS[number]
