"""What `mutants.py` plants: who owns a file, the named bugs, and changes that are known to change nothing."""

# Pattern of files -> the test files that own them, the quick and likely ones first. Bugs are drawn in these.
OWNERS = {
    "hrvgan_lib/losses.py": "tests/test_losses.py tests/test_networks.py tests/test_switches.py",
    "hrvgan_lib/norms.py": "tests/test_norms.py tests/test_networks.py tests/test_switches.py",
    "hrvgan_lib/networks/hrvgan.py": "tests/test_networks.py tests/test_switches.py tests/test_training.py",
    "hrvgan_lib/networks/c3d.py": "tests/test_judge.py tests/test_rulers.py tests/test_metrics.py "
                                 "tests/test_measurement.py tests/test_switches.py",
    "hrvgan_lib/networks/*.py": "tests/test_systems.py tests/test_networks.py tests/test_training.py",
    "hrvgan_lib/training.py": "tests/test_training.py tests/test_systems.py tests/test_switches.py",
    "hrvgan_lib/metrics/**/*.py": "tests/test_rulers.py tests/test_judge.py tests/test_metrics.py "
                                  "tests/test_measurement.py tests/test_switches.py tests/test_ledgers.py",
    "hrvgan_lib/data/**/*.py": "tests/test_drawing.py tests/test_data.py tests/test_procedural.py "
                               "tests/test_switches.py",
    "hrvgan_lib/ledgers.py": "tests/test_ledgers.py",
    "hrvgan_lib/measurements.py": "tests/test_ledgers.py",
    "hrvgan_lib/reproduce.py": "tests/test_reproduce.py",
}  # fmt: skip
# Here only named bugs are planted.
OTHERS = {
    "hrvgan_lib/book.py": "tests/test_book.py tests/test_ledgers.py",
    "hrvgan_lib/checkpoints.py": "tests/test_training.py",
    "hrvgan_lib/paper/tables.py": "tests/test_paper.py",
}

# Name -> (file, the text as it stands there once, the bug).
PLANTED = {
    "gradients pile up": ("hrvgan_lib/training.py", "    optimiser.zero_grad(set_to_none=True)\n", ""),
    "colours not turned round": ("hrvgan_lib/metrics/protocols.py", "128 * clips.flip(1) + 128", "128 * clips + 128"),
    "a mistyped score": ("hrvgan_lib/paper/tables.py", "14.29", "14.92"),
    "a wrong label may be right": ("hrvgan_lib/networks/hrvgan.py", "torch.randint(1, self.n_classes",
                                   "torch.randint(0, self.n_classes"),
    "steps at zero are not counted": ("hrvgan_lib/training.py", "stuck + 1 if won else 0", "1 if won else 0"),
    "order of the stddev groups": ("hrvgan_lib/norms.py", "spread.to(features.dtype).repeat(group)",
                                   "spread.to(features.dtype).repeat_interleave(group)"),
    "the same noise every step": ("hrvgan_lib/training.py", 'stream("noise", config.seed, step, config.rank)',
                                  'stream("noise", config.seed, config.rank)'),
    "a cut video counts as whole": ("hrvgan_lib/data/video.py", "0.95 * declared - 2", "0.15 * declared - 2"),
    "one mix a pixel": ("hrvgan_lib/losses.py", "torch.rand(len(real), *[1] * (real.ndim - 1), generator",
                        "torch.rand(real.shape, generator"),
    "an average without warm-up": ("hrvgan_lib/networks/system.py", "min(self.ema_decay, (1 + step) / (10 + step))",
                                   "self.ema_decay"),
    "the same windows every turn": ("hrvgan_lib/training.py", 'stream("window", config.seed, turn, config.rank)',
                                    'stream("window", config.seed, config.rank)'),
    "a training's key without its data": ("hrvgan_lib/training.py", "n_classes, dataset.digest, dataset.frames",
                                          "n_classes, dataset.frames"),
    "a digest without labels": ("hrvgan_lib/data/clips.py", "{row.sha256} {row.label} {row.group}",
                                "{row.sha256} {row.group}"),
    "an evaluation's key without its sets": ("hrvgan_lib/metrics/evaluate.py", 'layer or ""), sets, tuple(seeds)',
                                             'layer or ""), tuple(seeds)'),
    "statistics in half precision": ("hrvgan_lib/checkpoints.py", "tensor.half() if name in learned else tensor",
                                     "tensor.half()"),
    "scale of an odd half": ("hrvgan_lib/metrics/intervals.py", "sqrt((n // 2) / (n - n // 2))", "sqrt(1.0)"),
    "a sweep over the first rows": ("hrvgan_lib/metrics/intervals.py", "array[random.permutation(len(array))[:size]]",
                                    "array[:size]"),
    "intervals that ignore shared videos": ("hrvgan_lib/metrics/evaluate.py", "[real.videos, given[0].videos]",
                                            "[None, None]"),
    "real clips from their first window": ("hrvgan_lib/metrics/sources.py", "positions].tolist(), generator=windows)",
                                           "positions].tolist())"),
    "one missing need is forgiven": ("hrvgan_lib/ledgers.py", "if any(need not in m.has for m in measured)",
                                     "if all(need not in m.has for m in measured)"),
    "partial data counts as whole": ("hrvgan_lib/book.py", 'dataset.kind == "real" and not self.allow_partial',
                                     'dataset.kind == "real"'),
    "a chapter's key without torch": ("hrvgan_lib/reproduce.py",
                                      '        "torch": provenance.versions().get("torch"),\n', ""),
    "a chapter's key without the recorded run": ("hrvgan_lib/reproduce.py", 'parts["recorded"] = {', "_ = {"),
    "the first clips are not grey": ("hrvgan_lib/networks/hrvgan.py",
                                     "        nn.init.normal_(self.generator.layers[-2].weight, std=0.02)",
                                     "        pass"),
}  # fmt: skip

# (file's name, the line, the line with the change) -> why nothing can see it.
EQUIVALENT: dict[tuple[str, str, str], str] = {}
