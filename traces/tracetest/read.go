package tracetest

import (
	"bytes"
	"testing"

	"rtfm/traces"
)

// ReadAll does the same with a source that is open, by batches of seven.
func ReadAll(t testing.TB, src traces.Source) (ps []traces.Packet, err error) {
	b := traces.NewBatch(7)
	for {
		if err := src.ReadBatch(b); err != nil {
			if len(b.Packets) != 0 {
				t.Errorf("%d packets with the error %v", len(b.Packets), err)
			}
			return ps, err
		}
		if len(b.Packets) == 0 || len(b.Packets) > 7 {
			t.Fatalf("a batch of %d packets", len(b.Packets))
		}
		for _, p := range b.Packets {
			p.Data = bytes.Clone(p.Data)
			ps = append(ps, p)
		}
	}
}

// Same compares packets, all but FCS.
func Same(t testing.TB, name string, got, want []traces.Packet) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d packets, want %d", name, len(got), len(want))
		return
	}
	for i := range got {
		g, w := got[i], want[i]
		if g.Time != w.Time || g.Wire != w.Wire || g.Link != w.Link || g.Interface != w.Interface || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("%s: packet %d is %+v, want %+v", name, i, g, w)
			return
		}
	}
}
