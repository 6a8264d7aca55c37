package cmd

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/store"
	"rtfm/traces/tracetest"
)

// seenPackets are packets of some traces, and values that they have.
type seenPackets struct {
	packets   []traces.Packet
	addresses []netip.Addr
	ports     []uint16
}

// add reads packets of a trace up to damage, if there is any: so many at most.
func (s *seenPackets) add(name string, most int) {
	src, err := format.Open(name)
	if err != nil {
		return
	}
	defer src.Close()
	var b traces.Batch
	var m match.Packet
	for n := 0; n < most && src.ReadBatch(&b) == nil; n++ {
		for i := range b.Packets {
			p := b.Packets[i]
			p.Data = append([]byte(nil), p.Data...)
			if p.FCS = 0; p.Link > 0xffff || p.Interface > 100 || len(p.Data) > 1<<16 {
				continue // not for pcapng, or no file of the store
			}
			s.packets = append(s.packets, p)
			packet.Decode(&m, p.Link, p.Data, p.Wire)
			if a, ok := netip.AddrFromSlice(m.Key.Peer(i % 2)[:m.PeerLen]); ok {
				s.addresses, s.ports = append(s.addresses, a), append(s.ports, uint16(m.Key.Trans(i % 2)[0])<<8|uint16(m.Key.Trans(i % 2)[1]))
			}
		}
	}
}

// words returns a random filter in tcpdump's words.
func (s *seenPackets) words(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(3) > 0 {
		a, b := s.words(r, depth-1), s.words(r, depth-1)
		return [...]string{"(" + a + " and " + b + ")", "(" + a + " or " + b + ")", "not (" + a + ")"}[r.IntN(3)]
	}
	dir := [...]string{"", "", "", "src ", "dst ", "src and dst "}[r.IntN(6)]
	a, port := s.address(r), s.port(r)
	switch r.IntN(10) {
	case 0, 1, 2:
		return dir + "host " + a.String()
	case 3:
		return dir + "net " + netip.PrefixFrom(a, 1+r.IntN(a.BitLen())).Masked().String()
	case 4:
		return dir + fmt.Sprint("port ", port)
	case 5:
		return [...]string{"tcp ", "udp "}[r.IntN(2)] + dir + fmt.Sprint("port ", port)
	case 6:
		return dir + fmt.Sprint("portrange ", port, "-", uint32(port)+r.Uint32N(uint32(65536)-uint32(port)))
	case 7:
		return [...]string{"vlan", "vlan 1", "vlan 100", "ether host 00:00:00:00:00:00", "ip proto 47", "ip6 proto 58", "proto 0"}[r.IntN(7)]
	}
	return [...]string{"ip", "ip6", "tcp", "udp", "icmp", "icmp6", "esp", "sctp", "igmp"}[r.IntN(9)]
}

// expression returns a random expression of SRL.
func (s *seenPackets) expression(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(3) > 0 {
		a, b := s.expression(r, depth-1), s.expression(r, depth-1)
		return [...]string{"(" + a + " && " + b + ")", "(" + a + " || " + b + ")", "!(" + a + ")"}[r.IntN(3)]
	}
	end := [...]string{"Source", "Dest"}[r.IntN(2)]
	switch r.IntN(8) {
	case 0, 1:
		return end + "PeerAddress == " + s.address(r).String()
	case 2:
		a := s.address(r)
		return end + "PeerAddress == " + netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked().String()
	case 3:
		return end + fmt.Sprint("TransAddress == ", s.port(r))
	case 4:
		return end + fmt.Sprintf("PeerType == %d", []int{0, 1, 2, 12, 13}[r.IntN(5)])
	case 5:
		return end + fmt.Sprintf("TransType == (%d, %d)", []int{0, 1, 2, 6, 17}[r.IntN(5)], r.IntN(256))
	case 6:
		return fmt.Sprint([...]string{"VLANid", "DSCodePoint", "Priority", "TunnelKind", "TunnelID", "VLANTags", "HopLimit"}[r.IntN(7)], " == ", []int{0, 1, 2, 4, 7, 64}[r.IntN(6)])
	}
	return fmt.Sprint("Inner", end, "PeerType == ", r.IntN(3))
}

func (s *seenPackets) address(r *rand.Rand) netip.Addr {
	if r.IntN(8) == 0 {
		return netip.AddrFrom4([4]byte{byte(r.Uint32()), 0, 0, 1})
	}
	return s.addresses[r.IntN(len(s.addresses))]
}

func (s *seenPackets) port(r *rand.Rand) uint16 {
	if r.IntN(8) == 0 {
		return uint16(r.Uint32())
	}
	return s.ports[r.IntN(len(s.ports))]
}

// readStore calls each with the packets of a store that a filter lets pass.
func readStore(t *testing.T, dir string, flows *store.Flows, each func(p *traces.Packet)) store.Covered {
	t.Helper()
	src, err := store.Open(dir, store.Query{From: -1 << 63, To: 1<<63 - 1, Flows: flows})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var b traces.Batch
	for err == nil {
		if err = src.ReadBatch(&b); err == nil {
			for i := range b.Packets {
				each(&b.Packets[i])
			}
		}
	}
	if err.Error() != "EOF" {
		t.Fatal(err)
	}
	return src.Covered()
}

// damageIndexes does something to all indexes of a store.
func damageIndexes(t *testing.T, dir string, damage func(b []byte) []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.idx"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no indexes: %v", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, damage(b), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

// lawTraces are names of files with all that a decoder has to do with, tunnels, tags,
// fragments and damage among it.
func lawTraces(t *testing.T, r *rand.Rand, n int) (names []string) {
	root := filepath.Join(tracetest.Require(t, "traces"), "traces")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil || len(names) < n {
		t.Fatalf("%d traces: %v", len(names), err)
	}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names[:n]
}

// TestFindLaw gets packets of random filters from stores of traces of all kinds: they are
// those of a full scan, with indexes, with damaged ones, and without. Indexes leave most
// chunks out where few have such packets.
func TestFindLaw(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(41, 42))
	stores, each, filters := 1, 80, 40
	if tracetest.Long() {
		stores, each, filters = 14, 100, 300
	}
	names := lawTraces(t, r, stores*each)
	chunks, passed, left := 0, 0, 0
	for n := range stores {
		var all seenPackets
		for _, name := range names[n*each : (n+1)*each] {
			all.add(name, 10)
		}
		dir := storePackets(t, &all)
		for range filters {
			text := all.words(r, 3)
			if r.IntN(2) == 0 {
				text = all.expression(r, 3)
			}
			o := filterOptions{text: text}
			if _, err := o.take(nil, false, os.Stderr); err != nil {
				continue // such as a test that cannot be
			}
			pass := o.passing(new(tunnelOptions))
			var want []int
			for i := range all.packets {
				if pass(&all.packets[i]) {
					want = append(want, i)
				}
			}
			for _, damage := range []func(b []byte) []byte{
				nil,
				func(b []byte) []byte { b[r.IntN(len(b))] ^= 1 << r.IntN(8); return b },
				func(b []byte) []byte { return b[:r.IntN(len(b))] },
			} {
				at := dir
				if damage != nil {
					if at = filepath.Join(t.TempDir(), "damaged"); len(want)%7 > 0 {
						continue // copying is most of the time
					}
					if err := os.CopyFS(at, os.DirFS(dir)); err != nil {
						t.Fatal(err)
					}
					damageIndexes(t, at, damage)
				}
				got := want
				c := readStore(t, at, flowsOf(o.program), func(p *traces.Packet) {
					if !pass(p) {
						return
					}
					if len(got) == 0 || !samePacket(&all.packets[got[0]], p) {
						t.Fatalf("%s: a packet more, or in another place, at %d, %d octets", text, p.Time, p.Wire)
					}
					got = got[1:]
				})
				if len(got) > 0 {
					t.Fatalf("%s: %d packets of %d are missing; the first is at %d", text, len(got), len(want), all.packets[got[0]].Time)
				}
				if damage == nil {
					chunks, passed = chunks+c.Chunks+c.Passed, passed+c.Passed
					if c.Passed > 0 && len(want) > 0 {
						left++
					}
				}
			}
		}
	}
	t.Logf("%d of %d chunks left out, by %d filters that some packets pass", passed, chunks, left)
	if passed < chunks/3 || left < filters/5 {
		t.Error("too few chunks are left out")
	}
}

// samePacket compares what a store keeps of packets.
func samePacket(a, b *traces.Packet) bool {
	return a.Time == b.Time && a.Wire == b.Wire && a.Link == b.Link && string(a.Data) == string(b.Data)
}

// storePackets stores packets in many small chunks, each millisecond of which begins one,
// and returns the folder. It changes the packets to what is read of them.
func storePackets(t *testing.T, all *seenPackets) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	w, err := store.NewWriter(store.Config{Dir: dir, Key: keyOf(), Tuple: tupleOf, Flush: time.Millisecond, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all.packets { // the times of traces are years apart
		all.packets[i].Time = int64(i) * 100_000
	}
	tee := w.Tee(&packetList{packets: all.packets})
	var b traces.Batch
	for err == nil {
		err = tee.ReadBatch(&b)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if totals := w.Totals(); totals.Packets != uint64(len(all.packets)) {
		t.Fatalf("%+v of %d", totals, len(all.packets))
	}
	n := 0
	readStore(t, dir, nil, func(p *traces.Packet) {
		if !samePacket(&all.packets[n], p) {
			t.Fatalf("packet %d is stored as another", n)
		}
		all.packets[n].Interface = p.Interface // where a second link type changes it
		n++
	})
	return dir
}

// packetList is a Source of packets.
type packetList struct{ packets []traces.Packet }

func (l *packetList) ReadBatch(b *traces.Batch) error {
	b.Reset("list")
	if len(l.packets) == 0 {
		return io.EOF
	}
	n := min(cap(b.Packets), len(l.packets))
	b.Packets, l.packets = append(b.Packets, l.packets[:n]...), l.packets[n:]
	return nil
}

func (l *packetList) Stats() traces.Stats { return traces.Stats{} }
func (l *packetList) Close() error        { return nil }

// TestKeys: the fast way to a key is the other one, of packets of all kinds.
func TestKeys(t *testing.T) {
	var all seenPackets
	for _, name := range lawTraces(t, rand.New(rand.NewPCG(43, 44)), 100) {
		all.add(name, 3)
	}
	key := keyOf()
	var m match.Packet
	kinds := make(map[uint8]int)
	r := rand.New(rand.NewPCG(45, 46))
	for _, p := range slices.Clone(all.packets) { // as they are, and with other octets
		for range 3 {
			p.Data = bytes.Clone(p.Data)
			for n := min(len(p.Data), 60); n > 0 && r.IntN(3) > 0; {
				p.Data[r.IntN(n)] = []byte{0, 4, 0x45, 0x46, 6, 17, 0x81, byte(r.Uint32())}[r.IntN(8)]
			}
			all.packets = append(all.packets, p)
		}
	}
	tuples := 0
	for i := range all.packets {
		p := &all.packets[i]
		packet.Decode(&m, p.Link, p.Data, p.Wire)
		var got, want store.Key
		if key(&got, p) != setKey(&want, &m) || got != want {
			t.Fatalf("%s: %x, want %x", strings.ToUpper(fmt.Sprintf("%.60x", p.Data)), got, want)
		}
		kinds[got.PeerType()]++
		if tuple, ok := tupleOf(p); ok {
			tuples++
			got = store.Key{}
			tuple.Key(&got)
			if got != want {
				t.Fatalf("%s: %x by its tuple, want %x", strings.ToUpper(fmt.Sprintf("%.60x", p.Data)), got, want)
			}
		}
	}
	if kinds[0] == 0 || kinds[1] == 0 || kinds[2] == 0 || tuples == 0 {
		t.Error(kinds, tuples)
	}
	if n := testing.AllocsPerRun(100, func() { var k store.Key; key(&k, &all.packets[0]) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
