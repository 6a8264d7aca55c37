package mib

import (
	"slices"

	"rtfm/mib/smi"
)

// packageObjects are those of flowDataPackageTable.
func (h *Handler) packageObjects() []object {
	t := &packageTable{h: h, chosen: selection{form: formPackage, work: &h.work}}
	return []object{{oid: below(flowMIB, 2, 3, 1, 5), table: t, follow: h.followFlow, get: t.data}}
}

// packageTable is flowDataPackageTable.
type packageTable struct {
	h      *Handler
	chosen selection
}

func (t *packageTable) find(index smi.OID) bool {
	sel, rest, ok := selector(index)
	return ok && t.chosen.parse(sel, byOctet) && t.h.findFlow(rest)
}

func (t *packageTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	sel, rest, ok := selector(index)
	if !ok || !t.chosen.parse(sel, byOctet) {
		return name, false
	}
	return t.h.nextFlow(rest, include, append(append(name, index[0]), sel...), func(*RuleSet) bool { return true })
}

// data sets v to the flow's package: the chosen attributes' values, each in
// its type, in a BER sequence.
func (t *packageTable) data(v *smi.Value) bool {
	b := t.chosen.append(append(v.Octets[:0], smi.TagSequence, 0), &t.h.flow)
	n := len(b) - 2
	if more := smi.BERHeaderSize(n) - 2; more > 0 {
		b = slices.Insert(b, 2, make([]byte, more)...)
	}
	smi.AppendBERHeader(b[:0], smi.TagSequence, n)
	v.Type, v.Octets = smi.OctetString, b
	return true
}
