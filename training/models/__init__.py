from training.models.arena import Preference, Vote
from training.models.base import BaseModel, Family
from training.models.benchmark import Benchmark, Cell, Probe, Question, Score, Suite
from training.models.editor_lora import EditorLora, Purpose
from training.models.foreign import ForeignLora
from training.models.gpu import Gpu
from training.models.lora import LoraVersion, Phase, Standing
from training.models.promotion import Act, Promotion, PromotionRules
from training.models.run import (
    FINISHED,
    NEXT_STATUSES,
    IllegalTransition,
    Run,
    RunKind,
    RunMoved,
    RunStatus,
)
from training.models.run_item import RunItem
from training.models.sharing import CardLink

__all__ = [
    "FINISHED",
    "NEXT_STATUSES",
    "Act",
    "BaseModel",
    "Benchmark",
    "CardLink",
    "Cell",
    "EditorLora",
    "Family",
    "ForeignLora",
    "Gpu",
    "IllegalTransition",
    "LoraVersion",
    "Phase",
    "Preference",
    "Probe",
    "Promotion",
    "PromotionRules",
    "Purpose",
    "Question",
    "Run",
    "RunItem",
    "RunKind",
    "RunMoved",
    "RunStatus",
    "Score",
    "Standing",
    "Suite",
    "Vote",
]
