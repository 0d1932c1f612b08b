"""Q_P: features that light and contrast do not change, and how much of them the fused picture has.

Phase congruency (Kovesi, Videre 1(3), 1999; DICTA 2003) says how far the Fourier components of a
place agree in phase: edges and lines of any contrast come out alike. The published values of Q_P
come from the variant that is built here: log-Gabor filters of 4 scales and 6 orientations, the
noise threshold divided by 1.7, and mixed moments half as large as Kovesi has them since 2009.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.metrics.filters import gaussian_profile, ratio, separable
from panfocus.metrics.picture import Picture, Plane, Sources, greys

Complex = NDArray[np.complex128]

_SCALES = 4
_ORIENTATIONS = 6
_SHORTEST = 3.0  # wavelength of the finest scale, pixels
_STEP = 2.1  # from one scale's wavelength to the next
_BANDWIDTH = 0.55  # sigma over centre frequency of a log-Gabor filter
_ANGULAR_SIGMA = np.pi / _ORIENTATIONS / 1.2
_LOWPASS_RADIUS, _LOWPASS_ORDER = 0.45, 15
#: Mean plus two deviations of Rayleigh noise, over Kovesi's 1.7 for this measure of congruency.
_THRESHOLD = (np.sqrt(np.pi / 2) + 2 * np.sqrt(2 - np.pi / 2)) / 1.7
_WIDTH_CUTOFF, _WIDTH_GAIN = 0.5, 10.0
_EPSILON = 1e-4

_STRIP = 1 << 13  # pixels
#: Largest prime factor of a side that OpenCV transforms faster than numpy.
_FAST_PRIME = 100

_FEATURE = 0.1  # congruency above which a pixel shows a feature
_C = 1e-4


class Features(NamedTuple):
    """Feature maps of one picture, each ``(H, W)``.

    Attributes:
        congruency: phase congruency over all orientations, 0..1.
        edges: its largest moment over orientations, strength of edges.
        corners: its smallest moment, strength of corners.
    """

    congruency: Plane
    edges: Plane
    corners: Plane


def q_p(sources: Sources, fused: Picture) -> float:
    """Phase congruency kept; higher is better; -1..1, just under 1 if F = A = B.

    For each of three maps, congruency, edges and corners: the local correlation
    ``(cov + C) / (sqrt(var var) + C)``, C = 1e-4, under 11 x 11 Gaussian windows (sigma 1.5, zero
    padded) of the fused map with each source's and with the map chosen pixel by pixel from the
    source of largest congruency; source maps count where their congruency exceeds 0.1. The
    largest of these correlations at each pixel is summed and divided by the number of pixels
    whose chosen congruency exceeds 0.1; the value is the product over the three maps (Zhao,
    Laganiere and Liu, Int. J. Innovative Computing, Information and Control 3(6A), 2007). Any
    number of sources.

    Sources are masked and the fused map is not, so that equal pictures stay under 1. Pictures
    without any feature lose none: 1. Other programs with another phase congruency differ widely
    (0.29 where this gives 0.8).
    """
    planes, out = greys(sources, fused)
    bank = _Bank.of(out.plane.shape)
    features_f = _features(out.plane, bank)
    best = None
    chosen: list[Plane] = []
    arrived: list[Plane] = []
    for source in planes:
        features = _features(source.plane, bank)
        arrived = _largest(arrived, _correlations(features, features.congruency, features_f))
        if best is None:
            best, chosen = features.congruency, [*features]
            continue
        kept = best > features.congruency
        chosen = [np.where(kept, old, new) for old, new in zip(chosen, features, strict=True)]
        best = chosen[0]
    choice = Features(*chosen)
    arrived = _largest(arrived, _correlations(choice, choice.congruency, features_f))
    count = int(np.count_nonzero(choice.congruency > _FEATURE))
    if count == 0:
        return 1.0
    return float(np.prod([m.sum() / count for m in arrived]))


def _largest(so_far: list[Plane], new: list[Plane]) -> list[Plane]:
    if not so_far:
        return new
    return [np.maximum(a, b) for a, b in zip(so_far, new, strict=True)]


def _correlations(features: Features, congruency: Plane, fused: Features) -> list[Plane]:
    """Return local correlations of the three maps with the fused ones, 0 off the features."""
    mask = congruency > _FEATURE
    return [_correlation(x * mask, y) * mask for x, y in zip(features, fused, strict=True)]


def _correlation(x: Plane, y: Plane) -> Plane:
    profile = gaussian_profile(11, 1.5)
    profile /= profile.sum()

    def mean(plane: Plane) -> Plane:
        return separable(plane, profile, profile)

    mean_x, mean_y = mean(x), mean(y)
    variances = (mean(x * x) - mean_x**2) * (mean(y * y) - mean_y**2)
    covariance = mean(x * y) - mean_x * mean_y
    return (covariance + _C) / (np.sqrt(np.abs(variances)) + _C)


# phase congruency -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Bank:
    """Log-Gabor filters for one picture size, zero frequency first.

    Attributes:
        radial: one response per scale, ``(H, 2 W)``: every value twice, for the real and for the
            imaginary part of a spectrum.
        angular: one response per orientation, ``(H, W)``, one-sided: the filtered picture is
            complex, its real part even, its imaginary part odd.
        noise: for each orientation, what multiplies the root of the finest scale's median
            power to give the noise threshold.
    """

    radial: list[Plane]
    angular: list[Plane]
    noise: list[float]

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> _Bank:
        rows, columns = shape
        y, x = _axis(rows)[:, None], _axis(columns)[None, :]
        radius, theta = np.hypot(x, y), np.arctan2(-y, x)
        radial = _log_gabors(radius)
        angular = [_lobe(theta, o * np.pi / _ORIENTATIONS) for o in range(_ORIENTATIONS)]
        noise = [_noise_factor(radial, lobe) for lobe in angular]
        return cls([np.repeat(band, 2, axis=1) for band in radial], angular, noise)


def _axis(size: int) -> Plane:
    """Frequencies in cycles per pixel as Kovesi has them: odd sizes are divided by size - 1."""
    half = size // 2
    frequencies = np.arange(-half, size - half) / (size - size % 2)
    return np.fft.ifftshift(frequencies)


def _log_gabors(radius: Plane) -> list[Plane]:
    """Return one band per scale, Gaussian over log frequency, none of zero frequency."""
    lowpass = 1 / (1 + (radius / _LOWPASS_RADIUS) ** (2 * _LOWPASS_ORDER))
    lowpass[0, 0] = 0
    octave = np.log(np.where(radius > 0, radius, 1))
    centres = [-np.log(_SHORTEST * _STEP**scale) for scale in range(_SCALES)]
    narrowness = -1 / (2 * np.log(_BANDWIDTH) ** 2)
    return [np.exp((octave - centre) ** 2 * narrowness) * lowpass for centre in centres]


def _lobe(theta: Plane, direction: float) -> Plane:
    """Gaussian of the angle, either way round, to a direction in 0..pi."""
    away = np.abs(theta - direction)
    away = np.minimum(away, 2 * np.pi - away)
    return np.exp(-(away**2) / (2 * _ANGULAR_SIGMA**2))


def _noise_factor(radial: list[Plane], lobe: Plane) -> float:
    """Return threshold over sqrt(median power of the finest scale) for one orientation.

    White noise has mean power = median / ln 2, spread over the finest filter's energy. What it
    leaves in the sum over scales is the energy of the sum's even filter, whose response at k is
    half of lobe(k) + lobe(-k).
    """
    mirrored = np.roll(lobe[::-1, ::-1], (1, 1), axis=(0, 1))
    together = reduce(np.add, radial) ** 2
    passed = float((together * lobe * (lobe + mirrored)).sum()) / 2
    finest = float(((radial[0] * lobe) ** 2).sum())
    return float(_THRESHOLD * np.sqrt(passed / finest / np.log(2)))


def _features(plane: Plane, bank: _Bank) -> Features:
    """Measure phase congruency and its moments over orientations."""
    spectrum = np.fft.fft2(plane)
    shape = plane.shape
    energy, amplitude = np.zeros(shape), np.zeros(shape)
    xx, yy, xy = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for o, (lobe, noise) in enumerate(zip(bank.angular, bank.noise, strict=True)):
        cosine, sine = np.cos(o * np.pi / _ORIENTATIONS), np.sin(o * np.pi / _ORIENTATIONS)
        responses = _responses(spectrum * lobe, bank.radial)
        threshold = noise * float(np.median(np.abs(responses[0])))
        for rows in _strips(shape):
            here, total = _energy([response[rows] for response in responses], threshold)
            energy[rows] += here
            amplitude[rows] += total
            power = ratio(here, total, 0.0) ** 2
            xx[rows] += power * cosine**2
            yy[rows] += power * sine**2
            xy[rows] += power * (cosine * sine)
    xx, yy, xy = (2 / _ORIENTATIONS) * xx, (2 / _ORIENTATIONS) * yy, xy / _ORIENTATIONS
    spread = np.hypot(xy, xx - yy) + _EPSILON
    return Features(
        congruency=energy / (amplitude + _EPSILON),
        edges=(xx + yy + spread) / 2,
        corners=(xx + yy - spread) / 2,
    )


def _strips(shape: tuple[int, ...]) -> list[slice]:
    """Cover the rows in strips that stay in the processor's cache: twice as fast as planes."""
    step = max(1, _STRIP // shape[1])
    return [slice(top, top + step) for top in range(0, shape[0], step)]


def _energy(responses: list[Complex], threshold: float) -> tuple[Plane, Plane]:
    """Return weighted energy and summed amplitude of one orientation's scales.

    Energy is ``sum_s A_s (cos d_s - |sin d_s|)``, d_s the phase of scale s relative to the
    mean phase of all, less the noise threshold; the weight falls where few scales respond.
    """
    amplitudes = [np.abs(response) for response in responses]
    total, largest = reduce(np.add, amplitudes), reduce(np.maximum, amplitudes)
    towards = reduce(np.add, responses)
    length = np.abs(towards)
    # sum_s A_s cos d_s is the sum's own component along its direction
    energy = length**2 / (length + _EPSILON)
    towards /= length + _EPSILON
    np.conjugate(towards, out=towards)
    for response in responses:
        energy -= np.abs((response * towards).imag)
    width = total / (largest + _EPSILON) / _SCALES
    weight = 1 / (1 + np.exp((_WIDTH_CUTOFF - width) * _WIDTH_GAIN))
    return weight * np.maximum(energy - threshold, 0), total


def _responses(spectrum: Complex, radial: list[Plane]) -> list[Complex]:
    """Filter by every scale, real and imaginary part by the same number."""
    parts = spectrum.view(np.float64)
    return [_inverse((parts * twice).view(np.complex128)) for twice in radial]


def _inverse(spectrum: Complex) -> Complex:
    """Inverse Fourier transform; OpenCV's is twice as fast, but slow where numpy's is not.

    OpenCV has no fast way for sizes with a large prime factor.
    """
    if max(_largest_prime(side) for side in spectrum.shape) > _FAST_PRIME:
        return np.fft.ifft2(spectrum)
    pairs = spectrum.view(np.float64).reshape(*spectrum.shape, 2)
    out = np.asarray(cv2.dft(pairs, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE), np.float64)
    return out.view(np.complex128)[..., 0]


def _largest_prime(number: int) -> int:
    factor = 2
    while factor * factor <= number:
        if number % factor == 0:
            number //= factor
        else:
            factor += 1
    return number
