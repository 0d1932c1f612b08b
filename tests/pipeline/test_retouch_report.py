"""What the report says of strokes: whose they are, and each frame's share with them on."""

from dataclasses import replace

import numpy as np
import pytest

import panfocus
from panfocus.pipeline.retouched import retouch
from panfocus.retouch import FrameSource, FusedSource, Stroke
from tests.pipeline.test_project import write_stack


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    folder = write_stack(tmp_path_factory.mktemp("home") / "shots")
    options = panfocus.Options(system="guided", align="none", exposure="none")
    plan = panfocus.plan([folder], options)
    return plan, panfocus.fuse(plan)


def shares(fusion):
    return [facts["share"] for facts in fusion.report.frames]


def test_shares_follow_strokes(fused):
    plan, fusion = fused
    stroke = Stroke("rectangle", ((-1.0, -1.0), (129.5, 180.0)), FrameSource(3), radius=0)
    made = retouch(fusion, plan, [stroke])
    half = (fusion.index[:, :130] == 3).mean() / 2
    assert shares(made)[3] == pytest.approx(shares(fusion)[3] + 0.5 - half, abs=0.01)
    assert sum(shares(made)) == pytest.approx(1, abs=1e-6)
    assert made.report.retouch == {"strokes": 1, "sources": {"3.png": 1}}


def test_the_report_of_the_fusion_itself_stays_as_it_is(fused):
    plan, fusion = fused
    before = shares(fusion)
    stroke = Stroke("brush", ((50.0, 50.0),), FrameSource(0), radius=30)
    for _ in range(2):
        retouch(fusion, plan, [stroke, Stroke("brush", ((9.0, 9.0),), FusedSource(), radius=4)])
    assert shares(fusion) == before
    assert fusion.report.retouch is None


def test_without_an_index_map_shares_are_those_of_the_fusion(fused):
    plan, fusion = fused
    bare = replace(fusion, index=None, depth=None, confidence=None)
    stroke = Stroke("brush", ((50.0, 50.0),), FrameSource(0), radius=30)
    assert shares(retouch(bare, plan, [stroke])) == shares(fusion)
    assert np.isfinite(shares(fusion)).all()
