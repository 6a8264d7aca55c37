"""Says what flows are, and has nftables mark them:

    python3 scorer.py TREE.json SOCKET [--nft KIND,KIND...]

rtfm feed --features unix:SOCKET sends rows of features, and is answered with labels.
With --nft, the flows of these kinds become elements of the sets KIND4 and KIND6 of
nftables' table inet rtfm, for a minute each; mark.nft has the table and what it does
with them. Needs nothing but Python's standard library."""
import argparse
import json
import os
import socket
import subprocess

import rows

PROTOCOLS = {6: "tcp", 17: "udp"}


def elements(row, label):
    """Returns the commands that have nftables mark a flow, in both directions."""
    ends = [(row[end + "PeerAddress"].rstrip(b"\0").decode(), row[end + "TransAddress"]) for end in ("Source", "Dest")]
    family = 6 if ":" in ends[0][0] else 4
    for (a, port), (b, other) in (ends, ends[::-1]):
        yield f"add element inet rtfm {label}{family} {{ {a} . {port} . {b} . {other} . {PROTOCOLS[row['Protocol']]} timeout 60s }}"


def serve(connection, tree, nft, marked):
    """Answers the rows of a connection until it ends."""
    f = connection.makefile("rb")
    for row in rows.read_rows(f):
        label, share = rows.classify(tree, rows.vector(row))
        answer = {"FlowID": f"{row['FlowID']:016x}", "Domain": row["Domain"], "Label": label, "Score": share}
        connection.sendall(json.dumps(answer).encode() + b"\n")
        # A flow that has ended (3) needs no mark.
        if label in marked and row["Why"] != 3 and row["Protocol"] in PROTOCOLS:
            for command in elements(row, label):
                nft.stdin.write(command + "\n")
            nft.stdin.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tree")
    parser.add_argument("socket")
    parser.add_argument("--nft", default="", help="kinds that are marked, with commas between them")
    args = parser.parse_args()
    with open(args.tree) as f:
        tree = json.load(f)
    marked = set(filter(None, args.nft.split(",")))
    nft = subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) if marked else None
    if os.path.exists(args.socket):
        os.unlink(args.socket)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(args.socket)
        listener.listen()
        print("listening", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    serve(connection, tree, nft, marked)
                except (OSError, ValueError) as fault:
                    print(fault, flush=True)


if __name__ == "__main__":
    main()
