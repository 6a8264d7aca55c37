package poller

import (
	"fmt"
	"io"
	"slices"

	"github.com/goccy/go-yaml"

	"rtfm/mib/module"
	"rtfm/reader/metrics"
	"rtfm/ruleset/attr"
)

// exporterModule is a module of snmp_exporter's configuration.
type exporterModule struct {
	Walk    []string         `yaml:"walk,omitempty"`
	Get     []string         `yaml:"get,omitempty"`
	Metrics []exporterMetric `yaml:"metrics"`
	// Version and Auth are within modules of releases before 0.23.
	Version int           `yaml:"version,omitempty"`
	Auth    *exporterAuth `yaml:"auth,omitempty"`
}

type exporterAuth struct {
	Community string `yaml:"community"`
}

type exporterMetric struct {
	Name    string                     `yaml:"name"`
	OID     string                     `yaml:"oid"`
	Type    string                     `yaml:"type"`
	Help    string                     `yaml:"help"`
	Indexes []exporterIndex            `yaml:"indexes,omitempty"`
	Lookups []exporterLookup           `yaml:"lookups,omitempty"`
	Regexps map[string][]exporterMatch `yaml:"regex_extracts,omitempty"`
}

type exporterIndex struct {
	Label string `yaml:"labelname"`
	Type  string `yaml:"type"`
}

// exporterLookup has the value of a column for a label; that of nothing removes it.
type exporterLookup struct {
	Labels []string `yaml:"labels"`
	Label  string   `yaml:"labelname"`
	OID    string   `yaml:"oid,omitempty"`
	Type   string   `yaml:"type,omitempty"`
}

// exporterMatch is what stands for a value.
type exporterMatch struct {
	Value string `yaml:"value"`
	Regex string `yaml:"regex"`
}

// WriteExporter writes the configuration of snmp_exporter: a module rtfm for a meter's
// health, and, if flows is not nil, rtfm_flows. Releases before 0.23 want the form that old
// asks for, in which modules have a community.
func WriteExporter(w io.Writer, flows *Flows, old bool) error {
	modules := yaml.MapSlice{{Key: "rtfm", Value: health()}}
	if flows != nil {
		modules = append(modules, yaml.MapItem{Key: "rtfm_flows", Value: flows.module(old)})
	}
	all := any(yaml.MapSlice{{Key: "modules", Value: modules}})
	if old {
		for _, m := range modules {
			m := m.Value.(*exporterModule)
			m.Version, m.Auth = 2, &exporterAuth{"public"}
		}
		all = modules
	}
	b, err := yaml.Marshal(all)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "# What snmp_exporter asks meters of rtfm for, as rtfm mib snmp-exporter has written it.\n%s", b)
	return err
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
