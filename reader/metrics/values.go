package metrics

import (
	"hash/maphash"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// other is what the labels of the others say.
const other = "others"

// values sums up the flows of one ruleset by what they save.
type values struct {
	ruleSet string // a name, or a number
	limit   int

	// What Add looks at, as of the collections that are written.
	series  []*series // in the order in which they came
	others  counts
	strange sketch // of the others

	known map[string]*series
	fresh []*series // of known, not in series yet
	// Of the collection at hand: what it adds, which is forgotten if it fails.
	in       record.Collection
	added    []*series // with something pending
	rest     counts
	restSeen sketch
	number   int // of the last flow's ruleset, and whether that is the one
	wanted   bool
	key      []byte
	labels   []Label
}

// series is one combination of values.
type series struct {
	labels           []Label
	counted, pending counts
	isAdded          bool
}

// counts are what flows have counted, there and back.
type counts struct{ toPDUs, fromPDUs, toOctets, fromOctets uint64 }

func (c *counts) add(n counts) {
	c.toPDUs += n.toPDUs
	c.fromPDUs += n.fromPDUs
	c.toOctets += n.toOctets
	c.fromOctets += n.fromOctets
}

func newValues(ruleSet string, limit int) *values {
	return &values{ruleSet: ruleSet, limit: limit, known: make(map[string]*series)}
}

// begin begins a collection.
func (v *values) begin(in *record.Collection) {
	for _, s := range v.added {
		s.pending, s.isAdded = counts{}, false
	}
	v.in, v.added, v.rest, v.restSeen, v.number = *in, v.added[:0], counts{}, sketch{}, 0
}

// flow takes a flow of the collection.
func (v *values) flow(f *match.Flow, c *record.Counters) {
	if number := f.Shape.RuleSet; number != v.number {
		v.number = number
		v.wanted = v.ruleSet == strconv.Itoa(number) || v.ruleSet == v.in.RuleSet(number).Name
	}
	if !v.wanted {
		return
	}
	n := counts{c.ToPDUs, c.FromPDUs, c.ToOctets, c.FromOctets}
	if n == (counts{}) {
		return
	}
	names := v.in.RuleSet(v.number).Names
	v.key, v.labels = v.key[:0], v.labels[:0]
	plain := true
	for _, saved := range f.Shape.Saved {
		text := record.NameOf(names, f, saved.Attr)
		if text == "" {
			text = f.Show(saved.Attr, true)
		}
		if text == "" {
			continue // to Prometheus that is no label
		}
		v.labels = append(v.labels, Label{saved.Attr.String(), text})
		v.key = append(append(append(v.key, saved.Attr.String()...), '='), text...)
		v.key = append(v.key, 0)
		plain = plain && text != other
	}
	s := v.known[string(v.key)]
	if s == nil && (len(v.known) >= v.limit || !plain) {
		v.rest.add(n)
		v.restSeen.see(v.key)
		return
	}
	if s == nil {
		s = &series{}
		for _, l := range v.labels {
			s.labels = append(s.labels, Label{LabelName(l.Name), l.Value})
		}
		v.known[string(v.key)] = s
		v.fresh = append(v.fresh, s)
	}
	s.pending.add(n)
	if !s.isAdded {
		s.isAdded = true
		v.added = append(v.added, s)
	}
}

// written has what the collection adds count.
func (v *values) written() {
	v.series, v.fresh = append(v.series, v.fresh...), v.fresh[:0]
	for _, s := range v.added {
		s.counted.add(s.pending)
		s.pending, s.isAdded = counts{}, false
	}
	v.added = v.added[:0]
	v.others.add(v.rest)
	v.strange.join(&v.restSeen)
	v.rest = counts{}
}

// add adds the series to a set.
func (v *values) add(s *Set, of []Label) {
	for _, one := range v.series {
		v.addCounts(s, &one.counted, append(append([]Label(nil), of...), one.labels...))
	}
	if len(v.series) > 0 {
		labels := append([]Label(nil), of...)
		for _, l := range v.series[0].labels {
			labels = append(labels, Label{l.Name, other})
		}
		v.addCounts(s, &v.others, labels)
	}
	s.Gauge("rtfm_flow_series", "Combinations of values that have series of their own.", float64(len(v.series)), of...)
	s.Gauge("rtfm_flow_others", "About how many more there are, which are one, as others.", v.strange.estimate(), of...)
}

func (v *values) addCounts(s *Set, c *counts, labels []Label) {
	to, from := with(labels, "direction", "to"), with(labels, "direction", "from")
	const packets, octets = "rtfm_flow_packets_total", "rtfm_flow_octets_total"
	const packetsHelp, octetsHelp = "Packets of the flows of --metrics-ruleset, by what they save.", "Octets of the flows of --metrics-ruleset, by what they save."
	s.Counter(packets, packetsHelp, c.toPDUs, to...)
	s.Counter(packets, packetsHelp, c.fromPDUs, from...)
	s.Counter(octets, octetsHelp, c.toOctets, to...)
	s.Counter(octets, octetsHelp, c.fromOctets, from...)
}

// LabelName returns the name of an attribute as labels are named: SourcePeerAddress is
// source_peer_address.
func LabelName(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// sketch counts different keys in little memory: each has a bit by its hash, and those
// that are clear tell about how many there were (linear counting). A million are right
// within 1 %, and it is full at some fourteen million.
type sketch struct{ bits []uint64 }

const sketchBits = 1 << 20

var sketchSeed = maphash.MakeSeed()

func (s *sketch) see(key []byte) {
	if s.bits == nil {
		s.bits = make([]uint64, sketchBits/64)
	}
	h := maphash.Bytes(sketchSeed, key) % sketchBits
	s.bits[h/64] |= 1 << (h % 64)
}

func (s *sketch) join(other *sketch) {
	if s.bits == nil {
		s.bits = other.bits
		other.bits = nil
		return
	}
	for i, b := range other.bits {
		s.bits[i] |= b
	}
}

func (s *sketch) estimate() float64 {
	if s.bits == nil {
		return 0
	}
	set := 0
	for _, b := range s.bits {
		set += bits.OnesCount64(b)
	}
	clear := max(sketchBits-set, 1)
	return math.Round(-sketchBits * math.Log(float64(clear)/sketchBits))
}
