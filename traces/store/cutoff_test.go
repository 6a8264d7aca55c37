package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"rtfm/traces"
)

// cutting returns a Config of packets whose first two octets tell the flow, and whose
// headers have ten.
func cutting(dir string, most uint64) Config {
	return Config{
		Dir: dir, Wait: true, Cutoff: most,
		FlowKey: func(k *Key, p *traces.Packet) bool {
			k.Set(1, 0, 0, addressLen)
			copy(k.Address(0)[:], p.Data[:2])
			return true
		},
		Headers: func(*traces.Packet) int { return 10 },
	}
}

// TestCutoff: packets of a flow are whole as long as those before them had fewer octets,
// in each file from its beginning.
func TestCutoff(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	var packets []traces.Packet
	for i := range 40_000 {
		data := make([]byte, 2+r.IntN(1400))
		data[0], data[1] = byte(r.ExpFloat64()*10), byte(r.IntN(2))
		packets = append(packets, traces.Packet{Time: int64(i), Data: data, Wire: uint32(len(data)) + 4, Link: traces.LinkEthernet, Interface: 1})
	}
	const most = 200_000
	dir := t.TempDir()
	cfg := cutting(dir, most)
	cfg.FileSize = leastFile
	totals := store(t, cfg, &list{packets: append([]traces.Packet(nil), packets...)})
	files, err := Files(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	var n, cut uint64
	for _, f := range files {
		s, err := Look(dir, f)
		if err != nil {
			t.Fatal(err)
		}
		had := make(map[string]uint64)
		for i := range s.Packets {
			p := &packets[n+i]
			flow := string(p.Data[:2])
			if had[flow] >= most && len(p.Data) > 10 {
				p.Data = p.Data[:10]
				cut++
			}
			had[flow] += uint64(p.Wire)
		}
		n += s.Packets
	}
	got, src := read(t, dir, Query{To: forever})
	equal(t, got, texts(packets))
	if totals.Cut != cut || src.Covered().Cut != cut || cut == 0 {
		t.Errorf("%d packets were cut, and the store has %d; want %d", totals.Cut, src.Covered().Cut, cut)
	}
}

// TestCutoffFlows: with so many flows that their octets cannot be counted packets are
// whole, and that is counted; memory does not grow.
func TestCutoffFlows(t *testing.T) {
	c := cutting("", 100)
	k := newCutoff(&c)
	k.cfg.FlowKey = func(k *Key, p *traces.Packet) bool {
		k.Set(1, 0, 0, addressLen)
		copy(k.Address(0)[:], p.Data[:16])
		return true
	}
	var totals Totals
	p := traces.Packet{Data: make([]byte, 40), Wire: 1000}
	for i := range MaxFlows + 1000 {
		copy(p.Data, fmt.Sprintf("%08d", i))
		if n := k.keep(&p, &totals); n != len(p.Data) {
			t.Fatalf("flow %d: %d octets of its first packet", i, n)
		}
	}
	if totals.Uncounted != 1000 {
		t.Errorf("%d packets are of flows that are not counted", totals.Uncounted)
	}
	if n := testing.AllocsPerRun(1000, func() { k.keep(&p, &totals) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	copy(p.Data, fmt.Sprintf("%08d", 7))
	if n := k.keep(&p, &totals); n != 10 {
		t.Errorf("%d octets of a long flow's packet", n)
	}
}

// TestCutoffFails: of packets that could not be written none counts as cut.
func TestCutoffFails(t *testing.T) {
	cfg := cutting(filepath.Join(t.TempDir(), "store"), 1)
	w, err := NewWriter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		w.put(&traces.Packet{Time: int64(i), Data: make([]byte, 100), Wire: 100, Link: traces.LinkEthernet, Interface: 1})
	}
	os.RemoveAll(cfg.Dir)
	if err := w.Close(); err == nil {
		t.Error("a folder that is not there can be written to")
	}
	if got := w.Totals(); got != (Totals{Unstored: 5}) {
		t.Errorf("%+v", got)
	}
}
