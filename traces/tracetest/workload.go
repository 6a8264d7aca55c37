package tracetest

import (
	"bufio"
	"encoding/binary"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
)

// Workload is made-up traffic to measure programs with: Ethernet frames of TCP
// and, for a fifth of the flows, UDP, cut at 96 octets. A tenth of the flows is
// IPv6 unless said otherwise. Clients ask one of 8192 servers and are answered;
// the same Workload is always the same packets.
type Workload struct {
	flows   int
	onlyIP4 bool
	plain   bool // frames of 64 octets, in one direction
	// packets gives each packet's time, in microseconds from the first, and
	// flow.
	packets func(r *rand.Rand) iter.Seq2[int64, int]
}

// Ordinary is traffic as it is on most links: of packets 6 µs apart, flows get
// as many as Zipf's law says, but each at least one.
func Ordinary(packets, flows int) *Workload {
	return &Workload{flows: flows, packets: func(r *rand.Rand) iter.Seq2[int64, int] {
		sums := make([]float64, flows)
		sum := 0.0
		for i := range sums {
			sum += 1 / float64(i+1)
			sums[i] = sum
		}
		return shuffled(r, packets, flows, func() int {
			i, _ := slices.BinarySearch(sums, r.Float64()*sum)
			return min(i, flows-1)
		})
	}}
}

// Even is traffic over IPv4 of flows that all have as many packets, but for
// chance: the worst for caches. Packets are 6 µs apart.
func Even(packets, flows int) *Workload {
	return &Workload{flows: flows, onlyIP4: true, packets: func(r *rand.Rand) iter.Seq2[int64, int] {
		return shuffled(r, packets, flows, func() int { return r.IntN(flows) })
	}}
}

// shuffled gives each flow one packet, and the rest to flows that are picked, in
// any order.
func shuffled(r *rand.Rand, packets, flows int, pick func() int) iter.Seq2[int64, int] {
	all := make([]uint32, packets)
	for i := range all {
		if all[i] = uint32(i); i >= flows {
			all[i] = uint32(pick())
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return func(yield func(int64, int) bool) {
		for i, flow := range all {
			if !yield(6*int64(i), int(flow)) {
				return
			}
		}
	}
}

// ShortFlows is traffic of flows of one to nine packets, of which one begins
// every 100 µs.
func ShortFlows(flows int) *Workload {
	return &Workload{flows: flows, packets: func(r *rand.Rand) iter.Seq2[int64, int] {
		type packet struct {
			time int64
			flow int
		}
		var all []packet
		for i, n := range r.Perm(flows) {
			t := 100 * int64(i)
			for range 1 + n%9 {
				all = append(all, packet{t, i})
				t += 1000 + r.Int64N(400_000)
			}
		}
		slices.SortFunc(all, func(a, b packet) int {
			if a.time != b.time {
				return int(a.time - b.time)
			}
			return a.flow - b.flow
		})
		return func(yield func(int64, int) bool) {
			for _, p := range all {
				if !yield(p.time, p.flow) {
					return
				}
			}
		}
	}}
}

// OneFlow is packets of 64 octets of one flow of UDP over IPv4, in one
// direction, a microsecond apart.
func OneFlow(packets int) *Workload {
	return &Workload{flows: 1, plain: true, packets: func(*rand.Rand) iter.Seq2[int64, int] {
		return func(yield func(int64, int) bool) {
			for i := range packets {
				if !yield(int64(i), 0) {
					return
				}
			}
		}
	}}
}

// Totals is what programs must count of a Workload.
type Totals struct {
	Packets  int
	Octets   int // of frames, without FCS
	IPOctets int // of packets from their IP headers on
	Flows    int
	OneWay   int // flows, those of either direction counted
}

// workFlow is a flow of a Workload.
type workFlow struct {
	ip6, udp               bool
	client, server         uint32
	clientPort, serverPort uint16
	sequence               [2]uint32 // by direction
	seen                   [2]bool   // a packet in this direction
}

// newWorkFlow returns flow i of a Workload.
func (l *Workload) newWorkFlow(r *rand.Rand, i int) workFlow {
	f := workFlow{
		ip6: !l.onlyIP4 && r.IntN(10) == 0, udp: r.IntN(5) == 0,
		client: uint32(1 + i), server: uint32(1 + r.IntN(8192)),
		clientPort: uint16(32768 + r.IntN(28_000)), serverPort: [...]uint16{443, 443, 443, 80, 8080, 22, 993}[r.IntN(7)],
		sequence: [2]uint32{r.Uint32(), r.Uint32()},
	}
	if l.plain {
		f.ip6, f.udp = false, true
	}
	return f
}

// snapLength is how many octets of a frame are captured.
const snapLength = 96

// Write writes the packets as a pcap file.
func (l *Workload) Write(w io.Writer) (t Totals, err error) {
	r := rand.New(rand.NewPCG(2720, 2123))
	out := bufio.NewWriterSize(w, 1<<20)
	file := PCAP(PCAPOptions{})
	binary.LittleEndian.PutUint32(file[16:], snapLength)
	out.Write(file)
	flows := make([]workFlow, l.flows)
	for i := range flows {
		flows[i] = l.newWorkFlow(r, i)
	}
	t.Flows = l.flows
	frames := newWorkFrames()
	for time, i := range l.packets(r) {
		f := &flows[i]
		back, size := 0, 64
		if !l.plain {
			if f.seen[0] && r.IntN(100) < 55 {
				back = 1
			}
			size = frameSize(r, back)
		}
		if !f.seen[back] {
			f.seen[back] = true
			t.OneWay++
		}
		t.Packets++
		t.Octets += size
		t.IPOctets += size - ethernetSize
		frame := frames.make(f, back, size, r)
		var head [16]byte
		for i, v := range [...]uint32{uint32(Start/1e9 + time/1e6), uint32(time % 1e6), uint32(len(frame)), uint32(size)} {
			binary.LittleEndian.PutUint32(head[4*i:], v)
		}
		out.Write(head[:])
		if _, err := out.Write(frame); err != nil {
			return t, err
		}
	}
	return t, out.Flush()
}

// frameSize returns the length of a frame: most of what is asked is short, most
// of what is answered as long as can be.
func frameSize(r *rand.Rand, back int) int {
	short, middling := 70, 95
	if back == 1 {
		short, middling = 20, 40
	}
	switch n := r.IntN(100); {
	case n < short:
		return 74 + r.IntN(14)
	case n < middling:
		return 90 + r.IntN(700)
	}
	return 1514
}

const ethernetSize = 14

// workFrames makes frames fast, from a frame of each kind.
type workFrames struct {
	kinds [8][]byte // by kind
	frame [snapLength]byte
}

// kind returns which kind a frame from the client, 0, or the server, 1, is of.
func kind(from int, ip6, udp bool) int {
	if ip6 {
		from |= 2
	}
	if udp {
		from |= 4
	}
	return from
}

func newWorkFrames() *workFrames {
	w := new(workFrames)
	macs := [2]string{"02:00:00:00:00:01", "02:00:00:00:00:02"}
	hosts := [2][2]string{{"10.0.0.0", "172.16.0.0"}, {"2001:db8:1::", "2001:db8:2::"}}
	for from, to := range [2]int{1, 0} {
		link := Eth(macs[from], macs[to])
		for ip6, f := range map[bool]Frame{
			false: link.IPv4(hosts[0][from], hosts[0][to]),
			true:  link.IPv6(hosts[1][from], hosts[1][to]),
		} {
			w.kinds[kind(from, ip6, false)] = f.TCP(0, 0, ACK).Bytes()
			w.kinds[kind(from, ip6, true)] = f.UDP(0, 0).Bytes()
		}
	}
	return w
}

// make returns what is captured of a frame of this length, with any payload. It
// is valid until the next call. Transport checksums are wrong, as payloads are
// not known.
func (w *workFrames) make(f *workFlow, from, size int, r *rand.Rand) []byte {
	be := binary.BigEndian
	b := w.frame[:min(size, snapLength)]
	n := copy(b, w.kinds[kind(from, f.ip6, f.udp)])
	for i := n; i+8 <= len(b); i += 8 {
		be.PutUint64(b[i:], r.Uint64())
	}
	ip, length := b[ethernetSize:], size-ethernetSize
	ports := [2]uint16{f.clientPort, f.serverPort}
	hosts := [2]uint32{f.client, f.server}
	to := 1 - from
	transport := ip[20:]
	if f.ip6 {
		transport = ip[40:]
		be.PutUint16(ip[4:], uint16(length-40))
		addTo(ip[20:], hosts[from])
		addTo(ip[36:], hosts[to])
	} else {
		be.PutUint16(ip[2:], uint16(length))
		addTo(ip[12:], hosts[from])
		addTo(ip[16:], hosts[to])
		be.PutUint16(ip[10:], 0)
		be.PutUint16(ip[10:], checksum(ip[:20], 0))
	}
	length -= len(ip) - len(transport)
	be.PutUint16(transport, ports[from])
	be.PutUint16(transport[2:], ports[to])
	if f.udp {
		be.PutUint16(transport[4:], uint16(length))
		return b
	}
	be.PutUint32(transport[4:], f.sequence[from])
	be.PutUint32(transport[8:], f.sequence[to])
	f.sequence[from] += uint32(length - 20)
	return b
}

// addTo adds n to the number that b begins with.
func addTo(b []byte, n uint32) {
	binary.BigEndian.PutUint32(b, binary.BigEndian.Uint32(b)+n)
}
