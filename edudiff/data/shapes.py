"""Pictures drawn by code, each kind with rules that can be checked: hands, strokes like digits, faces."""

from edudiff.data.faces import faces
from edudiff.data.fingers import count_fingers, count_fingers_all, finger_tips
from edudiff.data.hands import hands
from edudiff.data.strokes import strokes

__all__ = ["count_fingers", "count_fingers_all", "faces", "finger_tips", "hands", "strokes"]
