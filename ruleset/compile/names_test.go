package compile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// TestNamedValues: SRL reads each name of a value, hyphens and all, in either case, as
// that value.
func TestNamedValues(t *testing.T) {
	n := 0
	program := func(format string, args ...any) string {
		return rulesOf(t, source(t, fmt.Sprintf(format, args...)))
	}
	for _, a := range attr.Named() {
		for _, end := range []attr.Attr{a, a.Reverse()} {
			for _, v := range attr.NamedValues(end) {
				for _, name := range v.Names {
					n++
					byName := program("if %v == %s save; count;", end, name)
					byNumber := program("if %v == %d save; count;", end, v.Value)
					others := program("if %v == (%s) save; count;", end, strings.ReplaceAll(strings.ToUpper(name), "-", "_"))
					if byName != byNumber || others != byNumber {
						t.Errorf("%v == %s is\n%swant\n%s", end, name, byName, byNumber)
					}
				}
			}
		}
	}
	if n < 600 {
		t.Errorf("only %d names", n)
	}
}

// TestShown: SRL reads what people are shown of a value as that value, under its mask.
func TestShown(t *testing.T) {
	random := rand.New(rand.NewPCG(2720, 2724))
	lengths := map[bool][]int{false: {4, 16}, true: {6, 8}}
	for _, in := range attr.All() {
		a := in.Attr
		if !a.Testable() || in.Class != attr.ClassInteger && in.Class != attr.ClassAddress && in.Class != attr.ClassComputed {
			continue
		}
		for range 200 {
			n := in.Size
			if in.Variable {
				n = lengths[a.IsAdjacent()][random.IntN(2)]
			}
			mask := attr.WidthMask(1+random.IntN(8*n), n)
			switch random.IntN(4) {
			case 0:
				mask = attr.MakeValue(randomOctets(random, n)...)
			case 1, 2:
				mask = attr.Ones(n)
			}
			octets := randomOctets(random, n)
			if in.Class == attr.ClassInteger && a.Bits() < 8*n {
				octets = make([]byte, n) // of a field that is smaller than its octets
				octets[n-1] = byte(random.IntN(1 << min(a.Bits(), 8)))
			}
			value := attr.MakeValue(octets...).And(mask)
			b := attr.Beside{HasTrans: random.IntN(2) == 0, TransType: []uint8{1, 6, 17, 50, 58, 132}[random.IntN(6)], HasType: true, ICMPType: uint8(random.IntN(12))}
			text := attr.Show(a, value.Append(nil), mask, b, random.IntN(2) == 0)
			if text == "" {
				continue
			}
			rules := source(t, fmt.Sprintf("if %v == %s save; count;", a, text)).Rules
			i := slices.IndexFunc(rules, func(r ruleset.Rule) bool { return r.Attr == a })
			if i < 0 {
				t.Fatalf("%v == %s has no rule", a, text)
			}
			got := rules[i]
			if got.Value.Padded() != value.Padded() || strings.ContainsAny(text, "/&") && got.Mask.Resize(n) != mask {
				t.Errorf("%v == %s is %v & %v, want %v & %v", a, text, got.Value, got.Mask, value, mask)
			}
		}
	}
}

// randomOctets returns n octets, often zeros and ones.
func randomOctets(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = []byte{0, 255, byte(random.Uint32()), byte(random.IntN(8))}[random.IntN(4)]
	}
	return b
}
