package flowfile

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// builder makes flows of the values of flow records: begin, set for each value, and
// flow, which is valid until the next begin.
type builder struct {
	// zero is set if "0" stands for what a flow does not have, as in NeMaC's text.
	zero  bool
	epoch int64 // of the Uptime
	// deltas are those of deltaBits that rows have where they are known.
	deltas uint16
	shapes match.Shapes
	known  map[string]*match.Shape // by signature

	fl      match.Flow
	counted record.Counters
	row     rowState
	saved   []savedText
	masks   []savedText
	names   []savedText
	called  map[string][]match.Name // by the names of a row
	found   []foundDistribution
	numbers []uint64                     // of what distributions counted
	buckets map[string]foundDistribution // by mask, value and attribute
	sig     []byte
	raw     []byte // the row's identity as it is written
}

// rowState is what of a builder begins anew with each row.
type rowState struct {
	ruleSet int
	bits    []byte // SavedAttributes, nil without
	// exactFirst and exactLast are set once the times are known in nanoseconds.
	exactFirst, exactLast bool
	have                  uint16 // which of told the row has
	lengths               match.Lengths
}

type savedText struct {
	attr  attr.Attr
	place keyPlace
	text  []byte
}

type foundDistribution struct {
	attr.Measure
	parameters      []byte // mask and value as text has them
	counters, delta []uint64
}

// maxShapes is how many shapes are remembered: a file may have any number.
const maxShapes = 1 << 12

// begin begins a row.
func (b *builder) begin() {
	b.fl = match.Flow{Counters: b.fl.Counters[:0]}
	b.row = rowState{}
	b.counted = record.Counters{Measures: b.counted.Measures[:0]}
	b.saved, b.masks, b.names, b.found, b.raw = b.saved[:0], b.masks[:0], b.names[:0], b.found[:0], b.raw[:0]
	b.numbers = b.numbers[:0]
}

// set takes the value of a field. It is kept until flow.
func (b *builder) set(f *field, text []byte) error {
	switch f.kind {
	case fieldMeasured:
		if f.place&deltaBits != 0 && b.zero && string(text) == unknownText {
			return nil
		}
		b.row.have |= f.place
		return b.measured(f.attr, text)
	case fieldSaved:
		b.saved = append(b.saved, savedText{f.attr, f.in, text})
	case fieldMask:
		b.masks = append(b.masks, savedText{f.attr, f.in, text})
	case fieldName:
		if len(text) > ruleset.MaxName {
			return fmt.Errorf("a name of more than %d octets", ruleset.MaxName)
		}
		b.names = append(b.names, savedText{attr: f.attr, text: text})
	case fieldDistribution:
		if f.attr.Form() != attr.FormBuckets {
			return b.statistic(f.attr, text)
		}
		return b.distribution(f.attr, text)
	case fieldPart:
		return b.part(f.attr, int(f.place), text)
	case fieldDeltaPart:
		return b.deltaPart(f.attr, int(f.place), text)
	case fieldDeltaDistribution:
		return b.delta(f.attr, text)
	case fieldIdentity:
		b.raw = append(append(append(b.raw, byte(f.place)), text...), 0)
	case fieldBits:
		if len(text) == 1 && text[0] == '0' {
			return nil
		}
		bits, err := hex.DecodeString(string(text))
		if err != nil {
			return fmt.Errorf("%q is not a number in hexadecimal", shown(text))
		}
		b.row.bits = bits
	}
	return nil
}

// measured sets what a flow has beside its key.
func (b *builder) measured(a attr.Attr, text []byte) error {
	switch a {
	case attr.FirstTimeNs, attr.LastActiveTimeNs:
		at, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a time in nanoseconds", shown(text))
		}
		if a == attr.FirstTimeNs {
			b.fl.FirstTime, b.row.exactFirst = at, true
		} else {
			b.fl.LastTime, b.row.exactLast = at, true
		}
		return nil
	case attr.DeltaToPDURate, attr.DeltaFromPDURate, attr.DeltaToBitRate, attr.DeltaFromBitRate:
		return nil // the counters have them
	}
	n, ok := parseUint(text)
	if !ok {
		return numberFault(text, 64)
	}
	return b.number(a, n)
}

// number sets one of the numbers that a flow has beside its key.
func (b *builder) number(a attr.Attr, n uint64) error {
	switch a {
	case attr.FlowRuleSet:
		if n > ruleset.MaxRuleSets {
			return fmt.Errorf("%d is not a ruleset from 1 to %d", n, ruleset.MaxRuleSets)
		}
		b.row.ruleSet = int(n)
	case attr.FlowIndex:
		if n > math.MaxUint32 {
			return fmt.Errorf("%d is no number of 32 bits", n)
		}
		b.fl.Index = uint32(n)
	case attr.FirstTime:
		if !b.row.exactFirst {
			b.fl.FirstTime = instant(b.epoch, n)
		}
	case attr.LastActiveTime, attr.FlowTimeMark:
		if !b.row.exactLast {
			b.fl.LastTime = instant(b.epoch, n)
		}
	case attr.ToPDUs:
		b.fl.ToPDUs = n
	case attr.FromPDUs:
		b.fl.FromPDUs = n
	case attr.ToOctets:
		b.fl.ToOctets = n
	case attr.FromOctets:
		b.fl.FromOctets = n
	case attr.DeltaToPDUs:
		b.counted.ToPDUs = n
	case attr.DeltaFromPDUs:
		b.counted.FromPDUs = n
	case attr.DeltaToOctets:
		b.counted.ToOctets = n
	case attr.DeltaFromOctets:
		b.counted.FromOctets = n
	}
	return nil
}

// flow returns the flow of the row, and what it counted in the interval, nil if that
// is not known. In NeMaC's text an attribute that is 0 counts as saved only if there
// is a column of SavedAttributes, which tells; one whose mask is not told was saved
// whole.
func (b *builder) flow() (*match.Flow, *record.Counters, error) {
	b.sig = append(b.sig[:0], byte(b.row.ruleSet))
	n := 0
	for _, s := range b.saved {
		if b.zero && (b.row.bits == nil && string(s.text) == "0" || b.row.bits != nil && !match.IsSaved(b.row.bits, s.attr)) {
			continue
		}
		length, err := b.key(s.attr, s.place, s.text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", s.attr, err)
		}
		b.saved[n] = s
		n++
		b.sig = append(b.sig, byte(s.attr>>8), byte(s.attr), byte(length))
		m := b.mask(s.attr)
		if len(m) > 255 {
			return nil, nil, fmt.Errorf("%s: %q is not a mask", s.attr.Mask(), shown(m))
		}
		if m != nil {
			b.sig = append(append(b.sig, byte(len(m))), m...)
		} else {
			b.sig = append(b.sig, 0)
		}
	}
	b.saved = b.saved[:n]
	b.sig = append(b.sig, 0, 0, b.row.lengths.Peer, b.row.lengths.Adjacent, b.row.lengths.InnerPeer)
	slices.SortStableFunc(b.found, func(a, b foundDistribution) int { return cmp.Compare(a.Attr, b.Attr) })
	whole := true
	for i := range b.found {
		d := &b.found[i]
		if err := d.settle(); err != nil {
			return nil, nil, err
		}
		b.sig = append(append(b.sig, byte(d.Attr>>8), byte(d.Attr), byte(len(d.parameters))), d.parameters...)
		b.fl.Counters = append(b.fl.Counters, d.counters)
		whole = whole && len(d.delta) == len(d.counters)
		b.counted.Measures = append(b.counted.Measures, d.delta...)
	}
	if !whole {
		b.counted.Measures = b.counted.Measures[:0]
	}
	shape := b.known[string(b.sig)]
	if shape == nil {
		var err error
		if shape, err = b.shape(); err != nil {
			return nil, nil, err
		}
	}
	b.fl.Shape = shape
	b.fl.Names = b.calls()
	if b.deltas == 0 || b.row.have&b.deltas != b.deltas {
		return &b.fl, nil, nil
	}
	return &b.fl, &b.counted, nil
}

// calls returns the names of the row's values, which are not changed any more.
func (b *builder) calls() []match.Name {
	if len(b.names) == 0 {
		return nil
	}
	b.sig = b.sig[:0]
	for _, n := range b.names {
		b.sig = append(append(b.sig, byte(n.attr>>8), byte(n.attr), byte(len(n.text))), n.text...)
	}
	names := b.called[string(b.sig)]
	if names == nil {
		if b.called == nil || len(b.called) >= maxShapes {
			b.called = make(map[string][]match.Name)
		}
		for _, n := range b.names {
			names = append(names, match.Name{Attr: n.attr, Text: string(n.text)})
		}
		b.called[string(b.sig)] = names
	}
	return names
}

// shape makes the shape of the row's flow.
func (b *builder) shape() (*match.Shape, error) {
	if b.known == nil || len(b.known) >= maxShapes {
		b.shapes, b.known = match.Shapes{}, make(map[string]*match.Shape)
	}
	var saved []match.Saved
	for _, s := range b.saved {
		length := s.attr.Info().Size
		if l := b.row.lengths.Of(s.attr); l != nil {
			length = int(*l)
		}
		mask := attr.Ones(length)
		if text := b.mask(s.attr); text != nil {
			var err error
			if mask, err = b.maskOf(s.attr, text, length); err != nil {
				return nil, fmt.Errorf("%s: %w", s.attr.Mask(), err)
			}
		}
		saved = append(saved, match.Saved{Attr: s.attr, Mask: mask})
	}
	var found []attr.Measure
	for i := range b.found {
		found = append(found, b.found[i].Measure)
	}
	shape := b.shapes.InternLengths(b.row.ruleSet, b.row.lengths, saved, found...)
	b.known[string(b.sig)] = shape
	return shape, nil
}

// mask returns the mask of an address as the row has it, nil without.
func (b *builder) mask(a attr.Attr) []byte {
	for _, m := range b.masks {
		if m.attr == a+1 {
			return m.text
		}
	}
	return nil
}

// maskOf reads the mask of an address of so many octets. In rows a number is the
// width of a prefix.
func (b *builder) maskOf(a attr.Attr, text []byte, length int) (attr.Value, error) {
	if width, ok := parseUint(text); ok && !b.zero {
		if width > uint64(8*length) {
			return attr.Value{}, fmt.Errorf("a prefix of %d bits, the address has %d", width, 8*length)
		}
		return attr.WidthMask(int(width), length), nil
	}
	return octets(a.Mask(), string(text))
}

// key puts a saved attribute in the flow's key, and returns its length in octets.
func (b *builder) key(a attr.Attr, in keyPlace, text []byte) (int, error) {
	size := int(in.size)
	to := b.fl.Key[in.offset : int(in.offset)+size]
	if in.number {
		n, ok := parseUint(text)
		if !ok || n>>(8*size) != 0 {
			return 0, numberFault(text, 8*size)
		}
		for k := range to {
			to[k] = byte(n >> (8 * (size - 1 - k)))
		}
		return size, nil
	}
	n, ok := parseDotted(to, text)
	if !ok {
		n, ok = parseHex(to, text)
	}
	if !ok {
		v, err := octets(a, string(text))
		if err != nil {
			return 0, err
		}
		n = copy(to, v.Append(nil))
	}
	if of := b.row.lengths.Of(a); of != nil && n > 0 {
		if *of != 0 && *of != uint8(n) {
			return 0, fmt.Errorf("%d octets, the other end's address has %d", n, *of)
		}
		*of = uint8(n)
	}
	return n, nil
}

// parseDotted reads octets in decimal with periods between them, as many as there is
// room for; false if they are written in another way, or wrongly.
func parseDotted(to, text []byte) (n int, ok bool) {
	octet, digits := 0, 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9' && digits < 3:
			octet, digits = 10*octet+int(c-'0'), digits+1
		case c == '.' && digits > 0 && octet < 256 && n < len(to):
			to[n] = byte(octet)
			n, octet, digits = n+1, 0, 0
		default:
			clear(to)
			return 0, false
		}
	}
	if n == 0 || n == len(to) || digits == 0 || octet > 255 {
		clear(to)
		return 0, false
	}
	to[n] = byte(octet)
	return n + 1, true
}

// parseHex reads octets of two hexadecimal digits with hyphens between them, as
// parseDotted does decimal ones.
func parseHex(to, text []byte) (n int, ok bool) {
	if len(text) < 5 || len(text)%3 != 2 || len(text)/3 >= len(to) {
		return 0, false
	}
	for i := 0; i < len(text); i += 3 {
		high, low := hexDigit(text[i]), hexDigit(text[i+1])
		if high > 15 || low > 15 || i+2 < len(text) && text[i+2] != '-' {
			clear(to)
			return 0, false
		}
		to[n] = high<<4 | low
		n++
	}
	return n, true
}

// hexDigit returns the value of a digit, more than 15 if it is none.
func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// distribution adds a distribution and its counters.
func (b *builder) distribution(a attr.Attr, text []byte) error {
	if string(text) == "0" {
		return nil
	}
	mask, rest, _ := bytes.Cut(text, []byte{':'})
	value, list, ok := bytes.Cut(rest, []byte{':'})
	if !ok {
		return errors.New("want mask, value and counters with colons between them")
	}
	f := b.of(a)
	if err := b.parameters(f, mask, value); err != nil {
		return err
	}
	return b.counters(f, list, ':')
}

// parameters sets what a distribution's buckets are. Rows mostly have few of them.
func (b *builder) parameters(f *foundDistribution, mask, value []byte) error {
	b.sig = append(append(append(b.sig[:0], mask...), ':'), value...)
	b.sig = append(b.sig, byte(f.Attr)) // distributions have different ones
	known, ok := b.buckets[string(b.sig)]
	if !ok {
		if len(b.sig) > 255 { // it is to be remembered
			return fmt.Errorf("%q and %q are no mask and value", shown(mask), shown(value))
		}
		d, err := parseParameters(f.Attr, string(mask), string(value))
		if err != nil {
			return err
		}
		if b.buckets == nil || len(b.buckets) >= maxShapes {
			b.buckets = make(map[string]foundDistribution)
		}
		known = foundDistribution{Measure: d, parameters: bytes.Clone(b.sig[:len(b.sig)-1])}
		b.buckets[string(b.sig)] = known
	}
	f.Measure, f.parameters = known.Measure, known.parameters
	return nil
}

// counters sets the counters of a distribution, between which there are separators.
func (b *builder) counters(f *foundDistribution, list []byte, separator byte) (err error) {
	if f.counters, err = b.list(list, separator); err == nil && len(f.counters) != f.Counters() {
		err = fmt.Errorf("%d counters for %d buckets and the overflow", len(f.counters), f.Buckets())
	}
	return err
}

// list reads numbers, which are valid until begin.
func (b *builder) list(text []byte, separator byte) ([]uint64, error) {
	from := len(b.numbers)
	for more := true; more; {
		end := bytes.IndexByte(text, separator)
		part := text
		if more = end >= 0; more {
			part, text = text[:end], text[end+1:]
		}
		if separator == ',' {
			part = bytes.TrimSpace(part)
		}
		n, ok := parseUint(part)
		if !ok {
			return nil, numberFault(part, 64)
		}
		b.numbers = append(b.numbers, n)
	}
	return b.numbers[from:len(b.numbers):len(b.numbers)], nil
}

// of returns the distribution a of the row.
func (b *builder) of(a attr.Attr) *foundDistribution {
	for i := range b.found {
		if b.found[i].Attr == a {
			return &b.found[i]
		}
	}
	b.found = append(b.found, foundDistribution{Measure: attr.Measure{Attr: a}})
	return &b.found[len(b.found)-1]
}

// delta adds the counters of a distribution, whose own column was before, in the
// interval.
func (b *builder) delta(a attr.Attr, text []byte) error {
	f := b.of(a)
	if f.counters == nil {
		return errors.New("no distribution stands before what it counted in the interval")
	}
	var err error
	if f.delta, err = b.list(text, ':'); err != nil {
		return err
	}
	if len(f.delta) != len(f.counters) {
		return fmt.Errorf("%d counters of the interval, the distribution has %d", len(f.delta), len(f.counters))
	}
	return nil
}
