"""From a networkx graph to predictions by node: members of a karate club whose sides are mostly unknown."""

import networkx

import graphkd

club = networkx.karate_club_graph()
members = networkx.relabel_nodes(club, {node: f"member {node}" for node in club})
for index, (_, facts) in enumerate(members.nodes(data=True)):
    facts["side"] = facts["club"] if index % 3 else None  # every third member has not said so

data = graphkd.from_networkx(
    members,
    features=networkx.to_pandas_adjacency(members, weight=None),  # whom they know
    labels="side",
    weight="weight",
)
model = graphkd.GraphDistiller(teacher="gcn", training=graphkd.Training(max_epochs=50)).fit(data)

for member, side in zip(data.node_ids, model.predict(data), strict=True):
    print(f"{member}: {side}")
truth = [facts["club"] for _, facts in members.nodes(data=True)]
print(f"right: {model.score(data, truth):.0%}")
