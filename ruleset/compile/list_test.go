package compile

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// TestListOfNetworks compiles lists of networks, many of them inside each other,
// and wants rules for those that are in none in front of them, the narrowest
// first.
func TestListOfNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for round := range 200 {
		var list []string
		var want []netip.Prefix
		for range 1 + r.IntN(150) {
			var b [16]byte
			b[0], b[1], b[r.IntN(16)] = 10, byte(r.IntN(4)), byte(r.IntN(4))
			a := netip.AddrFrom16(b)
			if round%2 == 0 {
				a = netip.AddrFrom4([4]byte(b[:4]))
			}
			n, err := a.Prefix(1 + r.IntN(a.BitLen()))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, n.String())
			if !slices.ContainsFunc(want, func(w netip.Prefix) bool { return w.Bits() <= n.Bits() && w.Contains(n.Addr()) }) {
				want = append(want, n)
			}
		}
		slices.SortStableFunc(want, func(a, b netip.Prefix) int { return b.Bits() - a.Bits() })
		rs := source(t, "if SourcePeerAddress == ("+strings.Join(list, ", ")+") save, count;")
		var got []netip.Prefix
		for _, rule := range rs.Rules {
			if rule.Attr != attr.SourcePeerAddress {
				continue
			}
			octets := rule.Value.Padded()
			a := netip.AddrFrom16([16]byte(octets[:16]))
			if round%2 == 0 {
				a = netip.AddrFrom4([4]byte(octets[:4]))
			}
			width, _ := rule.Mask.Width()
			got = append(got, netip.PrefixFrom(a, width))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v\nbecame\n%v, want\n%v", list, got, want)
		}
	}
}

// TestListRoom counts what a network of a long list takes from its text to the
// program that runs: no allocations of its own, and no more room than a few
// copies.
func TestListRoom(t *testing.T) {
	const networks = 10_000
	var list strings.Builder
	for i := range networks {
		fmt.Fprintf(&list, "%d.%d.%d.0/%d, ", 10+i%7, i>>8, i&255, 24+i%3)
	}
	text := []byte("define list = (" + list.String() + "9/8); if SourcePeerAddress == list save, count;")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rs, _, err := Source("x.srl", text, srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pme.Compile(rs, 1, new(match.Shapes)); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if len(rs.Rules) < networks {
		t.Fatalf("%d rules", len(rs.Rules))
	}
	if n := after.Mallocs - before.Mallocs; n > networks/20 {
		t.Errorf("%d allocations for %d networks", n, networks)
	}
	if n := (after.TotalAlloc - before.TotalAlloc) / networks; n > 1000 { // 640, with the race detector 820
		t.Errorf("%d octets for each network", n)
	}
}
