"""Link prediction: networks and heuristics distilled into MLPs that score pairs of rows without a graph.

``x [N, D]``, edges → ``LinkSplit`` (pairs ``[P, 2]``) → ``LinkTeacher`` (pairs → logits ``[P]``, frozen) →
``Signal`` (its scores of drawn pairs, once) → ``LinkStudent`` (row ``[D]`` → embedding ``[d]``, and a decoder) →
``LinkPredictor`` (embeddings ``[N, d]``, once).

>>> import graphkd
>>> training = LinkTraining(max_epochs=3, hidden_dim=16, embedding_dim=8)
>>> run = distill(graphkd.load_dataset("digits"), teacher="aa", method="llp", training=training)
>>> scores, nodes = run.predictor.top_k(0, k=3)
>>> nodes.shape
torch.Size([3])
"""

from graphkd.links.bundle import load_predictor, save_predictor
from graphkd.links.contexts import Contexts, draw_contexts
from graphkd.links.decoders import AutoDecoder, Bilinear, Decoder, Dot, HadamardMLP
from graphkd.links.distill import LinkRun, distill
from graphkd.links.graph import LinkGraph
from graphkd.links.heuristic_teachers import AdamicAdar, CommonNeighbours, HeuristicMean, ResourceAllocation
from graphkd.links.heuristics import Heuristic, adamic_adar, common_neighbours, resource_allocation
from graphkd.links.index import ApproximateIndex
from graphkd.links.llp import LLP
from graphkd.links.methods import GLNN, Labels, LinkMethod
from graphkd.links.metrics import auc, average_precision, hits_at_k, link_metrics, mrr
from graphkd.links.ogb import read_ogb_links
from graphkd.links.predictor import LinkPredictor
from graphkd.links.settings import LinkTraining
from graphkd.links.split import LinkSplit, split_edges
from graphkd.links.student import LinkStudent, train_student
from graphkd.links.teacher import LinkTeacher, train_teacher

__all__ = [
    "GLNN",
    "LLP",
    "AdamicAdar",
    "ApproximateIndex",
    "AutoDecoder",
    "Bilinear",
    "CommonNeighbours",
    "Contexts",
    "Decoder",
    "Dot",
    "HadamardMLP",
    "Heuristic",
    "HeuristicMean",
    "Labels",
    "LinkGraph",
    "LinkMethod",
    "LinkPredictor",
    "LinkRun",
    "LinkSplit",
    "LinkStudent",
    "LinkTeacher",
    "LinkTraining",
    "ResourceAllocation",
    "adamic_adar",
    "auc",
    "average_precision",
    "common_neighbours",
    "distill",
    "draw_contexts",
    "hits_at_k",
    "link_metrics",
    "load_predictor",
    "mrr",
    "read_ogb_links",
    "resource_allocation",
    "save_predictor",
    "split_edges",
    "train_student",
    "train_teacher",
]
