package acceptance

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/traces/tracetest"
)

// TestFeedDigests has packets that were captured whole and in part be told with their
// digests: these are the same, and those of the packets.
func TestFeedDigests(t *testing.T) {
	t.Parallel()
	packets, dir := tracetest.Mix(3000), t.TempDir()
	digests := func(name string, snap int) (all []uint32) {
		file := filepath.Join(dir, name)
		cut := slices.Clone(packets)
		for i := range cut {
			cut[i].Data = cut[i].Data[:min(len(cut[i].Data), snap)]
		}
		if err := os.WriteFile(file, tracetest.PCAP(tracetest.PCAPOptions{}, cut...), 0o666); err != nil {
			t.Fatal(err)
		}
		ends(t, program(t, "run", "-q", "-r", everyFlow, "-F", os.DevNull, "--feed", "file:"+file+".ipfix", "--feed-digest", file))
		ends(t, program(t, "feed", "-q", "--packets", file+".jsonl", file+".ipfix"))
		text, err := os.ReadFile(file + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			all = append(all, uint32(memberOf(line, "Digest")))
		}
		return all
	}
	var want []uint32
	for i := range packets {
		var p match.Packet
		packet.Decode(&p, packets[i].Link, packets[i].Data, packets[i].Wire)
		want = append(want, packet.Digest(&p))
	}
	if got := digests("whole", 1<<16); !slices.Equal(got, want) {
		t.Errorf("%d digests are not those of the %d packets", len(got), len(want))
	}
	if got := digests("cut", 96); !slices.Equal(got, want) {
		t.Errorf("%d digests of packets that were cut are not those of the %d packets", len(got), len(want))
	}
}

// memberOf returns a number in a line of JSON, 0 if it is not there.
func memberOf(line []byte, name string) (n uint64) {
	_, rest, _ := bytes.Cut(line, []byte(`"`+name+`":`))
	for _, c := range rest {
		if c < '0' || c > '9' {
			return n
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}
