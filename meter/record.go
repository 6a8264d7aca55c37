package meter

import (
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// setRecord gives a packet that stands for a record of a flow the attributes
// that only records have, and the interfaces of both ends. Interface numbers
// are those of RFC 2863, of which 16 bits have room.
func setRecord(p *match.Packet, r *traces.Record) {
	p.Key.SetInterface(attr.Source, uint16(min(r.Input, 0xffff)))
	p.Key.SetInterface(attr.Dest, uint16(min(r.Output, 0xffff)))
	p.Key.SetMeterID(r.Meter)
	p.Key.SetASN(attr.Source, r.SourceASN, r.SourcePrefix)
	p.Key.SetASN(attr.Dest, r.DestASN, r.DestPrefix)
}
