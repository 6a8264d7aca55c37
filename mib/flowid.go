package mib

import (
	"encoding/binary"
	"math"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// flowIDObjects are those of rtfmFlowIdTable.
func (h *Handler) flowIDObjects() []object {
	t := &flowIDTable{h: h}
	return []object{
		{oid: module.RtfmFlowIDIndex.OID, table: t, get: func(v *smi.Value) bool {
			v.SetInt(int32(t.place.Row))
			return true
		}},
		{oid: module.RtfmFlowIDFirstTime.OID, table: t, get: func(v *smi.Value) bool {
			v.SetUint(smi.TimeTicks, h.uptimeAt(t.place.FirstTime))
			return true
		}},
	}
}

// flowIDTable is rtfmFlowIdTable. Its index is a FlowID, in eight octets, and a ruleset.
type flowIDTable struct {
	h     *Handler
	place FlowPlace
}

// idOctets is the length of a FlowID.
const idOctets = 8

func (t *flowIDTable) find(index smi.OID) bool {
	if len(index) != idOctets+1 {
		return false
	}
	id, ruleSet := idOf(index)
	t.place = t.h.meter.NextFlowID(id, ruleSet)
	return t.place.Row != 0 && appendPlace(nil, &t.place).Compare(index) == 0
}

func (t *flowIDTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	id, ruleSet := idOf(index)
	if len(index) > idOctets && (!include || len(index) > idOctets+1) {
		ruleSet++
	}
	if t.place = t.h.meter.NextFlowID(id, ruleSet); t.place.Row == 0 {
		return name, false
	}
	return appendPlace(name, &t.place), true
}

// idOf returns the FlowID and ruleset at which an index is, or which those with an index
// behind it come after, if it is cut short or has numbers that are no octets.
func idOf(index smi.OID) (id uint64, ruleSet int) {
	for i := range idOctets {
		octet := uint32(0)
		if i < len(index) {
			octet = index[i]
		}
		if octet > math.MaxUint8 {
			return (id+1)<<(8*(idOctets-i)) - 1, math.MaxInt32 - 1 // there may be one more
		}
		id = id<<8 | uint64(octet)
	}
	if len(index) > idOctets {
		ruleSet = int(min(index[idOctets], math.MaxInt32-1))
	}
	return id, ruleSet
}

// appendPlace appends the index of a flow to name.
func appendPlace(name smi.OID, p *FlowPlace) smi.OID {
	return append(appendID(name, p.ID), uint32(p.RuleSet))
}

// appendID appends an identifier to name.
func appendID(name smi.OID, id uint64) smi.OID {
	var octets [idOctets]byte
	binary.BigEndian.PutUint64(octets[:], id)
	for _, o := range octets {
		name = append(name, uint32(o))
	}
	return name
}
