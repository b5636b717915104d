from training.models.arena import Preference, Vote
from training.models.base import BaseModel, Family
from training.models.benchmark import Benchmark, Cell, Score
from training.models.foreign import ForeignLora
from training.models.lora import LoraVersion, Phase, Standing
from training.models.promotion import Act, Promotion, PromotionRules
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

__all__ = [
    "FINISHED",
    "NEXT_STATUSES",
    "Act",
    "BaseModel",
    "Benchmark",
    "Cell",
    "Family",
    "ForeignLora",
    "IllegalTransition",
    "LoraVersion",
    "Phase",
    "Preference",
    "Promotion",
    "PromotionRules",
    "Run",
    "RunItem",
    "RunKind",
    "RunMoved",
    "RunStatus",
    "Score",
    "Standing",
    "Vote",
]
