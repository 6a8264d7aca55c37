"""Trains a decision tree on rows of features: python3 train.py TREE.json ROWS.npy...

Each file has the rows of one trace, and its name begins with what its flows are: dns,
quic and so on, up to the first of "-_.". Kinds of which there are few traces are left
out. How often the tree is right is told of traces that it was not trained on: thrice a
tree is made of two thirds of the traces, and asked about the others. The one that is
written is made of all. Needs NumPy."""
import json
import os
import re
import sys

import numpy as np

import rows

DEPTH, LEAST = 4, 3  # of the tree; rows of a leaf
TRACES = 8  # of a kind
PARTS = 3  # of the traces, each of which is asked about once


def load(path):
    """Returns the vectors of the flows in a file: of each flow its first row."""
    vectors, seen = [], set()
    with open(path, "rb") as f:
        for row in rows.read_rows(f):
            if (flow := (row["FlowID"], row["Begun"])) not in seen:
                seen.add(flow)
                vectors.append(rows.vector(row))
    return vectors


def impurity(sums):
    """Returns the weight times Gini's impurity of rows with these weights of each label."""
    total = sums.sum(axis=-1)
    return total - (sums**2).sum(axis=-1) / np.maximum(total, 1e-12)


def best_split(x, y):
    """Returns the feature and limit that leave the labels purest, None if none does."""
    best, found = impurity(y.sum(axis=0)) - 1e-9, None
    for feature in range(x.shape[1]):
        order = np.argsort(x[:, feature], kind="stable")
        values, below = x[order, feature], np.cumsum(y[order], axis=0)
        left = impurity(below[:-1]) + impurity(below[-1] - below[:-1])
        left[values[1:] == values[:-1]] = np.inf
        left[: LEAST - 1] = left[len(left) - LEAST + 1 :] = np.inf
        if len(left) and left.min() < best:
            at = left.argmin()
            best, found = left[at], (feature, float(values[at] + values[at + 1]) / 2)
    return found


def grow(x, y, labels, depth=DEPTH):
    """Returns a tree for vectors x; y has the weight of each in the column of its label."""
    split = best_split(x, y) if depth and len(x) >= 2 * LEAST else None
    if split is None:
        sums = y.sum(axis=0)
        return {"label": labels[sums.argmax()], "share": round(float(sums.max() / sums.sum()), 3)}
    feature, limit = split
    below = x[:, feature] <= limit
    return {
        "feature": feature,
        "limit": limit,
        "below": grow(x[below], y[below], labels, depth - 1),
        "above": grow(x[~below], y[~below], labels, depth - 1),
    }


def train(traces, labels):
    """Returns the tree of traces, each of which counts as much as any other, however many
    flows it has."""
    flows = [(v, label, 1 / len(vectors)) for label, vectors in traces for v in vectors]
    y = np.zeros((len(flows), len(labels)))
    for i, (_, label, weight) in enumerate(flows):
        y[i, labels.index(label)] = weight
    return grow(np.array([v for v, _, _ in flows], dtype=float), y, labels)


def main(tree_path, paths):
    kinds = {}
    for path in sorted(paths):
        label = re.split("[-_.]", os.path.basename(path))[0].lower()
        if vectors := load(path):
            kinds.setdefault(label, []).append((label, vectors))
    kinds = {label: traces for label, traces in kinds.items() if len(traces) >= TRACES}
    labels = sorted(kinds)
    flows = {label: sum(len(vectors) for _, vectors in kinds[label]) for label in labels}
    right = dict.fromkeys(labels, 0)
    for part in range(PARTS):
        rest = [t for label in labels for i, t in enumerate(kinds[label]) if i % PARTS != part]
        tree = train(rest, labels)
        for label in labels:
            for _, vectors in kinds[label][part::PARTS]:
                right[label] += sum(rows.classify(tree, v)[0] == label for v in vectors)
    with open(tree_path, "w") as f:
        json.dump(train([t for label in labels for t in kinds[label]], labels), f, indent=1)
    total = sum(flows.values())
    print(f"{sum(right.values()) / total:.0%} right of {total} flows; by the most frequent label alone {max(flows.values()) / total:.0%}")
    for label in labels:
        print(f"  {label:10} {right[label]:5} of {flows[label]:5} flows in {len(kinds[label])} traces")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
