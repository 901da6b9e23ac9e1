"""Balances: what unbalanced classes change in a loss, or in the answer; each composes with every method."""

from graphkd.balance.balanced_softmax import BalancedSoftmax
from graphkd.balance.base import Balance, NoBalance
from graphkd.balance.bkd import BalancedDistillation
from graphkd.balance.effective_number import EffectiveNumber
from graphkd.balance.logit_adjustment import LogitAdjustment
from graphkd.balance.ltkd import LongTailDistillation

__all__ = [
    "Balance",
    "BalancedDistillation",
    "BalancedSoftmax",
    "EffectiveNumber",
    "LogitAdjustment",
    "LongTailDistillation",
    "NoBalance",
]
