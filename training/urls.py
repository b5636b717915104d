from __future__ import annotations

from django.urls import path

from training.views import arena, asking, editor, loras, runs, setup, starting, wheel

urlpatterns = [
    path("s/<slug:slug>/", wheel.wheel, name="wheel"),
    path("s/<slug:slug>/measure/", wheel.measure, name="measure"),
    path("s/<slug:slug>/enrich/", starting.enrich, name="enrich"),
    path("s/<slug:slug>/generate/", starting.generate, name="generate"),
    path("s/<slug:slug>/others/", asking.draw_others, name="draw_others"),
    path("s/<slug:slug>/captions/propose/", asking.propose_captions, name="propose_captions"),
    path("s/<slug:slug>/train/", starting.train, name="train"),
    path("s/<slug:slug>/benchmark/", starting.benchmark, name="benchmark"),
    path("s/<slug:slug>/card/", loras.card, name="card"),
    path("s/<slug:slug>/arena/", arena.blind, name="arena"),
    path("s/<slug:slug>/arena/vote/", arena.vote, name="vote"),
    path("s/<slug:slug>/arena/take-back/", arena.take_back_vote, name="take_back_vote"),
    path("s/<slug:slug>/arena/ranking/", arena.ranking, name="ranking"),
    path("s/<slug:slug>/runs/", runs.runs, name="runs"),
    path("items/<int:pk>/edit/", starting.edit_item, name="edit_item"),
    path("runs/", runs.all_runs, name="all_runs"),
    path("runs/<int:pk>/", runs.run_detail, name="run_detail"),
    path("runs/<int:pk>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<int:pk>/cancel/", runs.cancel_run, name="cancel_run"),
    path("runs/<int:pk>/resume/", runs.resume_run, name="resume_run"),
    path("runs/<int:pk>/loss.json", runs.run_loss, name="run_loss"),
    path("runs/<int:pk>/samples/<str:name>", runs.run_sample, name="run_sample"),
    path("loras/<int:pk>/", loras.lora_detail, name="lora_detail"),
    path("loras/<int:pk>/promote/", loras.promote, name="promote"),
    path("loras/<int:pk>/retire/", loras.retire, name="retire_lora"),
    path("loras/<int:pk>/file/", loras.lora_file, name="lora_file"),
    path("editor/", editor.editor, name="editor"),
    path("editor/train/", editor.train_editor, name="train_editor"),
    path("editor/benchmark/", editor.benchmark_editor, name="benchmark_editor"),
    path("setup/", setup.setup, name="setup"),
    path("setup/<int:pk>/prefer/", setup.prefer_base, name="prefer_base"),
    path("demo-dolls/<slug:name>.zip", wheel.doll_zip, name="doll_zip"),
]
