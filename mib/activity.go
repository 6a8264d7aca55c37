package mib

import (
	"encoding/binary"
	"math"

	"rtfm/mib/block"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// activityObjects are those of flowColumnActivityTable.
func (h *Handler) activityObjects() []object {
	t := &activityTable{h: h, chosen: block.NewSelection(block.Activity, &h.work)}
	return []object{
		{oid: module.FlowColumnActivityAttribute.OID, table: t, get: func(v *smi.Value) bool { v.SetInt(int32(t.attribute)); return true }},
		{oid: module.FlowColumnActivityTime.OID, table: t, get: func(v *smi.Value) bool {
			v.SetUint(smi.TimeTicks, uint64(h.flow.Ticks(h.flow.LastTime)))
			return true
		}},
		{oid: module.FlowColumnActivityIndex.OID, table: t, get: func(v *smi.Value) bool { v.SetInt(int32(h.flow.Index)); return true }},
		{oid: module.FlowColumnActivityData.OID, table: t, get: t.data},
	}
}

// maxActivity is the size that RFC 2720 gives flowColumnActivityData.
const maxActivity = 1000

// activityTable is flowColumnActivityTable: it has a row for each attribute,
// TimeMark and flow, of whatever ruleset.
type activityTable struct {
	h         *Handler
	attribute uint32
	chosen    block.Selection // of the attribute
	mark      uint32
}

// choose takes the attribute from an index. A distribution has too many octets.
func (t *activityTable) choose(index smi.OID) bool {
	t.attribute = index[0]
	return t.chosen.Parse(index[:1]) && t.chosen.MaxOctets() <= maxActivity
}

func (t *activityTable) find(index smi.OID) bool {
	if len(index) != 3 || !t.choose(index) {
		return false
	}
	t.mark = index[1]
	return t.h.loadFlow(0, t.mark, index[2]) && t.h.flow.Index == index[2]
}

func (t *activityTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	if len(index) == 0 || !t.choose(index) {
		return name, false
	}
	var row uint32
	t.mark = 0
	if len(index) > 1 {
		t.mark = index[1]
	}
	if len(index) > 2 {
		row = index[2]
		if (!include || len(index) > 3) && row < math.MaxUint32 {
			row++
		}
	}
	if !t.h.loadFlow(0, t.mark, row) {
		return name, false
	}
	return append(name, index[0], t.mark, t.h.flow.Index), true
}

// data sets v to pairs of flow index and value, from the row's flow on, as
// many as fit and lie in its span. Behind the pair of the last flow the index 0
// tells that there are no more.
func (t *activityTable) data(v *smi.Value) bool {
	most := t.chosen.MaxOctets()
	b := v.Octets[:0]
	s := spanOf(&t.h.flow)
	for more := true; more; more = t.h.loadFlow(0, t.mark, t.h.flow.Index+1) {
		if len(b)+4+most+4 > maxActivity || !s.takes(&t.h.flow) && len(b) > 0 {
			v.Type, v.Octets = smi.OctetString, b
			return true
		}
		b = binary.BigEndian.AppendUint32(b, t.h.flow.Index)
		b = t.chosen.Append(b, &t.h.flow)
	}
	v.Type, v.Octets = smi.OctetString, binary.BigEndian.AppendUint32(b, 0)
	return true
}
