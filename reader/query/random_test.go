package query

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// A slow expression is a text and what it means for a record, found out from
// printed values, one after the other.
type slow struct {
	text string
	is   func(r *Row) bool
}

// ops are the comparisons, each with what it makes of the order of two values.
var ops = []struct {
	text string
	is   func(order int) bool
}{
	{"==", func(o int) bool { return o == 0 }}, {"!=", func(o int) bool { return o != 0 }},
	{"<", func(o int) bool { return o < 0 }}, {"<=", func(o int) bool { return o <= 0 }},
	{">", func(o int) bool { return o > 0 }}, {">=", func(o int) bool { return o >= 0 }},
}

// slowNumbers are numbers as a person works them out.
var slowNumbers = map[string]func(*Row) *big.Rat{
	"ToOctets":        func(r *Row) *big.Rat { return rat(r.Counted.ToOctets) },
	"DeltaFromPDUs":   func(r *Row) *big.Rat { return rat(r.Counted.FromPDUs) },
	"Octets":          func(r *Row) *big.Rat { return new(big.Rat).Add(rat(r.Counted.ToOctets), rat(r.Counted.FromOctets)) },
	"PDUs":            func(r *Row) *big.Rat { return new(big.Rat).Add(rat(r.Counted.ToPDUs), rat(r.Counted.FromPDUs)) },
	"FlowIndex":       func(r *Row) *big.Rat { return rat(uint64(r.Flow.Index)) },
	"SourceTransType": func(r *Row) *big.Rat { return rat(uint64(r.Flow.Value(attr.SourceTransType)[0])) },
	"DestTransAddress": func(r *Row) *big.Rat {
		v := r.Flow.Value(attr.DestTransAddress)
		return rat(uint64(v[0])*256 + uint64(v[1]))
	},
	"Rate": func(r *Row) *big.Rat {
		bits := new(big.Rat).Add(rat(r.Counted.ToOctets), rat(r.Counted.FromOctets))
		return bits.Mul(bits, big.NewRat(8e9, r.Length))
	},
	"Duration": func(r *Row) *big.Rat { return big.NewRat(r.Flow.LastTime-r.Flow.FirstTime, 1e9) },
}

func rat(n uint64) *big.Rat { return new(big.Rat).SetInt(new(big.Int).SetUint64(n)) }

// number returns a random comparison of a number.
func randomNumber(rnd *rand.Rand, r *Row) slow {
	names := []string{"ToOctets", "DeltaFromPDUs", "Octets", "PDUs", "FlowIndex", "SourceTransType", "DestTransAddress", "Rate", "Duration"}
	name := names[rnd.IntN(len(names))]
	get := slowNumbers[name]
	// Most values are near that of one record, so that both sides of it are tried.
	near := new(big.Int).Quo(get(r).Num(), get(r).Denom()).Uint64()
	value := func() uint64 {
		n := near + rnd.Uint64N(5) - min(near, rnd.Uint64N(3))
		switch {
		case name == "SourceTransType":
			n %= 256
		case name == "DestTransAddress":
			n %= 65536
		case name == "Duration":
			n %= 1e9
		}
		return n % (1 << 62)
	}
	if rnd.IntN(3) > 0 {
		op := ops[rnd.IntN(len(ops))]
		n := value()
		text := strconv.FormatUint(n, 10)
		if n%1000 == 0 && name == "Octets" {
			text = strconv.FormatUint(n/1000, 10) + "k"
		}
		return slow{name + " " + op.text + " " + text, func(r *Row) bool { return op.is(get(r).Cmp(rat(n))) }}
	}
	type pair struct{ from, to uint64 }
	var list []pair
	var texts []string
	for range 1 + rnd.IntN(12) {
		p := pair{value(), 0}
		p.to = p.from + rnd.Uint64N(2)
		if name == "SourceTransType" || name == "DestTransAddress" {
			p.to = p.from
		}
		list = append(list, p)
		texts = append(texts, fmt.Sprintf("%d..%d", p.from, p.to))
		if p.from == p.to {
			texts[len(texts)-1] = strconv.FormatUint(p.from, 10)
		}
	}
	op := ops[rnd.IntN(2)]
	return slow{name + op.text + "(" + strings.Join(texts, ", ") + ")", func(r *Row) bool {
		in := 1
		for _, p := range list {
			if get(r).Cmp(rat(p.from)) >= 0 && get(r).Cmp(rat(p.to)) <= 0 {
				in = 0
			}
		}
		return op.is(in)
	}}
}

// randomAddress returns a random test of an address.
func randomAddress(rnd *rand.Rand) slow {
	a := []attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress}[rnd.IntN(2)]
	addr := func(r *Row) netip.Addr { n, _ := netip.AddrFromSlice(r.Flow.Value(a)); return n }
	one := randomHost(rnd)
	op := ops[rnd.IntN(len(ops))]
	if rnd.IntN(2) == 0 {
		return slow{a.String() + op.text + one.String(), func(r *Row) bool {
			if got := addr(r); got.BitLen() == one.BitLen() {
				return op.is(got.Compare(one))
			}
			return op.text == "!="
		}}
	}
	op = ops[rnd.IntN(2)]
	p, _ := one.Prefix(rnd.IntN(one.BitLen() + 1))
	return slow{a.String() + op.text + p.String(), func(r *Row) bool {
		if p.Contains(addr(r)) {
			return op.is(0)
		}
		return op.is(1)
	}}
}

// randomHost returns one of few addresses.
func randomHost(rnd *rand.Rand) netip.Addr {
	if rnd.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{10, byte(rnd.IntN(2)), 0, byte(1 + rnd.IntN(3))})
	}
	return netip.AddrFrom16([16]byte{0x0a, byte(rnd.IntN(2)), 15: byte(1 + rnd.IntN(3))})
}

// random returns a random expression.
func random(rnd *rand.Rand, r *Row, depth int) slow {
	if depth == 0 || rnd.IntN(4) == 0 {
		if rnd.IntN(2) == 0 {
			return randomAddress(rnd)
		}
		return randomNumber(rnd, r)
	}
	x := random(rnd, r, depth-1)
	y := random(rnd, r, depth-1)
	switch rnd.IntN(4) {
	case 0:
		return slow{"!(" + x.text + ")", func(r *Row) bool { return !x.is(r) }}
	case 1:
		return slow{"(" + x.text + ") || " + y.text, func(r *Row) bool { return x.is(r) || y.is(r) }}
	}
	return slow{"(" + x.text + ") && (" + y.text + ")", func(r *Row) bool { return x.is(r) && y.is(r) }}
}

// randomRow returns a record with values of which many are alike.
func randomRow(rnd *rand.Rand, shapes *match.Shapes) *Row {
	f := new(match.Flow)
	source, dest := randomHost(rnd), randomHost(rnd)
	for source.BitLen() != dest.BitLen() {
		dest = randomHost(rnd)
	}
	var saved []match.Saved
	for a, octets := range map[attr.Attr][]byte{
		attr.SourcePeerAddress: source.AsSlice(), attr.DestPeerAddress: dest.AsSlice(),
		attr.SourceTransType: {byte(6 + 11*rnd.IntN(2))}, attr.DestTransAddress: {byte(rnd.IntN(2)), byte(rnd.IntN(256))},
	} {
		copy(f.Key[a.Info().Offset:], octets)
		saved = append(saved, match.Saved{Attr: a, Mask: attr.Ones(len(octets))})
	}
	f.Shape = shapes.Intern(2, uint8(source.BitLen()/8), 0, saved)
	f.Index, f.FirstTime = rnd.Uint32N(8), epoch+rnd.Int64N(1e9)
	f.LastTime = f.FirstTime + rnd.Int64N(1e10)
	few := func() uint64 {
		if rnd.IntN(8) == 0 {
			return rnd.Uint64() >> (1 + rnd.IntN(40))
		}
		return rnd.Uint64N(5) * 1000
	}
	r := &Row{Flow: f, Counted: &record.Counters{ToPDUs: few(), FromPDUs: few(), ToOctets: few(), FromOctets: few()}}
	r.begin(&record.Collection{Epoch: epoch, From: epoch, To: epoch + 1 + rnd.Int64N(1e10)}, false)
	return r
}

// TestMatchesSlowly compares random expressions with what they mean, worked out
// slowly.
func TestMatchesSlowly(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var shapes match.Shapes
	var rows []*Row
	for range 100 {
		rows = append(rows, randomRow(rnd, &shapes))
	}
	true_, all := 0, 0
	for range 2000 {
		want := random(rnd, rows[rnd.IntN(len(rows))], 3)
		e, err := Parse("filter", want.text)
		if err != nil {
			t.Fatalf("%s: %v", want.text, err)
		}
		for _, r := range rows[:20] {
			got := e.Match(r)
			if got != want.is(r) {
				t.Fatalf("%s of %+v, %+v: %t", want.text, r.Flow, r.Counted, got)
			}
			if all++; got {
				true_++
			}
		}
	}
	if true_ < all/5 || true_ > all*4/5 {
		t.Errorf("%d of %d are true", true_, all)
	}
}

// FuzzParse has any text be read and matched: it must neither fail nor take long.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"SourcePeerAddress == 192.0.2/24 && Octets > 1.5M", "Rate >= 1Gbit/s || Duration < 1h30m", "! Host != ::1..::2",
		"FirstTime > 2026-11-21T09:14:25.5+01:00", "Meter == 'x'", "DestTransAddress & 3 == (www, 80..90)",
	} {
		f.Add(text)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	r := randomRow(rnd, new(match.Shapes))
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse("filter", text)
		if err != nil {
			return
		}
		negated, err := Parse("filter", "!("+text+"\n)")
		if err != nil {
			t.Skip() // too deep
		}
		if e.Match(r) == negated.Match(r) {
			t.Errorf("%q is as its negation", text)
		}
	})
}
