from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation.coverage import coverage
from curation.models import Origin, Subject, Verdict
from curation.shots import Shot
from tests.curation.cast import make_image, make_item, make_photos


def test_photos_fill_their_cells_and_the_rest_are_holes(subject: Subject):
    make_photos(subject, 3)
    found = coverage(subject)
    assert found.rows[0].cells[2].count == 3
    assert Shot() not in found.holes
    assert len(found.holes) == 22


def test_a_waiting_image_fills_no_cell(subject: Subject):
    make_item(subject, view="left profile", expression="sad", pose="portrait")
    assert len(coverage(subject).holes) == 23


def test_bodies_count_by_pose_whatever_the_view(subject: Subject):
    facts = {"view": "three-quarter left", "expression": "smiling", "pose": "sitting"}
    make_image(subject, origin=Origin.ENRICHED, verdict=Verdict.ACCEPTED, **facts)
    assert {cell.shot.pose: cell.count for cell in coverage(subject).bodies}["sitting"] == 1


def test_a_picture_of_unknown_shot_is_counted_apart(subject: Subject):
    make_image(subject, view="front")
    assert coverage(subject).num_unknown == 1


def test_coverage_is_one_query_however_many_pictures(subject: Subject):
    make_photos(subject, 12)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        coverage(subject)
    assert len(queries) == 1
