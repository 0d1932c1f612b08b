"""Films of a focus sweep: frames of a video, decoded by FFmpeg through OpenCV.

A sweep of ten seconds holds hundreds of frames that differ by less than any depth of field: so
many of them are taken as a stack of photographs would have, evenly spread.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.io.film_facts import film_metadata
from panfocus.io.frames import Header
from panfocus.io.room import check_room

#: Frames that are taken of a film, at most, where its user does not say.
MOST = 60
#: Of a frame, while it is decoded.
_PIXEL_BYTES = 8
#: Of a container of Microsoft's (AVI): kind (4), length (4), kind of film, and the first part of
#: any; for so long, in milliseconds, FFmpeg may look for a beginning or the next frame.
_AVI, _FIRST = (b"RIFF", b"AVI "), (b"LIST", b"JUNK")
_PATIENCE_MS = 10_000


class VideoError(ValueError):
    """The file is no film that can be read."""


def _open(path: Path) -> cv2.VideoCapture:
    # both would print what the error tells
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    _check_start(path)
    patience = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
    how = [word for limit in patience for word in (limit, _PATIENCE_MS)]
    film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, how)
    if not film.isOpened():
        film.release()
        raise VideoError("no film that FFmpeg can open")
    height, width = film.get(cv2.CAP_PROP_FRAME_HEIGHT), film.get(cv2.CAP_PROP_FRAME_WIDTH)
    check_room(int(height), int(width), _PIXEL_BYTES)
    return film


def _check_start(path: Path) -> None:
    """Refuse an AVI without a beginning, which FFmpeg looks for up to the end of the file."""
    with path.open("rb") as file:
        head = file.read(16)
    if (head[:4], head[8:12]) == _AVI and head[12:] not in _FIRST:
        raise VideoError("a film without a beginning")


def _next(film: cv2.VideoCapture) -> NDArray[np.uint8] | None:
    there, pixels = film.read()
    return np.asarray(pixels, np.uint8) if there else None


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read the size of a film's frames, and which of them are taken.

    Returns:
        (number in the film, header) of every k-th frame.

    Raises:
        VideoError: no film, or one without frames.
    """
    film = _open(path)
    try:
        first = _next(film)
        count = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
    finally:
        film.release()
    if first is None:
        raise VideoError("a film without frames")
    if count < 1:  # some containers do not tell
        count = _counted(path)
    step = -(-count // MOST)
    note = "a film: its frames are 8-bit RGB" + (f", one of {step} is taken" if step > 1 else "")
    height, width = first.shape[:2]
    header = Header(height, width, 3, "uint8", film_metadata(path), notes=(note,))
    return [(number, header) for number in range(0, count, step)]


def _counted(path: Path) -> int:
    film, count = _open(path), 0
    try:
        while film.grab():
            count += 1
    finally:
        film.release()
    return count


def decode(path: Path, page: int) -> tuple[NDArray[np.uint8], Header]:
    """Decode one frame, upright.

    Returns:
        (H, W, 3) uint8 RGB, and the header.

    Raises:
        VideoError: the film ends before it.
    """
    film = _open(path)
    try:
        film.set(cv2.CAP_PROP_POS_FRAMES, page)
        found = _next(film)
    finally:
        film.release()
    if found is None:
        raise VideoError(f"the film ends before its frame {page + 1}")
    height, width = found.shape[:2]
    header = Header(height, width, 3, "uint8", film_metadata(path))
    return np.ascontiguousarray(found[..., ::-1]), header
