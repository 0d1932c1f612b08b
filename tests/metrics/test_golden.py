"""The published programs' values, to ten digits.

Computed with GNU Octave 7.3 from the authors' own programs on the pictures in `golden/`, which
derive from public-domain photographs (camera, chelsea, coffee and page of scikit-image).
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from panfocus.metrics import METRICS, Grey, evaluate_all

HERE = Path(__file__).parent / "golden"
TOLERANCE = 1e-6

GOLDEN = {
    "camera": {
        "gray_mean_A": 97.39782715,
        "EN": 7.2780134,
        "SD": 56.12359961,
        "AG": 8.034063953,
        "SF": 22.34240428,
        "EI": 64.47802344,
        "Q_MI": 1.242489825,
        "Q_NCIE": 0.8454543027,
        "Q_TE": 87.23726989,
        "Q_SCD": 0.5079600028,
        "Q_G": 0.73709052,
        "Q_P": 0.8983789537,
        "Q_W": 0.9360295673,
        "Q_S": 0.8783453588,
        "Q_E": 0.8788120244,
        "Q_C": 0.8951986723,
        "Q_Y": 0.9911783456,
        "Q_CB": 0.8107929718,
        "Q_CV": 38.51339686,
        "Q_VIFF": 0.9831006938,
        "PSNR": 43.79855756,
        "SSIM": 0.9985505162,
        "GMSD": 0.005233016316,
    },
    "chelsea": {
        "gray_mean_A": 113.0162721,
        "EN": 6.827852246,
        "SD": 28.46272454,
        "AG": 5.513698317,
        "SF": 9.760118532,
        "EI": 45.39754923,
        "Q_MI": 0.738478953,
        "Q_NCIE": 0.8156438269,
        "Q_TE": 8.401336337,
        "Q_SCD": 0.3582522716,
        "Q_G": 0.6634759096,
        "Q_P": 0.8042684753,
        "Q_W": 0.9195981111,
        "Q_S": 0.8927066654,
        "Q_E": 0.7414372784,
        "Q_C": 0.8819780424,
        "Q_Y": 0.8835287795,
        "Q_CB": 0.6934628566,
        "Q_CV": 19.49575063,
        "Q_VIFF": 0.8083504301,
        "PSNR": 33.05760541,
        "SSIM": 0.9204353992,
        "GMSD": 0.03305833543,
    },
    "coffee": {
        "gray_mean_A": 90.46081543,
        "EN": 7.469215929,
        "SD": 59.86797756,
        "AG": 5.35399181,
        "SF": 17.20439936,
        "EI": 45.02296148,
        "Q_MI": 1.163558916,
        "Q_NCIE": 0.8442337766,
        "Q_TE": 86.39416796,
        "Q_SCD": 0.4898196427,
        "Q_G": 0.7608233167,
        "Q_P": 0.8479138147,
        "Q_W": 0.9478038888,
        "Q_S": 0.9029878905,
        "Q_E": 0.8777554291,
        "Q_C": 0.9005759394,
        "Q_Y": 0.9374154423,
        "Q_CB": 0.713675459,
        "Q_CV": 35.42913444,
        "Q_VIFF": 0.9509638121,
        "PSNR": 35.45861065,
        "SSIM": 0.9849410362,
        "GMSD": 0.03437107793,
    },
    "page": {
        "gray_mean_A": 173.7581844,
        "EN": 7.146357998,
        "SD": 28.62310989,
        "AG": 9.54477035,
        "SF": 24.48682669,
        "EI": 73.50624806,
        "Q_MI": 0.7761603338,
        "Q_NCIE": 0.8194335185,
        "Q_TE": 93.38859055,
        "Q_SCD": 0.7176118375,
        "Q_G": 0.5553582263,
        "Q_P": 0.8190099607,
        "Q_W": 0.8377233215,
        "Q_S": 0.8318793225,
        "Q_E": 0.5959735977,
        "Q_C": 0.8176128363,
        "Q_Y": 0.8364985953,
        "Q_CB": 0.6962806702,
        "Q_CV": 80.82102175,
        "Q_VIFF": 0.7299193865,
        "PSNR": 24.08876105,
        "SSIM": 0.902667848,
        "GMSD": 0.06284047938,
    },
}
NAMES = [name for name in GOLDEN["camera"] if name in METRICS]


def picture(triple, part):
    return np.asarray(Image.open(HERE / f"{triple}_{part}.png"))


@cache
def values(triple):
    a, b, fused, truth = (picture(triple, part) for part in ("A", "B", "F", "GT"))
    return evaluate_all([a, b], fused, truth)


@pytest.mark.parametrize("triple", GOLDEN)
def test_grey_conversion(triple):
    mean = Grey.of(picture(triple, "A")).plane.mean()
    assert mean == pytest.approx(GOLDEN[triple]["gray_mean_A"], rel=1e-9)


@pytest.mark.parametrize("triple", GOLDEN)
@pytest.mark.parametrize("name", NAMES)
def test_golden(triple, name):
    assert values(triple)[name] == pytest.approx(GOLDEN[triple][name], rel=TOLERANCE)


def test_every_golden_value_is_computed():
    assert set(GOLDEN["camera"]) - set(NAMES) == {"gray_mean_A"}


@pytest.mark.parametrize("triple", GOLDEN)
def test_each_metric_tells_the_fused_picture_from_its_first_source(triple):
    """A metric that ignored its arguments would return the same for both."""
    a, b, truth = (picture(triple, part) for part in ("A", "B", "GT"))
    worse = evaluate_all([a, b], a, truth)
    assert all(worse[name] != value for name, value in values(triple).items())


def test_an_unguarded_q_y_agrees_where_nothing_is_flat():
    from panfocus.metrics.structural import q_y

    for triple in GOLDEN:
        sources = [picture(triple, "A"), picture(triple, "B")]
        bare = q_y(sources, picture(triple, "F"), guarded=False)
        assert bare == pytest.approx(GOLDEN[triple]["Q_Y"], rel=TOLERANCE)


def test_corrected_marginals_change_q_te():
    from panfocus.metrics.information import q_te

    sources = [picture("page", "A"), picture("page", "B")]
    corrected = q_te(sources, picture("page", "F"), corrected=True)
    assert corrected < 0.5 * GOLDEN["page"]["Q_TE"]
