from training.models.base import BaseModel, Family
from training.models.benchmark import Benchmark, Cell, Probe, Question, Score, Suite
from training.models.lora import LoraVersion, Phase, Standing
from training.models.run import (
    FINISHED,
    NEXT_STATUSES,
    IllegalTransition,
    Run,
    RunItem,
    RunKind,
    RunMoved,
    RunStatus,
)
from training.models.sharing import CardLink

__all__ = [
    "FINISHED",
    "NEXT_STATUSES",
    "BaseModel",
    "Benchmark",
    "CardLink",
    "Cell",
    "Family",
    "IllegalTransition",
    "LoraVersion",
    "Phase",
    "Probe",
    "Question",
    "Run",
    "RunItem",
    "RunKind",
    "RunMoved",
    "RunStatus",
    "Score",
    "Standing",
    "Suite",
]
