"""What a sampler is for: guidance and what else is done with a denoiser once there is one.

Each file is one use, a short function or two on the reverse loop of `edudiff.reverse`, for any denoiser.
"""

from edudiff.sampling.guidance import Guided, guided, guided_law, tilted_law, within

__all__ = ["Guided", "guided", "guided_law", "tilted_law", "within"]
