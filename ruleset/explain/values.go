package explain

import (
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// ends are the attributes that tell people which packet it is.
var ends = []attr.Attr{
	attr.SourcePeerAddress, attr.SourceTransAddress, attr.DestPeerAddress, attr.DestTransAddress, attr.SourceTransType,
}

// values returns those of a packet's attributes that it has.
func values(p *match.Packet, key *attr.Key, of []attr.Attr) (all []Value) {
	for _, a := range of {
		if v := valueOf(a, p, key); v != "" {
			all = append(all, Value{a.String(), v})
		}
	}
	return all
}

// beside returns what the names of a key's values depend on.
func beside(key *attr.Key) attr.Beside {
	return attr.Beside{
		NoPeer: key.PeerType() == 0, PeerType: key.PeerType(), TransType: key.TransType(), HasTrans: true,
		ICMPType: key.Trans(attr.Source)[1], HasType: true,
	}
}

// valueOf returns what people call the value of an attribute of a packet, "" if it
// has none.
func valueOf(a attr.Attr, p *match.Packet, key *attr.Key) string {
	in := a.Info()
	size := in.Size
	lengths := p.Lengths()
	if l := lengths.Of(a); l != nil {
		size = int(*l)
	}
	switch in.Class {
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
		return attr.Show(a, key[in.Offset:in.Offset+size], attr.Ones(size), beside(key), false)
	}
	return ""
}

// show returns what people call the value and mask of a rule.
func show(a attr.Attr, r *ruleset.Rule, key *attr.Key) string {
	in := a.Info()
	value, size := r.Value, in.Size
	if in.Variable {
		size = max(value.Len(), r.Mask.Len())
		if r.Mask.Len() > 16 {
			size = value.Len()
		}
	}
	padded := value.Padded()
	text := attr.Show(a, padded[:size], r.Mask, beside(key), false)
	if text == "" {
		return "0"
	}
	return text
}

// saved returns an attribute that is saved, with the value if that is the rule's and
// with its mask.
func saved(a attr.Attr, r *ruleset.Rule, key *attr.Key) string {
	if a.IsMeasure() {
		return a.String()
	}
	if r.Op == ruleset.OpCount || r.Op == ruleset.OpPushRuleTo || r.Op == ruleset.OpPushRuleToAct {
		return a.String() + " = " + show(a, r, key)
	}
	width, prefix := r.Mask.Width()
	switch whole := 8 * a.Info().Size; {
	case !prefix:
		return a.String() + " & " + r.Mask.String()
	case width < whole && !(a.Info().Variable && r.Mask.Len() > 16):
		return a.String() + "/" + itoa(width)
	}
	return a.String()
}

// flowValues returns what a flow saves.
func flowValues(k *match.FlowKey) (all []Value) {
	for i := range k.Shape.Saved {
		s := &k.Shape.Saved[i]
		v := attr.Show(s.Attr, k.Value(s.Attr), s.Mask, beside(&k.Key), false)
		if v == "" {
			v = "-"
		}
		all = append(all, Value{s.Attr.String(), v})
	}
	for i := range k.Shape.Measures {
		d := &k.Shape.Measures[i]
		all = append(all, Value{d.Attr.String(), parameters(d)})
	}
	return all
}

// parameters tells what a flow measures.
func parameters(d *attr.Measure) string {
	p1, _, _ := d.Parameters()
	switch form := d.Attr.Form(); {
	case form == attr.FormBuckets:
		of := append(attr.AppendParameters(nil, d.Value), " & "...)
		return "distribution " + string(attr.AppendParameters(of, d.Mask))
	case form == attr.FormPackets:
		return "list of " + itoa(d.Packets())
	case form == attr.FormID || form == attr.FormDigest:
		return "identifier"
	case d.Attr.CountsPairs():
		return "statistic of " + attr.PairKind(p1).String()
	}
	return "statistic"
}
