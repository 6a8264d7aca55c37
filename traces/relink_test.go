package traces_test

import (
	"bytes"
	"io"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestRelink gives packets of several interfaces other link types.
func TestRelink(t *testing.T) {
	ng := new(tracetest.NG).Section(false).Interface(147, 0).Interface(1, 0).Interface(0, 0)
	for i := range 9 {
		ng.Packet(uint32(i%3), uint64(i), []byte("abcd"), 4)
	}
	inner, err := format.NewReader(bytes.NewReader(ng.Bytes()), "f")
	if err != nil {
		t.Fatal(err)
	}
	src := traces.Relink(inner, map[traces.LinkType]traces.LinkType{147: 101, 0: 1, 1: 0})
	defer src.Close()
	n := 0
	b := traces.NewBatch(2)
	for err = src.ReadBatch(b); err == nil; err = src.ReadBatch(b) {
		for _, p := range b.Packets {
			if want := [...]traces.LinkType{101, 0, 1}[n%3]; p.Link != want {
				t.Errorf("packet %d is of link type %v, want %v", n, p.Link, want)
			}
			n++
		}
	}
	if err != io.EOF || n != 9 {
		t.Errorf("%d packets, %v", n, err)
	}
	if traces.Relink(inner, nil) != inner {
		t.Error("a source without need")
	}
}

func TestParseLinkType(t *testing.T) {
	for s, want := range map[string]traces.LinkType{"USER0": 147, "user15": 162, "raw": 101, "0": 0, "77": 77, "LINKTYPE(77)": 77, "Linux_SLL2": 276} {
		if got, err := traces.ParseLinkType(s); err != nil || got != want {
			t.Errorf("%s: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "USER16", "-1", "4294967296", "LINKTYPE(x)"} {
		if got, err := traces.ParseLinkType(s); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
}
