from __future__ import annotations

from django.urls import include, path

from curation.views import datasets, photos, review, reviewing, subjects

urlpatterns = [
    path("", include("curation.media")),
    path("", subjects.home, name="home"),
    path("new/", subjects.new_subject, name="new_subject"),
    path("s/<slug:slug>/photos/", photos.photos, name="photos"),
    path("s/<slug:slug>/photos/upload/", photos.upload_photos, name="upload_photos"),
    path("s/<slug:slug>/images/<int:pk>/", photos.image_detail, name="image_detail"),
    path("s/<slug:slug>/images/<int:pk>/hold-out/", photos.hold_out, name="hold_out"),
    path("s/<slug:slug>/images/<int:pk>/trash/", photos.trash_image, name="trash_image"),
    path("s/<slug:slug>/images/<int:pk>/restore/", photos.restore_image, name="restore_image"),
    path("s/<slug:slug>/trash/", photos.trash, name="trash"),
    path("s/<slug:slug>/datasets/", datasets.datasets, name="datasets"),
    path("s/<slug:slug>/datasets/<str:origin>/", datasets.dataset, name="dataset"),
    path("s/<slug:slug>/lessons.zip", datasets.export_lessons, name="export_lessons"),
    path("s/<slug:slug>/freeze/", datasets.freeze, name="freeze"),
    path("s/<slug:slug>/snapshots/<int:pk>/", datasets.snapshot_detail, name="snapshot_detail"),
    path("s/<slug:slug>/review/", review.review, name="review"),
    path("s/<slug:slug>/review/all/", review.batches, name="batches"),
    path("s/<slug:slug>/review/<int:pk>/", review.review_batch, name="review_batch"),
    path("s/<slug:slug>/review/<int:pk>/numbers/", review.batch_numbers, name="numbers"),
    path("batches/<int:pk>/claim/", review.claim_items, name="claim"),
    path("batches/<int:pk>/keep/", review.keep_items, name="keep"),
    path("batches/<int:pk>/release/", review.release_items, name="release"),
    path("batches/<int:pk>/undo/", review.undo_in_batch, name="undo"),
    path("reviewer/key/", reviewing.bind_key, name="bind_key"),
    path("reviewer/blind/", reviewing.judge_blind, name="judge_blind"),
    path("items/<int:pk>/", review.look_at_item, name="look"),
    path("items/<int:pk>/decide/", review.decide_item, name="decide"),
    path("items/<int:pk>/correct/", review.correct_item, name="correct"),
    path("items/<int:pk>/retouch/", review.retouch_item, name="retouch"),
]
