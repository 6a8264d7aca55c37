package poller

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"rtfm/mib/module"
	"rtfm/reader/metrics"
)

// What the template is called, and the macros of it that users change.
const (
	templateName   = "rtfm meter by SNMP"
	fillMacro      = "{$RTFM.FILL.MAX}"
	readerAgeMacro = "{$RTFM.READER.AGE.MAX}"
	ruleSetMacro   = "{$RTFM.RULESET}"
)

// The form in which Zabbix 7.0 imports templates.
type (
	zabbixExport struct {
		Version   string           `json:"version"`
		Groups    []zabbixGroup    `json:"template_groups"`
		Templates []zabbixTemplate `json:"templates"`
		Triggers  []zabbixTrigger  `json:"triggers"`
	}
	zabbixGroup struct {
		UUID string `json:"uuid,omitempty"`
		Name string `json:"name"`
	}
	zabbixTemplate struct {
		UUID        string            `json:"uuid"`
		Template    string            `json:"template"`
		Name        string            `json:"name"`
		Description string            `json:"description"`
		Groups      []zabbixGroup     `json:"groups"`
		Items       []zabbixItem      `json:"items"`
		Discoveries []zabbixDiscovery `json:"discovery_rules"`
		Macros      []zabbixMacro     `json:"macros"`
		ValueMaps   []zabbixValueMap  `json:"valuemaps"`
	}
	zabbixItem struct {
		UUID          string          `json:"uuid"`
		Name          string          `json:"name"`
		Type          string          `json:"type"`
		OID           string          `json:"snmp_oid"`
		Key           string          `json:"key"`
		ValueType     string          `json:"value_type,omitempty"` // UNSIGNED without
		Units         string          `json:"units,omitempty"`
		Description   string          `json:"description,omitempty"`
		ValueMap      *zabbixGroup    `json:"valuemap,omitempty"`
		Preprocessing []zabbixStep    `json:"preprocessing,omitempty"`
		Triggers      []zabbixTrigger `json:"triggers,omitempty"`
		Prototypes    []zabbixTrigger `json:"trigger_prototypes,omitempty"`
	}
	zabbixStep struct {
		Type       string   `json:"type"`
		Parameters []string `json:"parameters"`
	}
	zabbixTrigger struct {
		UUID       string `json:"uuid"`
		Expression string `json:"expression"`
		Name       string `json:"name"`
		Priority   string `json:"priority"`
	}
	zabbixDiscovery struct {
		UUID       string          `json:"uuid"`
		Name       string          `json:"name"`
		Type       string          `json:"type"`
		OID        string          `json:"snmp_oid"`
		Key        string          `json:"key"`
		Delay      string          `json:"delay"`
		Items      []zabbixItem    `json:"item_prototypes"`
		Prototypes []zabbixTrigger `json:"trigger_prototypes,omitempty"`
	}
	zabbixMacro struct {
		Macro       string `json:"macro"`
		Value       string `json:"value"`
		Description string `json:"description"`
	}
	zabbixValueMap struct {
		UUID     string          `json:"uuid"`
		Name     string          `json:"name"`
		Mappings []zabbixMapping `json:"mappings"`
	}
	zabbixMapping struct {
		Value string `json:"value"`
		New   string `json:"newvalue"`
	}
)

// truthValue is TruthValue of RFC 2579.
const truthValue = "TruthValue"

// alarms say when something is wrong with a number of which %s is the key.
var alarms = map[string]struct{ expression, name, priority string }{
	"rtfm_lost_packets_total":         {"max(%s,5m)>0", "packets are not captured: they are in no flow", "WARNING"},
	"rtfm_uncounted_packets_total":    {"max(%s,5m)>0", "the flow table is full: packets are in no flow", "HIGH"},
	"rtfm_stopped_packets_total":      {"max(%s,5m)>0", "rules loop", "HIGH"},
	"rtfm_feed_dropped_records_total": {"max(%s,5m)>0", "the feed has no room or no receiver", "WARNING"},
	"rtfm_flood_mode":                 {"last(%s)=1", "flood mode: only the built-in ruleset runs", "HIGH"},
	"rtfm_meter_uptime_ticks":         {"nodata(%s,5m)=1", "the meter does not answer", "HIGH"},
}

// WriteZabbix writes a template for Zabbix 7.0: a meter's health, and the flows of a
// ruleset if flows is not nil. It is the same whenever it is written, so that importing
// that of a later rtfm keeps what was measured.
func WriteZabbix(w io.Writer, flows *Flows) error {
	t := zabbixTemplate{
		UUID: uuid("template"), Template: templateName, Name: templateName, Groups: []zabbixGroup{{Name: "Templates/rtfm"}},
		Description: "The health of an rtfm meter. Made by rtfm mib zabbix.",
		Macros: []zabbixMacro{
			{fillMacro, "0.8", "Part of the flow table that may be in use."},
			{readerAgeMacro, "900", "Seconds since a reader's latest collection: three of its intervals."},
		},
		ValueMaps: []zabbixValueMap{{uuid("valuemap"), truthValue, []zabbixMapping{{"1", "true"}, {"2", "false"}}}},
	}
	rules := map[metrics.Of]*zabbixDiscovery{
		metrics.OfRuleSet:   discovery("rulesets", "Rulesets", "{#NAME}", module.FlowRuleInfoName.OID.String()),
		metrics.OfInterface: discovery("interfaces", "Interfaces", "{#NAME}", module.RtfmInterfaceName.OID.String()),
		metrics.OfReader:    discovery("readers", "Readers", "{#NAME}", module.FlowReaderOwner.OID.String(), "{#RULESET}", module.FlowReaderRuleSet.OID.String()),
	}
	for _, m := range metrics.OverSNMP() {
		if rule := rules[m.Of]; rule != nil {
			rule.Items = append(rule.Items, item(&m, m.Object.OID.String()+".{#SNMPINDEX}", "[{#SNMPINDEX}]", "{#NAME}: "))
		} else {
			t.Items = append(t.Items, item(&m, m.Object.At(0).String(), "", ""))
		}
	}
	readers := rules[metrics.OfReader]
	readers.Prototypes = []zabbixTrigger{trigger("reader late", fmt.Sprintf("last(%s)-last(%s)>%s", key("rtfm_meter_uptime_ticks"), key("rtfm_reader_last_time_ticks[{#SNMPINDEX}]"), readerAgeMacro),
		"{#NAME}: no collection of ruleset {#RULESET}", "HIGH")}
	t.Discoveries = []zabbixDiscovery{*rules[metrics.OfRuleSet], *rules[metrics.OfInterface], *readers}
	if flows != nil {
		t.Macros = append(t.Macros, zabbixMacro{ruleSetMacro, fmt.Sprint(flows.RuleSet), "The ruleset whose flows are found."})
		t.Discoveries = append(t.Discoveries, flows.discovery())
	}
	all := struct {
		Export zabbixExport `json:"zabbix_export"`
	}{zabbixExport{"7.0", []zabbixGroup{{uuid("group"), "Templates/rtfm"}}, []zabbixTemplate{t}, []zabbixTrigger{
		trigger("table fills", fmt.Sprintf("min(%s,5m)>%s*last(%s)", key("rtfm_flows"), fillMacro, key("rtfm_flow_table_size")), "rtfm: the flow table fills", "WARNING"),
	}}}
	return writeYAML(w, all)
}

// key returns how triggers name an item.
func key(of string) string { return "/" + templateName + "/" + of }

func trigger(id, expression, name, priority string) zabbixTrigger {
	return zabbixTrigger{uuid("trigger " + id), expression, name, priority}
}

// item returns the item of a metric: what stands behind its key, and before its name, is
// empty unless it is a prototype.
func item(m *metrics.Metric, oid, index, before string) zabbixItem {
	i := zabbixItem{
		UUID: uuid("item " + m.Name), Name: before + strings.TrimSuffix(m.Help, "."), Type: "SNMP_AGENT", OID: "get[" + oid + "]", Key: m.Name + index,
	}
	switch m.Kind {
	case metrics.Counts:
		i.ValueType, i.Preprocessing = "FLOAT", []zabbixStep{{"CHANGE_PER_SECOND", []string{""}}}
		i.Name += ", per second"
		switch {
		case strings.Contains(m.Name, "_packets_"):
			i.Units = "pps"
		case strings.Contains(m.Name, "_octets_"):
			i.Units = "Bps"
		}
	case metrics.Ticks:
		i.Preprocessing, i.Units = []zabbixStep{{"MULTIPLIER", []string{"0.01"}}}, "uptime"
		i.Name = strings.TrimSuffix(i.Name, ", in hundredths of a second")
	case metrics.Truth:
		i.ValueMap = &zabbixGroup{Name: truthValue}
	}
	alarm := alarms[m.Name]
	if alarm.expression == "" {
		return i
	}
	at := "rtfm: "
	if before != "" {
		at = before
	}
	one := []zabbixTrigger{trigger(m.Name, fmt.Sprintf(alarm.expression, key(i.Key)), at+alarm.name, alarm.priority)}
	if before != "" {
		i.Prototypes = one
	} else {
		i.Triggers = one
	}
	return i
}

// discovery returns a rule that finds the rows of columns: macros and OIDs in turn.
func discovery(id, name string, macros ...string) *zabbixDiscovery {
	return &zabbixDiscovery{
		UUID: uuid("discovery " + id), Name: name, Type: "SNMP_AGENT", OID: "discovery[" + strings.Join(macros, ",") + "]",
		Key: "rtfm." + id, Delay: "5m",
	}
}

// discovery returns a rule that finds the flows.
func (f *Flows) discovery() zabbixDiscovery {
	var macros, names []string
	for _, a := range f.By {
		macro := "{#" + strings.ToUpper(label(a)) + "}"
		macros = append(macros, macro, column(a)+"."+ruleSetMacro)
		names = append(names, a.String()+" "+macro)
	}
	d := discovery("flows", "Flows of ruleset "+ruleSetMacro, macros...)
	for _, c := range counted {
		m := metrics.Metric{Name: c.name, Help: c.help}
		d.Items = append(d.Items, item(&m, column(c.Attr)+"."+ruleSetMacro+".{#SNMPINDEX}", "["+ruleSetMacro+".{#SNMPINDEX}]", strings.Join(names, ", ")+": "))
	}
	return *d
}

// uuid returns a UUID of version 4 (RFC 9562 section 5.4) that is always the same for an
// identifier, in the form that Zabbix has.
func uuid(id string) string {
	b := sha256.Sum256([]byte("rtfm zabbix " + id))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return hex.EncodeToString(b[:16])
}
