package poller

import (
	"fmt"
	"io"
	"slices"

	"rtfm/mib/module"
	"rtfm/reader/metrics"
	"rtfm/ruleset/attr"
)

// exporterModules are those that are written.
type exporterModules struct {
	Health *exporterModule `json:"rtfm"`
	Flows  *exporterModule `json:"rtfm_flows,omitempty"`
}

// exporterModule is a module of snmp_exporter's configuration.
type exporterModule struct {
	Walk    []string         `json:"walk,omitempty"`
	Get     []string         `json:"get,omitempty"`
	Metrics []exporterMetric `json:"metrics"`
	// Version and Auth are within modules of releases before 0.23.
	Version int           `json:"version,omitempty"`
	Auth    *exporterAuth `json:"auth,omitempty"`
}

type exporterAuth struct {
	Community string `json:"community"`
}

type exporterMetric struct {
	Name    string                     `json:"name"`
	OID     string                     `json:"oid"`
	Type    string                     `json:"type"`
	Help    string                     `json:"help"`
	Indexes []exporterIndex            `json:"indexes,omitempty"`
	Lookups []exporterLookup           `json:"lookups,omitempty"`
	Regexps map[string][]exporterMatch `json:"regex_extracts,omitempty"`
}

type exporterIndex struct {
	Label string `json:"labelname"`
	Type  string `json:"type"`
}

// exporterLookup has the value of a column for a label; that of nothing removes it.
type exporterLookup struct {
	Labels []string `json:"labels"`
	Label  string   `json:"labelname"`
	OID    string   `json:"oid,omitempty"`
	Type   string   `json:"type,omitempty"`
}

// exporterMatch is what stands for a value.
type exporterMatch struct {
	Value string `json:"value"`
	Regex string `json:"regex"`
}

// WriteExporter writes the configuration of snmp_exporter: a module rtfm for a meter's
// health, and, if flows is not nil, rtfm_flows. Releases before 0.23 want the form that old
// asks for, in which modules have a community.
func WriteExporter(w io.Writer, flows *Flows, old bool) error {
	modules := exporterModules{Health: health()}
	if flows != nil {
		modules.Flows = flows.module(old)
	}
	all := any(map[string]exporterModules{"modules": modules})
	if old {
		for _, m := range []*exporterModule{modules.Health, modules.Flows} {
			if m != nil {
				m.Version, m.Auth = 2, &exporterAuth{"public"}
			}
		}
		all = modules
	}
	if _, err := io.WriteString(w, "# What snmp_exporter asks meters of rtfm for, as rtfm mib snmp-exporter has written it.\n"); err != nil {
		return err
	}
	return writeYAML(w, all)
}

// add adds a metric to a module, with what has to be walked for it.
func (m *exporterModule) add(x exporterMetric, walk ...string) {
	m.Metrics = append(m.Metrics, x)
	for _, oid := range walk {
		if !slices.Contains(m.Walk, oid) {
			m.Walk = append(m.Walk, oid)
		}
	}
}

// health returns the module of a meter's health.
func health() *exporterModule {
	m := &exporterModule{}
	for _, one := range metrics.OverSNMP() {
		x := exporterMetric{Name: one.Name, OID: one.Object.OID.String(), Type: "gauge", Help: one.Help}
		switch one.Kind {
		case metrics.Counts:
			x.Type = "counter"
		case metrics.Truth: // true is 1 and false 2 (RFC 2579 section 2)
			x.Type, x.Regexps = "DisplayString", map[string][]exporterMatch{"": {{"1", "^1$"}, {"0", "^2$"}}}
		}
		walk := []string{x.OID}
		// look has a label say what stands in a column of the row.
		look := func(label string, column *module.Object, kind string) {
			x.Lookups = append(x.Lookups, exporterLookup{[]string{x.Indexes[0].Label}, label, column.OID.String(), kind})
			walk = append(walk, column.OID.String())
		}
		switch one.Of {
		case metrics.OfMeter:
			m.Get, walk = append(m.Get, one.Object.At(0).String()), nil
		case metrics.OfRuleSet:
			x.Indexes = []exporterIndex{{"ruleset", "gauge"}}
			look("name", module.FlowRuleInfoName, "DisplayString")
		case metrics.OfInterface:
			x.Indexes = []exporterIndex{{"ifIndex", "gauge"}}
			look("interface", module.RtfmInterfaceName, "DisplayString")
		case metrics.OfReader:
			x.Indexes = []exporterIndex{{"reader", "gauge"}}
			look("owner", module.FlowReaderOwner, "DisplayString")
			look("ruleset", module.FlowReaderRuleSet, "gauge")
		}
		m.add(x, walk...)
	}
	return m
}

// module returns the module of the flows. Addresses are shown as such by their types,
// if these are labels too, and in hexadecimal otherwise; old releases do that always.
func (f *Flows) module(old bool) *exporterModule {
	m := &exporterModule{}
	of := fmt.Sprintf(".%d", f.RuleSet)
	indexes := []exporterIndex{{"ruleset", "gauge"}, {"time_mark", "gauge"}, {"flow", "gauge"}}
	var lookups []exporterLookup
	var walk []string
	for _, a := range f.By {
		kind := "OctetString"
		switch {
		case a.Info().Class != attr.ClassAddress:
			kind = "gauge"
		case a.IsPeer() && !old && slices.Contains(f.By, a-1): // the column before says which it is
			kind = "InetAddress"
		}
		lookups = append(lookups, exporterLookup{[]string{"ruleset", "time_mark", "flow"}, label(a), column(a), kind})
		walk = append(walk, column(a)+of)
	}
	lookups = append(lookups, exporterLookup{[]string{}, "time_mark", "", ""})
	for _, c := range counted {
		m.add(exporterMetric{Name: c.name, OID: column(c.Attr), Type: "counter", Help: c.help, Indexes: indexes, Lookups: lookups}, column(c.Attr)+of)
	}
	for _, oid := range walk {
		if !slices.Contains(m.Walk, oid) {
			m.Walk = append(m.Walk, oid)
		}
	}
	return m
}
