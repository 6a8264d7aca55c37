package meter

import (
	"rtfm/ruleset"
	"rtfm/traces"
)

// setRecord gives a packet that stands for a record of a flow the attributes
// that only records have, and the interfaces of both ends. Interface numbers
// are those of RFC 2863, of which 16 bits have room.
func setRecord(p *ruleset.Packet, r *traces.Record) {
	p.Key.SetInterface(ruleset.Source, uint16(min(r.Input, 0xffff)))
	p.Key.SetInterface(ruleset.Dest, uint16(min(r.Output, 0xffff)))
	p.Key.SetMeterID(r.Meter)
	p.Key.SetASN(ruleset.Source, r.SourceASN, r.SourcePrefix)
	p.Key.SetASN(ruleset.Dest, r.DestASN, r.DestPrefix)
}
