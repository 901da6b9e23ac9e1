"""Terms that are added to a method's loss; each composes with every method. Layer matching is one of them."""

from graphkd.terms.base import Term
from graphkd.terms.confidence_penalty import ConfidencePenalty
from graphkd.terms.entropy import EntropyMinimization
from graphkd.terms.none import NoTerm

__all__ = ["ConfidencePenalty", "EntropyMinimization", "NoTerm", "Term"]
