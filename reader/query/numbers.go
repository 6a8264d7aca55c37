package query

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strings"

	"rtfm/ruleset/match"
	"rtfm/ruleset/srl"
)

// quantity is a number that flow records have beside what flows save.
type quantity struct {
	name string
	unit unit
	// get returns it. Numbers that may be negative are changed by ordered.
	get func(*Row) uint64
	// lasts is set if it is the same in all records of a flow.
	lasts bool
}

// unit says what a number is, and so what may be written behind its values.
type unit uint8

const (
	plain    unit = iota // no unit
	packets              // k, M, G, T
	octets               // k, M, G, T, Ki, Mi, Gi, Ti, and B
	bitRate              // k, M, G, T, and bit/s
	duration             // ns, us, ms, s, m, h, d; seconds without
	instant              // a time; nanoseconds since 1970 without
	length               // a duration that is not without a unit
	uptime               // since the meter started, as a duration; centiseconds without

	// twice is set if get returns twice the number, and one more if a fraction was cut
	// off: so all whole numbers compare with it as they do with the exact one.
	twice unit = 1 << 7
)

// ordered changes numbers so that their order is that of what it returns.
func ordered(n int64) uint64 { return uint64(n) ^ 1<<63 }

// numbers are all of them.
var numbers = [...]quantity{
	{"Octets", octets, func(r *Row) uint64 { return saturated(r.Counted.ToOctets, r.Counted.FromOctets) }, false},
	{"PDUs", packets, func(r *Row) uint64 { return saturated(r.Counted.ToPDUs, r.Counted.FromPDUs) }, false},
	{"ToOctets", octets, func(r *Row) uint64 { return r.Counted.ToOctets }, false},
	{"FromOctets", octets, func(r *Row) uint64 { return r.Counted.FromOctets }, false},
	{"ToPDUs", packets, func(r *Row) uint64 { return r.Counted.ToPDUs }, false},
	{"FromPDUs", packets, func(r *Row) uint64 { return r.Counted.FromPDUs }, false},
	{"Rate", bitRate, func(r *Row) uint64 {
		return bitsPerSecond(saturated(r.Counted.ToOctets, r.Counted.FromOctets), r.Length)
	}, false},
	{"ToRate", bitRate, func(r *Row) uint64 { return bitsPerSecond(r.Counted.ToOctets, r.Length) }, false},
	{"FromRate", bitRate, func(r *Row) uint64 { return bitsPerSecond(r.Counted.FromOctets, r.Length) }, false},
	{"Duration", duration, func(r *Row) uint64 { return ordered(r.Flow.LastTime - r.Flow.FirstTime) }, false},
	{"FirstTime", uptime, func(r *Row) uint64 { return match.Uptime(r.Flow.FirstTime, r.Collection.Epoch) }, true},
	{"LastActiveTime", uptime, func(r *Row) uint64 { return match.Uptime(r.Flow.LastTime, r.Collection.Epoch) }, false},
	{"FirstTimeNs", instant, func(r *Row) uint64 { return ordered(r.Flow.FirstTime) }, true},
	{"LastActiveTimeNs", instant, func(r *Row) uint64 { return ordered(r.Flow.LastTime) }, false},
	{"IntervalStartNs", instant, func(r *Row) uint64 { return ordered(r.Collection.From) }, false},
	{"IntervalEndNs", instant, func(r *Row) uint64 { return ordered(r.Collection.To) }, false},
	{"FlowIndex", plain, func(r *Row) uint64 { return uint64(r.Flow.Index) }, true},
	{"FlowRuleSet", plain, func(r *Row) uint64 { return uint64(r.Flow.Shape.RuleSet) }, true},
}

// numberNames are further names.
var numberNames = map[string]string{
	"deltatooctets": "tooctets", "deltafromoctets": "fromoctets", "deltatopdus": "topdus", "deltafrompdus": "frompdus",
	"packets": "pdus", "bytes": "octets", "intervalstart": "intervalstartns", "intervalend": "intervalendns",
	"ruleset": "flowruleset", "sentoctets": "tooctets", "receivedoctets": "fromoctets",
}

// numberByName finds a number by its name, whatever the case of its letters, nil if
// there is none.
func numberByName(name string) *quantity {
	name = strings.ToLower(name)
	if other, ok := numberNames[name]; ok {
		name = other
	}
	for i := range numbers {
		if strings.ToLower(numbers[i].name) == name {
			return &numbers[i]
		}
	}
	return nil
}

// saturated returns a sum, the greatest number if it is more.
func saturated(a, b uint64) uint64 {
	sum, over := bits.Add64(a, b, 0)
	if over != 0 {
		return math.MaxUint64
	}
	return sum
}

// bitsPerSecond returns twice a rate, and one more if a fraction was cut off: so all
// whole rates compare with it as they do with the exact one. It is 0 if there was no
// time.
func bitsPerSecond(octets uint64, ns int64) uint64 {
	if ns <= 0 {
		return 0
	}
	high, low := bits.Mul64(octets, 8e9)
	if high >= uint64(ns) {
		return math.MaxUint64
	}
	rate, rest := bits.Div64(high, low, uint64(ns))
	if rate > math.MaxUint64/2 {
		return math.MaxUint64
	}
	if rest > 0 {
		return 2*rate + 1
	}
	return 2 * rate
}

// interval is all numbers from the first to the last.
type interval struct{ from, to uint64 }

// above returns the numbers that op wants, compared with n; none if there are none.
func above(op srl.Op, n uint64) []interval {
	switch op {
	case srl.Less:
		if n == 0 {
			return nil
		}
		return []interval{{0, n - 1}}
	case srl.LessEqual:
		return []interval{{0, n}}
	case srl.Greater:
		if n == math.MaxUint64 {
			return nil
		}
		return []interval{{n + 1, math.MaxUint64}}
	case srl.GreaterEqual:
		return []interval{{n, math.MaxUint64}}
	}
	return []interval{{n, n}}
}

// within returns the test whether a number is in one of the intervals.
func within(get func(*Row) uint64, list []interval) predicate {
	list = merged(list)
	switch len(list) {
	case 0:
		return func(*Row) bool { return false }
	case 1:
		from, length := list[0].from, list[0].to-list[0].from
		return func(r *Row) bool { return get(r)-from <= length }
	}
	return func(r *Row) bool { return holds(list, get(r)) }
}

// numbers compiles the test of a number.
func (c *compiler) numbers(q *quantity, t *srl.Test) predicate {
	if q.unit == uptime && len(t.Operands) > 0 && isInstant(t.Operands[0].Value.Text) {
		q = numberByName(q.name + "Ns")
	}
	var list []interval
	for i := range t.Operands {
		o := &t.Operands[i]
		if o.Mask.Text != "" {
			return c.fault(o.Mask.Place, "%s is a number without masks: write a range, as %s", q.name, "1..10")
		}
		first, ok := c.quantity(q, &o.Value)
		if !ok {
			continue
		}
		if o.To.Text == "" {
			list = append(list, above(t.Op, first)...)
			continue
		}
		last, ok := c.quantity(q, &o.To)
		switch {
		case !ok:
		case last < first:
			c.fault(o.Value.Place, "this range ends before it begins")
		default:
			list = append(list, interval{first, last})
		}
	}
	p := within(q.get, list)
	if t.Op == srl.NotEqual {
		return not(p)
	}
	return p
}

// merged returns the same numbers as a list in order without overlaps.
func merged(list []interval) []interval {
	slices.SortFunc(list, func(a, b interval) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var out []interval
	for _, in := range list {
		if n := len(out); n > 0 && (in.from <= out[n-1].to || in.from == out[n-1].to+1) {
			out[n-1].to = max(out[n-1].to, in.to)
		} else {
			out = append(out, in)
		}
	}
	return out
}

// holds reports whether a number is in one of the intervals of a merged list.
func holds(list []interval, n uint64) bool {
	low, high := 0, len(list) // the first that ends at n or behind it
	for low < high {
		if middle := (low + high) / 2; list[middle].to < n {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(list) && list[low].from <= n
}
