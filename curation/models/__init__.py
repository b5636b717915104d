from curation.models.calibration import Calibration
from curation.models.caption import CaptionChange, CaptionEdit, CaptionProposal, Tag
from curation.models.decision import Choice, Decision, Reason
from curation.models.image import Image, ImageQuerySet, Measurement, Origin, Verdict
from curation.models.link import Link, LinkQuerySet
from curation.models.membership import (
    RANK,
    Invitation,
    Membership,
    Role,
    may_review,
    reviewable_by,
    reviews,
)
from curation.models.review import (
    Batch,
    Correction,
    Gate,
    ReviewItem,
    ReviewItemQuerySet,
)
from curation.models.reviewer import Reviewer
from curation.models.snapshot import Snapshot, SnapshotItem
from curation.models.subject import Subject, SubjectQuerySet

__all__ = [
    "RANK",
    "Batch",
    "Calibration",
    "CaptionChange",
    "CaptionEdit",
    "CaptionProposal",
    "Choice",
    "Correction",
    "Decision",
    "Gate",
    "Image",
    "ImageQuerySet",
    "Invitation",
    "Link",
    "LinkQuerySet",
    "Measurement",
    "Membership",
    "Origin",
    "Reason",
    "ReviewItem",
    "ReviewItemQuerySet",
    "Reviewer",
    "Role",
    "Snapshot",
    "SnapshotItem",
    "Subject",
    "SubjectQuerySet",
    "Tag",
    "Verdict",
    "may_review",
    "reviewable_by",
    "reviews",
]
