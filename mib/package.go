package mib

import "rtfm/mib/smi"

// packageObjects are those of flowDataPackageTable.
func (h *Handler) packageObjects() []object {
	t := &packageTable{h: h}
	return []object{{oid: below(flowMIB, 2, 3, 1, 5), table: t, get: t.data}}
}

// packageTable is flowDataPackageTable.
type packageTable struct {
	h      *Handler
	chosen selection
	buf    []byte
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
	return t.h.nextFlow(rest, include, append(append(name, index[0]), sel...), func(int) bool { return true })
}

// data sets v to the flow's package: the chosen attributes' values, each in
// its type, in a BER sequence.
func (t *packageTable) data(v *smi.Value) bool {
	b := t.buf[:0]
	for i := range t.chosen.fields {
		b = t.h.flow.appendBER(b, &t.chosen.fields[i])
	}
	t.buf = b
	v.Type = smi.OctetString
	v.Octets = smi.AppendBERHeader(v.Octets[:0], smi.TagSequence, len(b))
	v.Octets = append(v.Octets, b...)
	return true
}
