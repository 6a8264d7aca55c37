"""Rows of features, as rtfm feed --features writes them to .npy files and tells them to
scorers. Needs nothing but Python's standard library."""
import ast
import struct


def read_header(f):
    """Reads the header of NPY, version 1.0, and returns the fields as (name, type, count)."""
    magic = f.read(10)
    if magic[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError("these are no rows of rtfm")
    header = ast.literal_eval(f.read(int.from_bytes(magic[8:], "little")).decode())
    return [(name, kind, shape[0][0] if shape else 1) for name, kind, *shape in header["descr"]]


def read_rows(f):
    """Yields rows, each a dict of numbers, bytes, and tuples of numbers."""
    names, layout, counts = [], "<", []
    letters = {"u1": "B", "i1": "b", "u2": "H", "u4": "I", "u8": "Q", "i8": "q", "f8": "d"}
    for name, kind, count in read_header(f):
        names.append(name)
        if kind[1] == "S":
            layout += kind[2:] + "s"
            counts.append(1)
        else:
            layout += str(count) + letters[kind[1:]]
            counts.append(count)
    layout = struct.Struct(layout)
    while len(b := f.read(layout.size)) == layout.size:
        values, row, at = layout.unpack(b), {}, 0
        for name, count in zip(names, counts):
            row[name] = values[at] if count == 1 else values[at : at + count]
            at += count
        yield row


FIRST = 8  # packets that the vector has


def vector(row):
    """What the tree looks at: nothing that says who talks to whom, and no ports."""
    listed = zip(row["FirstOctets"], row["FirstDirections"])
    v = [octets * direction for octets, direction in listed][:FIRST]
    v += row["FirstGaps"][:FIRST]
    v.append(row["Protocol"])
    for way in "To", "From":
        n = max(row[way + "SizeN"], 1)
        v += [row[way + "SizeN"], row[way + "SizeMin"], row[way + "SizeMax"], row[way + "SizeSum"] / n]
        v += [counter / n for counter in row[way + "PacketSize"]]
        v += [counter / n for counter in row[way + "TCPFlags"]]
    return v


def classify(tree, v):
    """Returns the label that a tree has for a vector, and the share of its rows there."""
    while "label" not in tree:
        tree = tree["below" if v[tree["feature"]] <= tree["limit"] else "above"]
    return tree["label"], tree["share"]
