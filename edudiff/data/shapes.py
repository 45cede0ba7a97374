"""Images drawn by code, each kind with rules that can be checked: hands, strokes like digits, faces."""

from edudiff.data.faces import faces
from edudiff.data.hands import hands
from edudiff.data.raised_hands import raised_hands
from edudiff.data.strokes import strokes

__all__ = ["faces", "hands", "raised_hands", "strokes"]
