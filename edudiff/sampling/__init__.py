"""What a sampler is for: guidance, faster and noisier ways back, inversion and interpolation,
likelihood, repair.

Each file is one use, a short function or two on the reverse loop of `edudiff.reverse`, for any denoiser.
"""

from edudiff.sampling.churn import churn_steps
from edudiff.sampling.guidance import Guided, guided, guided_law, tilted_law, within
from edudiff.sampling.interpolation import lerp, slerp
from edudiff.sampling.inversion import invert, reconstruct
from edudiff.sampling.jacobian import divergence, jacobian_matrix, jacobian_product, random_signs
from edudiff.sampling.langevin import annealed_steps, langevin_steps
from edudiff.sampling.likelihood import bits_per_dimension, log_likelihood
from edudiff.sampling.measurement import Measurement, blurred, downsampled, masked
from edudiff.sampling.methods import METHODS, sample, steps
from edudiff.sampling.multistep import multistep_steps
from edudiff.sampling.repair import PosteriorGuided, posterior_guided, replacement_steps
from edudiff.sampling.spacing import time_of, times

__all__ = [
    "METHODS",
    "Guided",
    "Measurement",
    "PosteriorGuided",
    "annealed_steps",
    "bits_per_dimension",
    "blurred",
    "churn_steps",
    "divergence",
    "downsampled",
    "guided",
    "guided_law",
    "invert",
    "jacobian_matrix",
    "jacobian_product",
    "langevin_steps",
    "lerp",
    "log_likelihood",
    "masked",
    "multistep_steps",
    "posterior_guided",
    "random_signs",
    "reconstruct",
    "replacement_steps",
    "sample",
    "slerp",
    "steps",
    "tilted_law",
    "time_of",
    "times",
    "within",
]
