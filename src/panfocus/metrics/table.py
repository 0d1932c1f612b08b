"""The table of all picture metrics: what they take, which way they point, what to beware of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from panfocus.errors import UsageError
from panfocus.metrics import (
    exposure,
    features,
    gradient,
    information,
    perceptual,
    phase,
    reference,
    statistics,
    structural,
)
from panfocus.metrics.picture import Grey, Picture, Sources, greys, same_size

Takes = Literal["fused", "sources", "reference"]


@dataclass(frozen=True)
class Metric:
    """One row of the table.

    Attributes:
        name: the key in results, as in published tables.
        title: what it is, in words.
        takes: what stands beside the fused picture: nothing, the sources, or the reference.
        better: the direction of improvement, as its authors mean it.
        span: the range of its values.
        citation: where it is defined.
        pitfall: what it is blind to or led by.
        function: takes ``(fused)``, ``(sources, fused)`` or ``(reference, fused)``.
        pairs_only: the definition has no third source.
    """

    name: str
    title: str
    takes: Takes
    better: Literal["higher", "lower"]
    span: str
    citation: str
    pitfall: str
    function: Callable[..., float]
    pairs_only: bool = False

    def fits(self, sources: int, has_reference: bool) -> bool:
        """Tell whether it can be computed from so many sources and with or without reference."""
        if self.takes == "reference":
            return has_reference
        return self.takes == "fused" or sources == 2 or (sources > 0 and not self.pairs_only)

    def __call__(self, sources: Sources, fused: Picture, reference: Picture | None = None) -> float:
        """Compute it, whatever of the arguments it takes.

        Raises:
            UsageError: it needs a reference and there is none, or it is defined for two sources
                and there is another number.
            InputError: a picture is unfit.
        """
        if self.takes == "fused":
            return self.function(fused)
        if self.takes == "sources":
            return self.function(sources, fused)
        if reference is None:
            raise UsageError(
                f"{self.name} compares with a reference picture, and none was given",
                remedy="Give the reference, or ask for metrics of the sources, such as Q_W.",
            )
        return self.function(reference, fused)


_ROWS = (
    Metric(
        "EN", "entropy", "fused", "higher", "0..8",
        "Shannon 1948",
        "noise raises it",
        statistics.en,
    ),
    Metric(
        "SD", "standard deviation (mean over columns)", "fused", "higher", "0..128",
        "no single source; as in Liu et al., IEEE TPAMI 2024",
        "contrast stretching raises it; std of the whole picture is another, larger number",
        statistics.sd,
    ),
    Metric(
        "AG", "average gradient", "fused", "higher", ">= 0",
        "no single source; as in Liu et al., IEEE TPAMI 2024",
        "noise and sharpening raise it; toolboxes differ in the differences they take",
        statistics.ag,
    ),
    Metric(
        "SF", "spatial frequency", "fused", "higher", ">= 0",
        "Eskicioglu and Fisher, IEEE Trans. Communications 43(12), 1995",
        "noise and sharpening raise it",
        statistics.sf,
    ),
    Metric(
        "EI", "edge intensity", "fused", "higher", ">= 0",
        "no single source; as in Liu et al., IEEE TPAMI 2024",
        "noise and sharpening raise it",
        statistics.ei,
    ),
    Metric(
        "Q_MI", "normalised mutual information", "sources", "higher", "0..2",
        "Hossny, Nahavandi and Creighton, Electronics Letters 44(18), 2008",
        "rewards hard copies of source pixels; plain MI is on another scale",
        information.q_mi,
    ),
    Metric(
        "Q_NCIE", "nonlinear correlation information entropy", "sources", "higher",
        "1 - log256(N + 1)..1",
        "Wang, Shen and Jin, in Stathaki (ed.), Image Fusion, 2008, ch. 19",
        "rewards hard copies of source pixels; differs in the third decimal at most",
        information.q_ncie,
    ),
    Metric(
        "Q_TE", "Tsallis mutual information", "sources", "higher", "unbounded",
        "Cvejic, Canagarajah and Bull, Electronics Letters 42(11), 2006",
        "published values exchange the marginals; a few rare grey levels rule it",
        information.q_te,
    ),
    Metric(
        "Q_SCD", "sum of correlations of differences", "sources", "higher", "-2..2",
        "Aslantas and Bendes, AEU 69(12), 2015",
        "rewards exaggerated contrast",
        information.q_scd, pairs_only=True,
    ),
    Metric(
        "Q_G", "gradient transfer, Q^AB/F", "sources", "higher", "0..0.974794",
        "Xydeas and Petrovic, Electronics Letters 36(4), 2000",
        "never 1; programs differ in the second decimal",
        gradient.q_g,
    ),
    Metric(
        "Q_P", "phase congruency kept", "sources", "higher", "-1..1",
        "Zhao, Laganiere and Liu, Int. J. Innovative Computing, Information and Control 3(6A), "
        "2007",
        "rewards hard copies; other programs with another phase congruency differ widely",
        phase.q_p,
    ),
    Metric(
        "Q_W", "Piella's weighted quality", "sources", "higher", "-1..1",
        "Piella and Heijmans, ICIP 2003",
        "other windows and constants give other values (0.01 to 0.02)",
        structural.q_w,
    ),
    Metric(
        "Q_S", "Piella's quality", "sources", "higher", "-1..1",
        "Piella and Heijmans, ICIP 2003",
        "flat windows count as much as edges",
        structural.q_s,
    ),
    Metric(
        "Q_E", "Piella's edge-dependent quality", "sources", "higher", "-1..1",
        "Piella and Heijmans, ICIP 2003",
        "Prewitt edges, zero padded; alpha = 1",
        structural.q_e,
    ),
    Metric(
        "Q_C", "Cvejic's quality", "sources", "higher", "-1..1",
        "Cvejic et al., Int. J. Signal Processing 2(3), 2005",
        "a window that covaries with one source only is judged by that one alone",
        structural.q_c, pairs_only=True,
    ),
    Metric(
        "Q_Y", "Yang's quality, SSIM based", "sources", "higher", "-1..1",
        "Yang, Zhang, Wang and Zhang, Information Fusion 9(2), 2008",
        "rewards hard copies; unguarded, flat areas return noise by noise",
        structural.q_y, pairs_only=True,
    ),
    Metric(
        "Q_CB", "Chen-Blum", "sources", "higher", "0..1",
        "Chen and Blum, Image and Vision Computing 27(10), 2009",
        "rewards hard copies; depends on the size of the picture",
        perceptual.q_cb,
    ),
    Metric(
        "Q_CV", "Chen-Varshney", "sources", "lower", ">= 0",
        "Chen and Varshney, Information Fusion 8(2), 2007",
        "a few blocks with the hardest edges decide; depends on the size of the picture",
        perceptual.q_cv,
    ),
    Metric(
        "Q_VIFF", "visual information fidelity for fusion", "sources", "higher", ">= 0",
        "Han, Cai, Cao and Xu, Information Fusion 14(2), 2013",
        "exceeds 1 for exaggerated contrast",
        perceptual.viff,
    ),
    Metric(
        "Q_FMI", "feature mutual information, Sobel features", "sources", "higher", "0..1",
        "Haghighat, Aghagolzadeh and Seyedarabi, Computers and Electrical Engineering 37(5), 2011",
        "depends on the features; not verified against the authors' program",
        features.q_fmi,
    ),
    Metric(
        "MEF_SSIM", "structural similarity to the strongest structure", "sources", "higher", "0..1",
        "Ma, Zeng and Wang, IEEE TIP 24(11), 2015",
        "blind to local brightness; not verified against the authors' program",
        exposure.mef_ssim,
    ),
    Metric(
        "PSNR", "peak signal to noise ratio, dB", "reference", "higher", ">= 0, infinite if equal",
        "-",
        "one frame of bad pixels along the border costs up to 10 dB",
        reference.psnr,
    ),
    Metric(
        "SSIM", "structural similarity", "reference", "higher", "-1..1",
        "Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 13(4), 2004, eq. 13",
        "padding and downsampling differ between programs; here neither",
        reference.ssim,
    ),
    Metric(
        "GMSD", "gradient magnitude similarity deviation", "reference", "lower", ">= 0",
        "Xue, Zhang, Mou and Bovik, IEEE TIP 23(2), 2014",
        "an error that is alike everywhere costs nothing",
        reference.gmsd,
    ),
)  # fmt: skip
#: All metrics by name, in the order of published tables.
METRICS = {row.name: row for row in _ROWS}


def evaluate_all(
    sources: Sources,
    fused: Picture,
    reference: Picture | None = None,
    names: Sequence[str] | None = None,
) -> dict[str, float]:
    """Compute many metrics of one fused picture.

    Args:
        sources: the frames, each as `Grey.of` takes it.
        fused: of the same size.
        reference: the truth, if there is one.
        names: which metrics, in this order. None computes all that are defined for this number
            of sources and for having or not having a reference.

    Returns:
        Values by name (the keys of `METRICS`).

    Raises:
        UsageError: an unknown name, or a named metric that is not defined here.
        InputError: a picture is unfit or of another size.
    """
    planes, out = greys(sources, fused)
    truth = None if reference is None else Grey.of(reference, "reference")
    if truth is not None:
        same_size(truth, out, "reference")
    if names is None:
        has_truth = truth is not None
        rows = [row for row in METRICS.values() if row.fits(len(planes), has_truth)]
    else:
        rows = [metric(name) for name in names]
    return {row.name: row(planes, out, truth) for row in rows}


def metric(name: str) -> Metric:
    """Return the row of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in METRICS:
        raise UsageError("there is no metric of this name", expected=", ".join(METRICS), got=name)
    return METRICS[name]
