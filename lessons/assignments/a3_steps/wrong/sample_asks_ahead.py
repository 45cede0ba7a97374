"""You ask the denoiser about the next level: x has the noise of the current one."""


def sample(denoise, x, levels):
    for now, then in zip(levels, levels[1:]):
        x = ddim(x, denoise(x, *(then if then[1] else now)), now, then)
    return x
