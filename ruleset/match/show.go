package match

import "rtfm/ruleset/attr"

// Show returns what people call the value of an attribute that the flow saves: see
// attr.Show. It returns "" if the flow does not save it, or its packets do not have it.
func (f *Flow) Show(a attr.Attr, numeric bool) string {
	mask, saved := f.Shape.Mask(a)
	if !saved {
		return ""
	}
	return attr.Show(a, f.Value(a), mask, f.beside(a), numeric)
}

// beside returns what the flow saves that changes what people call the value of a.
func (f *Flow) beside(of attr.Attr) attr.Beside {
	like := func(a attr.Attr) attr.Attr { return a }
	if of.IsInner() {
		like = attr.Attr.Inner
	}
	b := attr.Beside{Swapped: f.ToPDUs == 0 && f.FromPDUs > 0}
	if n, saved := f.whole(like(attr.SourcePeerType), like(attr.DestPeerType)); saved {
		b.PeerType, b.NoPeer = n, n == 0
	}
	for _, a := range [...]attr.Attr{like(attr.SourcePeerAddress), like(attr.DestPeerAddress)} {
		if _, saved := f.Shape.Mask(a); saved && f.Shape.Len(a) == 0 {
			b.NoPeer = true
		}
	}
	b.TransType, b.HasTrans = f.whole(like(attr.SourceTransType), like(attr.DestTransType))
	typeAt := like(attr.SourceTransAddress)
	if b.Swapped {
		typeAt = like(attr.DestTransAddress)
	}
	b.ICMPType, b.HasType = f.whole(typeAt, typeAt)
	return b
}

// whole returns the value of one of two attributes that the flow saves without a mask,
// or false.
func (f *Flow) whole(a, other attr.Attr) (uint8, bool) {
	for _, a := range [...]attr.Attr{a, other} {
		if mask, saved := f.Shape.Mask(a); saved && mask == attr.Ones(mask.Len()) {
			v := f.Value(a)
			return v[len(v)-1], true
		}
	}
	return 0, false
}
