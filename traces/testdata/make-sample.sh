#!/bin/bash
# make-sample.sh writes sample.pcap, the trace that ships with rtfm: about four
# and a half minutes of traffic between two networks of this script's own
# making, seen on the wire between the clients and their router.
#
#	clients  192.0.2.10-12, 2001:db8:1::10-11
#	router   192.0.2.1, 198.51.100.1, 2001:db8:1::1, 2001:db8:2::1
#	servers  198.51.100.53, .80, 2001:db8:2::53, ::80
#
# All addresses are those set aside for documentation (RFC 5737, RFC 3849),
# all names lie under example.test (RFC 6761), all payload is synthetic. The
# traffic: DNS, HTTP over IPv4 and IPv6, a long terminal-like TCP session, UDP
# one way and both ways, echo requests (some fragmented), ports that refuse,
# ARP and neighbour discovery, and a probe on VLAN 10, 203.0.113.10 to .1, that
# nothing answers. Packets are cut to 96 octets, as traces often are.
#
# Needs root, iproute2, ethtool, tcpdump, reordercap, iputils-ping and python3.
# Makes three network namespaces and removes them. A new run gives the same
# conversations with other times and ports, so what tests and documents say of
# the sample changes with it. An argument is the number of seconds to last.
set -eu
seconds=${1:-265}
out=$(cd "$(dirname "$0")" && pwd)/sample.pcap
work=$(mktemp -d)
c=rtfm-clients-$$ r=rtfm-router-$$ s=rtfm-servers-$$
pids=()
finish() {
	kill "${pids[@]}" 2>/dev/null || true
	wait "${pids[@]}" 2>/dev/null || true
	for ns in $c $r $s; do ip netns del "$ns" 2>/dev/null || true; done
	rm -rf "$work"
}
trap finish EXIT

# One link for each side of the router, with plain locally administered MAC
# addresses and without offloads, which would show frames larger than the wire
# carries.
for ns in $c $r $s; do
	ip netns add "$ns"
	ip -n "$ns" link set lo up
done
ip -n $c link add eth0 address 02:00:00:00:01:10 type veth peer name eth1 netns $r address 02:00:00:00:01:01
ip -n $s link add eth0 address 02:00:00:00:02:80 type veth peer name eth2 netns $r address 02:00:00:00:02:01
for at in "$c eth0" "$r eth1" "$r eth2" "$s eth0"; do
	set -- $at
	ip netns exec "$1" ethtool -K "$2" tso off gso off gro off tx off >/dev/null
	ip -n "$1" link set "$2" up
done
ip netns exec $r sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

ip netns exec $c tcpdump -i eth0 -s 96 -w "$work/sample.pcap" 2>"$work/tcpdump" &
pids+=($!)
sleep 1

for a in 192.0.2.10/24 192.0.2.11/24 192.0.2.12/24 2001:db8:1::10/64 2001:db8:1::11/64; do ip -n $c addr add $a dev eth0; done
for a in 192.0.2.1/24 2001:db8:1::1/64; do ip -n $r addr add $a dev eth1; done
for a in 198.51.100.1/24 2001:db8:2::1/64; do ip -n $r addr add $a dev eth2; done
for a in 198.51.100.80/24 198.51.100.53/24 2001:db8:2::80/64 2001:db8:2::53/64; do ip -n $s addr add $a dev eth0; done
ip -n $c route add default via 192.0.2.1
ip -n $s route add default via 198.51.100.1
sleep 2 # duplicate address detection
ip -n $c route add default via 2001:db8:1::1
ip -n $s route add default via 2001:db8:2::1

cat >"$work/servers.py" <<'PY'
# Answers DNS, HTTP, a terminal and a clock on every address of its namespace.
import socket, struct, sys, threading

NAMES = {b"www": ("198.51.100.80", "2001:db8:2::80"), b"ns": ("198.51.100.53", "2001:db8:2::53")}

def serve_udp(port, answer):
    def loop(family, address):
        # One socket an address, so that answers leave from where they were asked.
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind((address, port))
        while True:
            data, peer = s.recvfrom(2048)
            reply = answer(data)
            if reply:
                s.sendto(reply, peer)
    for family, address in HOSTS:
        threading.Thread(target=loop, args=(family, address)).start()

def dns(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    qtype = struct.unpack("!H", query[at + 1:at + 3])[0]
    known = NAMES.get(labels[0]) if labels[1:] == [b"example", b"test"] else None
    data = b""
    if known and qtype == 1:
        data = socket.inet_pton(socket.AF_INET, known[0])
    if known and qtype == 28:
        data = socket.inet_pton(socket.AF_INET6, known[1])
    head = query[:2] + struct.pack("!HHHHH", 0x8580 if known else 0x8583, 1, 1 if data else 0, 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, qtype, 1, 300, len(data)) + data if data else b""
    return head + query[12:at + 5] + record

def serve_tcp(port, talk):
    def loop(family, address):
        s = socket.socket(family, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))
        s.listen()
        while True:
            conn, _ = s.accept()
            threading.Thread(target=talk, args=(conn,)).start()
    for family, address in HOSTS:
        threading.Thread(target=loop, args=(family, address)).start()

def http(conn):
    with conn:
        request = conn.recv(2048)
        size = int(request.split()[1].strip(b"/"))
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size + b"x" * size)

def terminal(conn):
    with conn:
        while True:
            typed = conn.recv(256)
            if not typed:
                return
            conn.sendall(typed * 3)

HOSTS = [(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in sys.argv[1:]]
serve_udp(53, dns)
serve_udp(123, lambda q: q[:48])
serve_udp(514, lambda q: None)
serve_tcp(80, http)
serve_tcp(23, terminal)
PY

cat >"$work/clients.py" <<'PY'
# Does what people and programs do, for the number of seconds that it is told.
import random, socket, struct, sys, threading, time

END = time.time() + float(sys.argv[1])
V4, V6 = socket.AF_INET, socket.AF_INET6

def every(low, high, do, seed):
    rng = random.Random(seed)
    def loop():
        while True:
            time.sleep(rng.uniform(low, high))
            if time.time() > END:
                return
            try:
                do(rng)
            except OSError:
                pass # refused or silent, as some are meant to be
    t = threading.Thread(target=loop)
    t.start()
    return t

def udp(source, to, data, want_answer):
    with socket.socket(V6 if ":" in to[0] else V4, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.bind((source, 0))
        s.connect(to)
        s.send(data)
        if want_answer:
            return s.recv(2048)

def lookup(source, server, name, qtype, rng):
    labels = b"".join(bytes([len(l)]) + l for l in name.encode().split(b"."))
    udp(source, (server, 53), struct.pack("!HHHHHH", rng.getrandbits(16), 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", qtype, 1), True)

def fetch(source, server, size):
    with socket.socket(V6 if ":" in server else V4) as s:
        s.settimeout(5)
        s.bind((source, 0))
        s.connect((server, 80))
        s.sendall(b"GET /%d HTTP/1.1\r\nHost: www.example.test\r\n\r\n" % size)
        while s.recv(65536):
            pass

def browse4(source):
    def do(rng):
        lookup(source, "198.51.100.53", rng.choice(["www.example.test", "www.example.test", "nosuch.example.test"]), 1, rng)
        fetch(source, "198.51.100.80", rng.choice([300, 1200, 4000, 9000, 26000]))
    return do

def browse6(source):
    def do(rng):
        lookup(source, "2001:db8:2::53", "www.example.test", 28, rng)
        fetch(source, "2001:db8:2::80", rng.choice([500, 2000, 7000, 18000]))
    return do

def terminal():
    rng = random.Random(23)
    with socket.create_connection(("198.51.100.80", 23), source_address=("192.0.2.12", 0)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.time() < END:
            s.sendall(b"k")
            s.recv(256)
            time.sleep(rng.uniform(0.5, 4))

def refused(rng):
    with socket.socket(V4) as s:
        s.bind(("192.0.2.11", 0))
        s.connect(("198.51.100.80", 8080))

def tagged(rng):
    # A whole frame, since not every kernel has VLAN interfaces.
    data = b"anyone there?"
    datagram = struct.pack("!HHHH", 40000, 7, 8 + len(data), 0) + data
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0, bytes([203, 0, 113, 10]), bytes([203, 0, 113, 1]))
    total = sum(struct.unpack("!10H", header))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    packet = header[:10] + struct.pack("!H", checksum) + header[12:] + datagram
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("eth0", 0))
        s.send(bytes.fromhex("020000000101" "020000000110" "8100" "600a" "0800") + packet)

threads = [
    every(6, 14, browse4("192.0.2.10"), 10),
    every(12, 30, browse4("192.0.2.11"), 11),
    every(8, 20, browse6("2001:db8:1::10"), 12),
    every(20, 40, browse6("2001:db8:1::11"), 13),
    every(15, 16, lambda rng: udp("192.0.2.12", ("198.51.100.80", 123), b"\x23" + bytes(47), True), 14),
    every(3, 9, lambda rng: udp("192.0.2.12", ("198.51.100.80", 514), b"<13>example: nothing happened", False), 15),
    every(30, 50, lambda rng: udp("192.0.2.11", ("198.51.100.80", 9), b"discard", True), 16),
    every(40, 60, refused, 17),
    every(10, 20, tagged, 18),
]
terminal()
for t in threads:
    t.join()
PY

ip netns exec $s python3 "$work/servers.py" 198.51.100.80 198.51.100.53 2001:db8:2::80 2001:db8:2::53 & pids+=($!)
sleep 1
ip netns exec $c ping -q -i 5 -w $seconds -I 192.0.2.11 198.51.100.80 >/dev/null & pids+=($!)
ip netns exec $c ping -q -i 10 -w $seconds -I 2001:db8:1::11 2001:db8:2::80 >/dev/null & pids+=($!)
ip netns exec $c ping -q -i 60 -w $seconds -s 3000 -I 192.0.2.10 198.51.100.80 >/dev/null & pids+=($!)
ip netns exec $c python3 "$work/clients.py" $seconds
sleep 2
kill -INT "${pids[0]}"
wait "${pids[0]}" || true
# Two processors stamped the packets: a few may be a microsecond early.
reordercap "$work/sample.pcap" "$out"
cat "$work/tcpdump" >&2
