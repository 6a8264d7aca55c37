// Package poller writes what programs that poll meters over SNMP are configured by: a
// module of Prometheus's snmp_exporter, and a template of Zabbix. Both are made of the
// table of what --metrics tells, so that a number has one name however it is had.
package poller

import (
	"fmt"

	"rtfm/mib/module"
	"rtfm/reader/metrics"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/spell"
)

// Flows says which flows are polled, those of one ruleset, and what tells them apart.
type Flows struct {
	RuleSet int
	By      []attr.Attr
}

// NewFlows returns the flows of the ruleset of this number, told apart by attributes of
// these names.
func NewFlows(ruleSet int, by []string) (*Flows, error) {
	f := &Flows{RuleSet: ruleSet}
	for _, name := range by {
		a, ok := attr.ByName(name)
		if !ok || !labels(a) {
			var known []string
			for _, in := range attr.All() {
				if labels(in.Attr) {
					known = append(known, in.Name)
				}
			}
			return nil, fmt.Errorf("%s", spell.UnknownOf("attribute that flowDataTable tells flows apart by", name, known))
		}
		f.By = append(f.By, a)
	}
	return f, nil
}

// labels reports whether flows can be told apart by an attribute: it is saved, and has a
// column in flowDataTable.
func labels(a attr.Attr) bool {
	switch a.Info().Class {
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
		return a < attr.MatchingStoD
	}
	return false
}

// counted are what flows count.
var counted = []struct {
	attr.Attr
	name, help string
}{
	{attr.ToPDUs, "rtfm_flow_to_packets_total", "Packets of a flow, from its source to its destination."},
	{attr.FromPDUs, "rtfm_flow_from_packets_total", "Packets of a flow, back to its source."},
	{attr.ToOctets, "rtfm_flow_to_octets_total", "Octets of a flow, from its source to its destination."},
	{attr.FromOctets, "rtfm_flow_from_octets_total", "Octets of a flow, back to its source."},
}

// column returns the OID of an attribute's column in flowDataTable.
func column(a attr.Attr) string { return module.FlowDataEntry.At(uint32(a)).String() }

// label returns what an attribute is called as a label.
func label(a attr.Attr) string { return metrics.LabelName(a.String()) }
