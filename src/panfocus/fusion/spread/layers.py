"""The light behind a near thing, got back from two frames of it."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.fusion.spread.edge import RIM, Edge
from panfocus.fusion.spread.light import Blur, grown, total

#: Least share of what lies behind that light is got back from: beyond, noise would be all.
_LEAST = 0.15
#: Share from which on light that was got back is believed in full when it is blurred again.
_SURE = 0.25
#: How often light behind and its blur are worked out from each other.
_ROUNDS = 2
#: Cover from which on negative light tells nothing.
_COVERED = 0.85


@frozen
class LensLayers:
    """What the light of both frames is made of, if one of them shows the near thing in focus.

    Attributes:
        spread: linear light that the near thing throws over the far frame, ``(H, W, C)``.
        again: what lies behind as the near frame sees it, out of focus, ``(H, W, C)``.
        cover: share of the far frame's light that the near thing keeps off, ``(H, W)``.
        share: of what lies behind in the picture, ``(H, W)`` in [0, 1].
    """

    spread: Float
    again: Float
    cover: Float
    share: Float

    def grown(self, part: tuple[slice, ...], scale: int) -> LensLayers:
        """Return a part of them, enlarged."""
        spread, again = (grown(each[part], scale) for each in (self.spread, self.again))
        cover, share = (grown(each[part], scale) for each in (self.cover, self.share))
        return LensLayers(spread, again, cover, share)

    def in_focus(self, near: Float, far: Float) -> Float:
        """Return linear light of all in focus, ``(H, W, C)``.

        It is the near frame, with detail of what lies behind added: so coarse structure is that of
        the near frame, where nothing is spread over what lies behind. It stays between the frames
        and what was got back, around each pixel: no halos.

        Args:
            near: linear light of the frame that is focused on the near thing.
            far: of the other one.
        """
        seen = np.maximum(1 - self.cover[..., None], np.float32(_LEAST))
        light = np.clip((far - self.spread) / seen, 0, 1).astype(np.float32)
        mixed = near + self.share[..., None] * (light - self.again)
        return _between(np.asarray(mixed, np.float32), near, far, light)


@frozen
class Behind:
    """Layers, and how well they explain both frames.

    Attributes:
        layers: see `LensLayers`.
        strip: where the near frame can be asked about what lies behind, ``(H, W)``, 0 or 1.
        without: square error of the near frame there, if nothing was spread.
        left: the same with what was got back.
        negative: light below none that was got back, squared: a sign that too much was taken.
    """

    layers: LensLayers
    strip: Float
    without: Float
    left: Float
    negative: Float


def behind(near: Float, far: Float, edge: Edge, near_blur: Blur, far_blur: Blur) -> Behind:
    """Take the near thing's blur off the far frame.

    Args:
        near: linear light ``(H, W, C)`` of the frame that is focused on what lies in front.
        far: of the frame that is focused on what lies behind.
        edge: of the near thing.
        near_blur: of the near thing in the far frame.
        far_blur: of what lies behind in the near frame.
    """
    matte = edge.matte[..., None]
    cover = near_blur(edge.matte)
    seen = np.maximum(1 - cover, np.float32(_LEAST))[..., None]
    trust = np.square(np.clip((1 - cover) / np.float32(_SURE), 0, 1)).astype(np.float32)
    believed = np.maximum(far_blur(trust), np.float32(1e-3))[..., None]
    again, spread, raw = near, far, far
    for _ in range(_ROUNDS):
        spread = near_blur(np.maximum(near - (1 - matte) * again, 0).astype(np.float32))
        raw = np.asarray((far - spread) / seen, np.float32)
        trusted = np.asarray(np.clip(raw, 0, 1) * trust[..., None], np.float32)
        again = np.asarray(far_blur(trusted) / believed, np.float32)
    share = np.minimum(1 - edge.matte, edge.behind)
    layers = LensLayers(spread, again, cover, share)
    outside = (edge.matte < 0.5).astype(np.float32)
    strip = _strip(outside, cover)
    plain = far_blur(far * outside[..., None])
    plain = plain / np.maximum(far_blur(outside), np.float32(0.02))[..., None]
    without, left = (_error(near, other, strip) for other in (np.asarray(plain, np.float32), again))
    negative = total(np.square(np.minimum(raw, 0))) * strip * (cover < _COVERED)
    return Behind(layers, strip, without, left, np.asarray(negative, np.float32))


def _strip(outside: Float, cover: Float) -> Float:
    """Return pixels beyond the near thing and its rim that its blur reaches."""
    clear = cv2.erode(outside, np.ones((3, 3), np.uint8))
    return np.asarray((cover > 0.04) * clear, np.float32)


def _error(near: Float, other: Float, strip: Float) -> Float:
    """Return how a picture misses the near frame where that shows what lies behind, squared."""
    missed = total(np.square(np.sqrt(near) - np.sqrt(np.maximum(other, 0))))
    return np.asarray(missed * strip, np.float32)


def _between(picture: Float, *bounds: Float) -> Float:
    """Return a picture within the least and the largest of others, around each pixel."""
    box = np.ones((3, 3), np.uint8)
    least, most = bounds[0], bounds[0]
    for bound in bounds[1:]:
        least, most = np.minimum(least, bound), np.maximum(most, bound)
    low, high = cv2.erode(least, box), cv2.dilate(most, box)
    within = np.clip(picture, low.reshape(picture.shape), high.reshape(picture.shape))
    return np.asarray(within, np.float32)


def reach_of(edge: Edge, found: Behind) -> Float:
    """Return where a picture may be changed, in [0, 1]: under the blur, and in the rim."""
    within = np.clip(found.layers.cover / np.float32(0.02), 0, 1) * (edge.depth < RIM + 0.5)
    return np.asarray(within, np.float32)
