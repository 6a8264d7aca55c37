package explain

import (
	"fmt"
	"testing"

	"rtfm/ruleset/match"
)

// TestCompare compares examples with each other, packet by packet: those that are
// explained otherwise are those that change, and no program differs from itself.
func TestCompare(t *testing.T) {
	names := []string{"services.srl", "all-flows.srl", "networks.srl", "packet-sizes.srl", "test.srl"}
	for i, old := range names {
		for k, changed := range names {
			if k < i {
				continue
			}
			a, text := load(t, old)
			b, _ := load(t, changed)
			c, err := Compare(a, b)
			if err != nil {
				t.Fatal(err)
			}
			source := func(string) []byte { return text }
			before, err1 := New(a, source)
			after, err2 := New(b, source)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			var packets, octets uint64
			pairs := map[string]uint64{}
			each(t, func(n int, p *match.Packet) {
				c.Next(p, "sample", n)
				x, y := before.Next(p, true), after.Next(p, true)
				was, is := fmt.Sprint(x.Verdict, x.Back, x.Flow), fmt.Sprint(y.Verdict, y.Back, y.Flow)
				if was != is {
					packets++
					octets += uint64(p.FrameOctets)
					pairs[was+is]++
				}
			})
			if c.ChangedPackets != packets || c.ChangedOctets != octets || len(c.Changes()) != len(pairs) {
				t.Errorf("%s and %s: %d packets, %d octets, %d changes; want %d, %d, %d",
					old, changed, c.ChangedPackets, c.ChangedOctets, len(c.Changes()), packets, octets, len(pairs))
			}
			if (i == k) != (packets == 0) {
				t.Errorf("%s and %s: %d packets change", old, changed, packets)
			}
			var sum uint64
			for _, ch := range c.Changes() {
				if was := fmt.Sprint(ch.Old.Verdict, ch.Old.Back, ch.Old.Flow) + fmt.Sprint(ch.New.Verdict, ch.New.Back, ch.New.Flow); pairs[was] != ch.Packets {
					t.Errorf("%s and %s: %+v: want %d packets", old, changed, ch, pairs[was])
				}
				sum += ch.Packets
			}
			if sum != packets || c.Packets != 2028 {
				t.Errorf("%s and %s: changes have %d of %d packets", old, changed, sum, c.Packets)
			}
		}
	}
}
