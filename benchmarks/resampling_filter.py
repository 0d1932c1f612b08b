"""The filter of `panfocus.registration.resample`: `resampling_filter.py [--taps 16] [--flat 0.45]`.

Values half-way between samples are made by a symmetric filter, and places between those by OpenCV's
bicubic kernel (a = -3/4). The filter is the one by which both together come closest, in the mean of
all places between two samples and of squares, to moving every frequency up to `flat` cycles per
pixel and doing nothing else; a frequency f counts by 1 / (f + 0.03), about as photographs have it.
Prints the right half of the filter.
"""

import argparse

import numpy as np


def bicubic(place: float) -> np.ndarray:
    """Return OpenCV's weights (4,) of the samples at -1, 0, 1, 2 for a place in [0, 1]."""
    a = -0.75
    inner, outer = np.array([place, 1 - place]), np.array([1 + place, 2 - place])
    near = (a + 2) * inner**3 - (a + 3) * inner**2 + 1
    far = a * outer**3 - 5 * a * outer**2 + 8 * a * outer - 4 * a
    return np.array([far[0], *near, far[1]])


def equations(taps: int, frequency: float, place: float, start: int) -> tuple[np.ndarray, complex]:
    """Return what each tap of the right half does to a wave, and what should come of it.

    Args:
        taps: of the whole filter, even.
        frequency: cycles per pixel.
        place: in [0, 1] between two doubled samples.
        start: 0 if the first of them is a sample, 1 if it lies half-way.
    """
    half = 2 * np.cos(2 * np.pi * frequency * (np.arange(taps // 2) + 0.5))
    does, alone = np.zeros(taps // 2, complex), 0j
    for k, weight in enumerate(bicubic(place)):
        turn = weight * np.exp(2j * np.pi * frequency * (k - 1 - place) / 2)
        if (start + k - 1) % 2:
            does += turn * half
        else:
            alone += turn
    return does, 1 - alone


def design(taps: int, flat: float) -> np.ndarray:
    """Return the right half of the filter, which sums to a half."""
    rows, wanted = [], []
    for frequency in (np.arange(80) + 0.5) * flat / 80:
        weight = 1 / (frequency + 0.03)
        for place in (np.arange(16) + 0.5) / 16:
            for start in (0, 1):
                does, target = equations(taps, frequency, place, start)
                rows += [weight * does.real, weight * does.imag]
                wanted += [weight * target.real, weight * target.imag]
    rows.append(np.full(taps // 2, 2e4))  # what is flat stays what it is
    wanted.append(1e4)
    half = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    return half / (2 * half.sum())


def main() -> None:
    """Print the filter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taps", type=int, default=16)
    parser.add_argument("--flat", type=float, default=0.45)
    args = parser.parse_args()
    print(", ".join(f"{v:.5f}" for v in design(args.taps, args.flat)))


if __name__ == "__main__":
    main()
