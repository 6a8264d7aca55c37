package mib

import (
	"rtfm/mib/block"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// packageObjects are those of flowDataPackageTable.
func (h *Handler) packageObjects() []object {
	t := &packageTable{h: h, chosen: block.NewSelection(block.Packages, &h.work)}
	return []object{{oid: module.FlowPackageData.OID, table: t, follow: h.followFlow, get: t.data}}
}

// packageTable is flowDataPackageTable.
type packageTable struct {
	h      *Handler
	chosen block.Selection
}

func (t *packageTable) find(index smi.OID) bool {
	sel, rest, ok := selector(index)
	return ok && t.chosen.Parse(sel) && t.h.findFlow(rest)
}

func (t *packageTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	sel, rest, ok := selector(index)
	if !ok || !t.chosen.Parse(sel) {
		return name, false
	}
	return t.h.nextFlow(rest, include, append(append(name, index[0]), sel...), func(*RuleSet) bool { return true })
}

// data sets v to the flow's package.
func (t *packageTable) data(v *smi.Value) bool {
	v.Type, v.Octets = smi.OctetString, t.chosen.AppendPackage(v.Octets[:0], &t.h.flow)
	return true
}

// selector splits an index that begins with the length of a list and the
// list, false if it does not.
func selector(index smi.OID) (list, rest smi.OID, ok bool) {
	if len(index) == 0 || index[0] == 0 || int64(index[0]) >= int64(len(index)) {
		return nil, nil, false
	}
	n := 1 + int(index[0])
	return index[1:n], index[n:], true
}
