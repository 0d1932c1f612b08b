"""What a fusion takes of memory, known before any frame is decoded."""

from __future__ import annotations

from collections.abc import Sequence

from panfocus.errors import UsageError
from panfocus.frozen import frozen
from panfocus.fusion.held import PART
from panfocus.fusion.late_mixing import waiting_frames
from panfocus.io import FrameInfo
from panfocus.pipeline.options import Options
from panfocus.pipeline.working_scale import decided_at
from panfocus.resources.memory import free_memory, parse_size, process_limit
from panfocus.systems import PictureSystem, System, traits
from panfocus.systems.traits import (
    compares_many,
    holds_all,
    measures_alone,
    takes_native,
    working_bytes,
)

#: What Python, NumPy, OpenCV and the file libraries take before the first frame.
BASE_BYTES = 120 * 2**20
#: Frames that a system for any number is shown at once, at most, and what they may take. Networks
#: see what is dark as 8 and 7 (`panfocus.systems.network.FEW`): of 15 none is left alone.
MOST_AT_ONCE = 15
HELD_BYTES = 768 * 2**20
#: What decoded frames may take that are kept between the look at them small and their fusion.
KEPT_BYTES = 160 * 2**20


def memory_limit(settings: Options) -> int:
    """Return the bytes that a fusion may take: as told, or 70 % of what is free.

    A limit of the process holds for all that it has; what is needed counts that, too.
    """
    told, most = parse_size(settings.max_memory), process_limit()
    if told is not None:
        return told
    share = int(0.7 * free_memory())
    return share if most is None else min(share, most)


def kept_bytes(needed: int, limit: int) -> int:
    """Return how many bytes of frames may be kept once they are decoded.

    Args:
        needed: bytes that the fusion takes without.
        limit: bytes that it may take.
    """
    return max(min(KEPT_BYTES, limit - needed), 0)


def check_memory(needed: int, limit: int, what: str) -> None:
    """Refuse work that would take more memory than is allowed.

    Args:
        needed: bytes.
        limit: bytes allowed.
        what: is fused, in the plural.

    Raises:
        UsageError: it would.
    """
    if needed > limit:
        raise UsageError(
            f"fusing these {what} needs more memory than is allowed",
            where="max_memory",
            expected=f"at least {needed / 2**20:.0f} MiB",
            got=f"{limit / 2**20:.0f} MiB",
            remedy=f"allow more, free some, or fuse smaller {what}",
        )


def check_decoding(infos: Sequence[FrameInfo], limit: int) -> None:
    """Refuse frames of which one alone would take more memory than is allowed.

    Some are looked at before all is known: those that are turned otherwise than the others, and
    those whose numbers have to be spread.

    Args:
        infos: the frames.
        limit: bytes allowed.

    Raises:
        UsageError: one would.
    """
    most = max((i.height * i.width * i.channels * _sample_bytes(i) for i in infos), default=0)
    check_memory(BASE_BYTES + most, limit, "frames")


def _sample_bytes(info: FrameInfo) -> int:
    """Return what a number of a frame takes while it is decoded."""
    if info.numbers:  # as stored, of which the dtype does not tell
        return 4
    return 1 if info.dtype == "uint8" else 2


def held_bytes(system: System, frame_bytes: int, pixels: int, working_pixels: int) -> int:
    """Return what holding a frame for a comparison takes.

    Itself, its working copy twice (one lies with the others), its weights and what is mixed by.

    Args:
        system: whether it takes copies as the frames are, or floats.
        frame_bytes: of native pixels.
        pixels: at full scale.
        working_pixels: at the working scale.
    """
    native = frame_bytes * working_pixels // pixels
    copy = native if takes_native(system) else working_pixels * 3 * 4
    return frame_bytes + 2 * copy + 3 * working_pixels * 4


def group_size(system: System, held: int, budget: int) -> int:
    """Return how many frames a system may compare at once.

    Args:
        system: a system that compares frames.
        held: bytes of one frame, see `held_bytes`.
        budget: bytes that the whole fusion may take.
    """
    if measures_alone(system):
        return 1
    if system.card.max_frames is not None:
        return system.card.max_frames
    return int(min(max(min(HELD_BYTES, budget // 4) // held, 2), MOST_AT_ONCE))


@frozen
class Groups:
    """How many frames are held and compared.

    Attributes:
        compared: at once, in floats.
        whole: of which all is held until many are compared; 0 for a system that does not.
        light: of which, if they can be read again, only the working scale is; 0 as above.
    """

    compared: int
    whole: int = 0
    light: int = 0

    def reads_again(self, count: int | None) -> bool:
        """Whether frames are read again, of so many; None for an unknown number."""
        return count is not None and self.light > self.whole and count > self.compared

    def held(self, *, again: bool) -> int:
        """Return how many are held at most until all of them are decided."""
        return max(self.compared, self.light if again else self.whole)


def groups(
    system: System, frame_bytes: int, pixels: int, working_pixels: int, budget: int
) -> Groups:
    """Return how many frames a system compares.

    Args:
        system: a system that compares frames.
        frame_bytes: of native pixels.
        pixels: at full scale.
        working_pixels: at the working scale.
        budget: bytes that the whole fusion may take.
    """
    held = held_bytes(system, frame_bytes, pixels, working_pixels)
    compared = group_size(system, held, budget)
    if not compares_many(system):
        return Groups(compared)
    native = frame_bytes * working_pixels // pixels
    # a part of them is mended in floats beside the others: greys, halves, weights and copies
    part = PART * (native + 3 * working_pixels * 4)
    left = min(HELD_BYTES, budget // 4) - part
    # weights in 8 bit, and in floats at a sixteenth; detail
    each = 3 * working_pixels // 2
    own = 0 if working_pixels == pixels else native
    whole, light = (left // (size + each) for size in (frame_bytes + own, native + pixels // 8))
    return Groups(compared, max(whole, 0), max(light, 0) if own else 0)


def decision_memory(system: System, count: int, held: int, working_pixels: int, budget: int) -> int:
    """Return the bytes that a system which compares frames takes beyond the streaming fusion.

    Args:
        system: a system that decides.
        count: frames.
        held: bytes of one frame, see `held_bytes`.
        working_pixels: of a frame, at the working scale.
        budget: bytes that the whole fusion may take.
    """
    if measures_alone(system):
        return 0
    compared = group_size(system, held, budget)
    group = min(compared, count)
    needed = group * held
    if compares_many(system) and count > compared:
        needed = max(needed, min(HELD_BYTES, budget // 4))
    return needed + working_bytes(system, group, working_pixels)


def estimate_memory(
    height: int,
    width: int,
    channels: int,
    itemsize: int,
    factor: int,
    *,
    maps: bool,
    moved: bool = False,
) -> int:
    """Return the bytes that a streaming fusion holds at its peak; it does not grow with N.

    Args:
        height: pixels.
        width: pixels.
        channels: with opacity.
        itemsize: bytes per sample.
        factor: of the working scale.
        maps: whether index, depth and confidence are made.
        moved: whether frames may have to be resampled, or their exposure matched.
    """
    pixels = height * width
    frame = pixels * channels * itemsize
    # running picture, frame mixed into it, frame in use, frame being decoded, its decoder's copy
    frames = 5 * frame + 4 * pixels * itemsize
    if moved:  # a frame in place, matched before, what it shows; those that wait, but for the last
        frames += 2 * frame + pixels + (waiting_frames(frame) - 1) * frame
    # evidence, decision, its softening and its peak, float32 each
    working = pixels // factor**2 * 4 * 16
    full_maps = pixels * 14 if maps else 0
    # the survey's frame, the one before, and what they are compared by
    survey = min(pixels, 1536 * 1536) * 4 * 6
    return BASE_BYTES + frames + working + full_maps + survey


def fusion_memory(
    system: System | PictureSystem,
    settings: Options,
    *,
    count: int,
    height: int,
    width: int,
    channels: int,
    itemsize: int,
) -> int:
    """Return the bytes that a fusion takes at its peak, whatever kind of file the frames are of.

    Args:
        system: what decides.
        settings: `mode`, `maps`, `align`, `exposure`, `working_scale` and `max_memory` matter.
        count: frames; what compares frames holds up to a group of them, a network that makes a
            picture all.
        height: of a frame, pixels.
        width: of a frame.
        channels: with opacity, or all those that one of them decides for.
        itemsize: bytes per sample.
    """
    moved = settings.align != "none" or settings.exposure != "none"
    # the best plane is chosen without a system
    decides = system if traits.decides(system) and settings.mode != "best-plane" else None
    factor = decided_at(decides, settings, height, width) if decides else 1
    needed = estimate_memory(
        height, width, channels, itemsize, factor, maps=settings.maps, moved=moved
    )
    if settings.align == "local":
        from panfocus.registration.local import local_bytes  # noqa: PLC0415  only when asked

        needed += local_bytes(count, height, width)
    if decides:
        pixels = height * width
        limit = memory_limit(settings)
        working = pixels // factor**2
        held = held_bytes(decides, pixels * channels * itemsize, pixels, working)
        needed += decision_memory(decides, count, held, working, limit)
        if factor > 1 and traits.refiner(decides) is not None:
            needed += pixels * 4  # changes of weights, at most: `panfocus.fusion.boundaries`
    elif holds_all(system) and settings.mode != "best-plane":
        # as they come and side by side, float32; and the picture
        samples = height * width * channels
        needed += (2 * count + 1) * samples * 4 + working_bytes(system, count, height * width)
        if settings.guard == "auto" and system.card.is_guarded:  # which keeps the frames as well
            needed += count * samples * itemsize
    return needed
