package compile

import (
	"slices"
	"strconv"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/spell"
	"rtfm/ruleset/srl"
)

// reference is an attribute as the program refers to it.
type reference struct {
	attr attr.Attr
	// param tells, for a parameter, its name and the call that gave it the
	// attribute; empty for an attribute's own name.
	param string
	// word is what the program calls both ends, of which this is one.
	word string
	// any is set for the parameters of a subroutine that is never called:
	// what attribute they stand for is not known.
	any bool
}

func (r reference) class() attr.Class { return r.attr.Info().Class }

// measure reports whether it is what flows measure of their packets.
func (r reference) measure() bool { return r.class().IsMeasure() }

// kind names what is measured.
func (r reference) kind() string {
	switch {
	case r.attr == attr.FlowID || r.attr == attr.CommunityID:
		return "an identifier"
	case r.class() == attr.ClassStatistic:
		return "a statistic"
	}
	return "a distribution"
}

// String describes the attribute for a message.
func (r reference) String() string {
	if r.word != "" {
		return r.word
	}
	if r.param == "" {
		return r.attr.String()
	}
	if r.any {
		return r.param
	}
	return r.attr.String() + " (" + r.param + ")"
}

// attribute finds the one attribute that a name stands for.
func (c *compiler) attribute(sc *scope, w srl.Word) (reference, bool) {
	refs, n := c.attributes(sc, w)
	if n > 1 {
		c.errorf(w.Place, "%s is both ends, which can only be tested: write %v, %v or both", w.Text, refs[0].attr, refs[1].attr)
	}
	return refs[0], n == 1
}

// attributes finds what a name stands for: one attribute, or those of both ends;
// none after a fault.
func (c *compiler) attributes(sc *scope, w srl.Word) (refs [2]reference, n int) {
	if ref, ok := sc.params[strings.ToLower(w.Text)]; ok {
		refs[0] = ref
		return refs, 1
	}
	a, ok := attr.ByName(w.Text)
	if ok {
		if refs[0], ok = c.usable(w, a); ok {
			n = 1
		}
		return refs, n
	}
	all := attr.ByWord(w.Text)
	switch {
	case c.prog.Strict && strings.Contains(w.Text, " "):
		// which has been reported
	case len(all) == 0:
		c.noAttribute(sc, w)
	case c.prog.Strict && len(all) > 1:
		c.errorf(w.Place, "%s is not in RFC 2723 (--strict): write %v == ... || %v == ...", w.Text, all[0], all[1])
	case c.prog.Strict:
		c.errorf(w.Place, "%s is not in RFC 2723 (--strict): write %v", w.Text, all[0])
	case len(all) == 1:
		refs[0] = reference{attr: all[0]}
		n = 1
	default:
		refs = [2]reference{{attr: all[0], word: w.Text}, {attr: all[1], word: w.Text}}
		n = 2
	}
	return refs, n
}

// noAttribute reports a name that no attribute has.
func (c *compiler) noAttribute(sc *scope, w srl.Word) {
	if instead := jargon[strings.ToLower(w.Text)]; instead != "" {
		c.errorf(w.Place, "no attribute %q; did you mean %s?", w.Text, instead)
		return
	}
	c.unknown(w, "attribute", func() (names []string) {
		for _, in := range attr.All() {
			if usable(in) {
				names = append(names, in.Name)
			}
		}
		for _, p := range sc.params {
			names = append(names, p.param)
		}
		return append(names, attr.Words()...)
	})
}

// usable finds whether an attribute may be named, and reports it if not.
func (c *compiler) usable(w srl.Word, a attr.Attr) (reference, bool) {
	in := a.Info()
	switch {
	case !usable(in) && in.Class == attr.ClassVariable:
		c.errorf(w.Place, "%s is a meter variable of rules; SRL has parameters of subroutines instead", in.Name)
	case !usable(in):
		c.errorf(w.Place, "%s is measured: it can be read from flows, not tested or saved", in.Name)
	case c.prog.Strict && !standard(a):
		c.errorf(w.Place, "attribute %s is not in RFC 2723 (--strict)", in.Name)
	default:
		return reference{attr: a}, true
	}
	return reference{}, false
}

// jargon is what others call what is not quite an attribute.
var jargon = map[string]string{
	"ip": "Host, SourcePeerAddress or DestPeerAddress", "tos": "DSCodePoint", "dstmask": "DestPrefix", "srcmask": "SourcePrefix",
	"retransmissions": "ToRetransmittedPDUs or FromRetransmittedPDUs", "retransmits": "ToRetransmittedPDUs or FromRetransmittedPDUs",
	"rtt": "ToTurnaroundStats or ToTurnaroundTime", "ttl": "ToHopLimitRange or FromHopLimitRange", "flags": "ToTCPFlags or FromTCPFlags",
	"vni": "TunnelID", "teid": "TunnelID", "gre_key": "TunnelID",
	"bytes": "ToOctets or FromOctets", "packets": "ToPDUs or FromPDUs", "type": "SourcePeerType or SourceTransType",
}

// usable reports whether programs may name an attribute: those of RFC 2723
// appendix C that can be tested or saved, the further ones that this meter
// has, and distributions.
func usable(in attr.Info) bool {
	switch in.Class {
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed, attr.ClassMatching, attr.ClassDistrib, attr.ClassStatistic:
		return true
	}
	return in.Attr == attr.FlowRuleSet
}

// standard reports whether RFC 2723 appendix C has the attribute.
func standard(a attr.Attr) bool {
	switch a.Info().Class {
	case attr.ClassInteger, attr.ClassAddress:
		return a >= attr.SourceInterface && a <= attr.DestTransMask
	case attr.ClassComputed, attr.ClassMatching:
		return true
	}
	return a == attr.FlowRuleSet
}

// counter reports whether a is one of the measured attributes that RFC 2723
// appendix C names.
func counter(a attr.Attr) bool { return a >= attr.ToOctets && a <= attr.LastActiveTime }

// unknown reports a name that nothing has, and which of those of names and of
// the DEFINEs was probably meant.
func (c *compiler) unknown(w srl.Word, what string, names func() []string) {
	name := w.Text
	if len(name) > 40 {
		name = name[:40] + "..."
	}
	// Only the first few are compared: a long program of unknown names would take
	// the square of its length.
	const mostCompared = 50
	if c.compared++; c.compared > mostCompared {
		c.errorf(w.Place, "no %s %q", what, name)
		return
	}
	known := names()
	for _, d := range c.prog.Defines {
		known = append(known, d.Name)
	}
	// The first letter is rarely the wrong one.
	var alike []string
	for _, k := range known {
		if strings.EqualFold(k[:1], name[:1]) {
			alike = append(alike, k)
		}
	}
	n, ok := spell.Nearest(name, alike)
	if !ok {
		n, ok = spell.Nearest(name, known)
	}
	if ok {
		for _, d := range c.prog.Defines {
			if d.Name == n {
				c.errorf(w.Place, "no %s %q; did you mean %s (DEFINEd at %s)?", what, name, n, d.Where())
				return
			}
		}
		c.errorf(w.Place, "no %s %q; did you mean %s?", what, name, n)
		return
	}
	c.errorf(w.Place, "no %s %q", what, name)
}

// operand is a value and the mask under which it is compared.
type operand struct {
	mask, value attr.Value
	width       int16 // number of leading ones that the mask is, else -1
	never       bool  // no attribute value can be equal
	span        bool  // part of a range: what matches saves the packet's value
	from        *srl.Operand
}

// holds reports whether o's value under l's mask is l's.
func (l *operand) holds(o *operand) bool { return o.value.And(l.mask).Padded() == l.value.Padded() }

// operand reads value and mask as the attribute takes them.
func (c *compiler) operand(ref reference, from *srl.Operand) (operand, bool) {
	if c.noRange(ref, from) {
		return operand{}, false
	}
	v, ok := c.value(ref, &from.Value)
	m, mok := c.mask(ref, from)
	if !ok || !mok || !c.suspect(ref, from, v) {
		return operand{}, false
	}
	if v.Len() == 16 && m.Len() < 16 {
		m = m.Resize(16) // rule files show both as IPv6 addresses
	}
	o := operand{mask: m, value: v, width: -1, from: from}
	if w, prefix := m.Width(); prefix {
		o.width = int16(w)
	}
	o.never = !o.holds(&o)
	return o, true
}

// value reads a value, or the name of one.
func (c *compiler) value(ref reference, w *srl.Word) (attr.Value, bool) {
	if !w.IsName() && !hyphened(w.Text) || ref.attr.Info().Class == attr.ClassStatistic && !ref.any { // dns, a kind of packet pairs
		return c.parse(ref, w)
	}
	if ref.any {
		return zero, true
	}
	v, ok := attr.ValueName(ref.attr, w.Text)
	what := "DEFINE or value of "
	if c.reading != nil {
		what = "value of "
	}
	switch {
	case !ok:
		c.unknown(*w, what+ref.String(), func() []string {
			known := attr.ValueNames(ref.attr)
			slices.Sort(known)
			for i := range known {
				known[i] = strings.ToUpper(known[i])
			}
			return known
		})
	case c.prog.Strict:
		c.errorf(w.Place, "%s is not DEFINEd, and RFC 2723 has no names of its own for values (--strict)", w.Text)
	default:
		return v, true
	}
	return v, false
}

// hyphened reports whether a value is a name with hyphens, such as echo-reply, and not
// hexadecimal octets.
func hyphened(value string) bool {
	return spell.WordLen(strings.ReplaceAll(value, "-", "_")) == len(value) &&
		strings.ContainsAny(strings.ToLower(value), "ghijklmnopqrstuvwxyz")
}

// parse reads a value or mask in the notation of RFC 2723 appendix B.
func (c *compiler) parse(ref reference, w *srl.Word) (attr.Value, bool) {
	in := ref.attr.Info()
	if in.Attr.IsMeasure() && !ref.any {
		v, err := ref.attr.ParseMeasure(w.Text)
		if err != nil {
			c.errorf(w.Place, "%s: %v", ref, err)
		}
		return v, err == nil
	}
	size := in.Size
	if in.Variable || ref.any {
		size = 0
	}
	v, err := attr.ParseValue(w.Text, size)
	switch {
	case err != nil:
		c.errorf(w.Place, "%s: %v", ref, err)
		return v, false
	case ref.any:
		return v, true
	case v.Len() > in.Size:
		c.errorf(w.Place, "%s has %d octets, more than the %d of %s", w.Text, v.Len(), in.Size, ref)
		return v, false
	}
	v, _ = v.Fit(ref.attr) // it does: it has no more octets
	return canonical(ref.attr, v), true
}

// mask reads an operand's mask, which is all ones if there is none.
func (c *compiler) mask(ref reference, o *srl.Operand) (attr.Value, bool) {
	size := ref.attr.Info().Size
	if ref.any {
		size = attr.MaxAddress
	}
	switch {
	case o.Mask.Text == "":
		return attr.Ones(size), true
	case !o.Width && o.Mask.IsName():
		c.errorf(o.Mask.Place, "expected a mask behind &, found %q", o.Mask.Text)
		return attr.Value{}, false
	case !o.Width:
		m, ok := c.parse(ref, &o.Mask)
		return shortest(ref.attr, m), ok
	}
	w, err := strconv.Atoi(o.Mask.Text)
	if err != nil || w > 8*size {
		c.errorf(o.Mask.Place, "/%s is wider than the %d bits of %s", o.Mask.Text, 8*size, ref)
		return attr.Value{}, false
	}
	if ref.attr.Info().Variable {
		for _, n := range usualLengths(ref.attr) {
			if w <= 8*n {
				size = n
				break
			}
		}
	}
	return attr.WidthMask(w, size), true
}

// canonical returns a value in the length that values of this attribute have
// in rules: for addresses whose length varies the next of the usual ones.
func canonical(a attr.Attr, v attr.Value) attr.Value {
	in := a.Info()
	switch {
	case !in.Variable:
		return v
	case v.Zero():
		return zero
	}
	for _, n := range usualLengths(a) {
		if n >= v.Len() {
			return v.Resize(n)
		}
	}
	return v
}

// shortest cuts the zeros off a mask, to the shortest usual length that keeps
// its ones.
func shortest(a attr.Attr, m attr.Value) attr.Value {
	if !a.Info().Variable {
		return m
	}
	for _, n := range usualLengths(a) {
		if short := m.Resize(n); short.Padded() == m.Padded() {
			return short
		}
	}
	return m
}

// usualLengths are the octets of the addresses that an attribute commonly
// has, and the most that it can have.
func usualLengths(a attr.Attr) []int {
	if a.IsAdjacent() {
		return []int{6, attr.MaxAdjacent}
	}
	return []int{4, 16, attr.MaxAddress}
}

// zero is the value 0 of attributes whose length varies.
var zero = attr.MakeValue(0)

// zeroOf returns the value 0 of an attribute.
func zeroOf(a attr.Attr) attr.Value {
	if in := a.Info(); !in.Variable {
		return zero.Resize(in.Size)
	}
	return zero
}
