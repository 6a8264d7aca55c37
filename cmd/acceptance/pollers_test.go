package acceptance

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"rtfm/traces/tracetest"
)

// polledMeter returns a meter that has a flow for each connection of the sample, a reader,
// and serves numbers at a URL as well.
func polledMeter(t *testing.T) (m *meterProcess, url string) {
	t.Helper()
	m = meterAllFlows(t, nil, "--metrics", "0")
	reader := func(column int) string { return fmt.Sprintf("%s.1.3.1.%d.1", flowMIB, column) }
	m.must("snmpset", reader(6), "i", "5", reader(7), "i", "2", reader(3), "s", "pollster")
	m.must("snmpset", reader(6), "i", "1")
	found := regexp.MustCompile(`metrics are at (http://[^ "]*)`).FindStringSubmatch(m.printed())
	if found == nil {
		t.Fatal("nobody has told where the numbers are")
	}
	return m, found[1]
}

// snmpExporter runs snmp_exporter with a configuration, and returns what it tells of a
// module of a meter, by series.
func snmpExporter(t *testing.T, path, config, meter string) func(module string) map[string]float64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "snmp.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := tracetest.Address(t, "tcp")
	p := startBeside(t, exec.Command(path, "--config.file="+file, "--web.listen-address="+address))
	p.wait(20*time.Second, func(string) bool {
		r, err := http.Get("http://" + address + "/metrics")
		if err == nil {
			r.Body.Close()
		}
		return err == nil
	})
	return func(module string) map[string]float64 {
		t.Helper()
		samples, _ := scrape(t, fmt.Sprintf("http://%s/snmp?target=%s&module=%s", address, meter, module))
		maps.DeleteFunc(samples, func(name string, _ float64) bool { return strings.HasPrefix(name, "snmp_scrape_") })
		return samples
	}
}

// mibPrints returns what a command of rtfm mib prints.
func mibPrints(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("rtfm", append([]string{"mib"}, args...)...).Output()
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return string(out)
}

var (
	seriesLabels = regexp.MustCompile(`([a-zA-Z_]+)="([^"]*)"`)
	// onlyServed and onlyPolled are what --metrics or SNMP does not have.
	onlyServed = regexp.MustCompile(`^(process_start_time_seconds|rtfm_build_info|rtfm_memory_bytes|rtfm_flow_table_fill_ratio|rtfm_clock_synchronised|rtfm_reader_collection_age_seconds)`)
	onlyPolled = regexp.MustCompile(`^rtfm_(meter_uptime|reader_last_time)_ticks`)
)

// sameLabels returns samples without those of a kind, with labels in order; a trace's
// interface, which has no name, is known by its number.
func sameLabels(samples map[string]float64, without *regexp.Regexp) map[string]float64 {
	same := make(map[string]float64)
	for series, v := range samples {
		if without.MatchString(series) {
			continue
		}
		name, _, _ := strings.Cut(series, "{")
		series = strings.Replace(series, `ifIndex="1",interface=""`, `interface="1"`, 1)
		labels := seriesLabels.FindAllString(series, -1)
		slices.Sort(labels)
		same[fmt.Sprint(name, labels)] = v
	}
	return same
}

// TestSNMPExporter has Prometheus's snmp_exporter poll a meter by our modules: each number
// is what --metrics tells, and each flow what net-snmp reads.
func TestSNMPExporter(t *testing.T) {
	t.Parallel()
	exporter := tracetest.Require(t, "prometheus-snmp-exporter")
	m, url := polledMeter(t)
	config := mibPrints(t, "snmp-exporter", "--old", "--ruleset", "2", "--by", "SourcePeerAddress,DestTransAddress,SourceTransType")
	poll := snmpExporter(t, exporter, strings.ReplaceAll(config, "community: public", "community: reader"), m.address)
	polled := poll("rtfm")
	served, _ := scrape(t, url)
	got, want := sameLabels(polled, onlyPolled), sameLabels(served, onlyServed)
	if !maps.Equal(got, want) {
		t.Errorf("polled %v, served %v", got, want)
	}
	for name, v := range map[string]float64{"rtfm_packets_total": 2028, "rtfm_flood_mode": 0, `rtfm_counted_packets_total{name="default",ruleset="1"}`: 0, `rtfm_counted_packets_total{name="",ruleset="2"}`: 2028} {
		if n, is := polled[name]; !is || n != v {
			t.Errorf("%s is %v, want %v", name, n, v)
		}
	}
	if up := polled["rtfm_meter_uptime_ticks"]; up == 0 || polled[`rtfm_reader_last_time_ticks{owner="pollster",reader="1",ruleset="2"}`] > up {
		t.Error(polled)
	}
	m.must("snmpset", flowMIB+".1.9.0", "i", "1")
	if polled := poll("rtfm"); polled["rtfm_flood_mode"] != 1 || polled["rtfm_floods_total"] != 1 {
		t.Errorf("flood mode %v, %v", polled["rtfm_flood_mode"], polled["rtfm_floods_total"])
	}
	comparePolledFlows(t, m, poll("rtfm_flows"))

	// What later releases read is the same, but for the credentials, which are elsewhere.
	old := regexp.MustCompile(`(?m)^  (version|auth): ?.*\n(    community: .*\n)?`).ReplaceAllString(mibPrints(t, "snmp-exporter", "--old"), "")
	old = strings.Replace(regexp.MustCompile(`(?m)^[^#]`).ReplaceAllString(old, "  $0"), "  rtfm:\n", "modules:\n  rtfm:\n", 1)
	if now := mibPrints(t, "snmp-exporter"); now != old {
		t.Errorf("%s\nis not\n%s", now, old)
	}
}

// comparePolledFlows compares what was polled of ruleset 2 with its columns in flowDataTable.
func comparePolledFlows(t *testing.T, m *meterProcess, polled map[string]float64) {
	t.Helper()
	columns := make(map[string][]string)
	for name, a := range map[string]int{"source": 9, "dest": 22, "type": 11, "rtfm_flow_to_octets_total": 27, "rtfm_flow_to_packets_total": 28, "rtfm_flow_from_octets_total": 29, "rtfm_flow_from_packets_total": 30} {
		columns[name] = m.must("snmpbulkwalk -Ox", fmt.Sprintf("%s.2.1.1.%d.2", flowMIB, a))
	}
	want := make(map[string]float64)
	packets := 0.0
	for i := range columns["source"] {
		shown := func(column string) string { // as snmp_exporter shows octets, nothing if there are none
			_, text, _ := strings.Cut(columns[column][i], "Hex-STRING: ")
			if text = strings.ReplaceAll(text, " ", ""); text == "" {
				return ""
			}
			return "0x" + text
		}
		flow := regexp.MustCompile(`\.(\d+) = `).FindStringSubmatch(columns["source"][i])[1]
		_, kind, _ := strings.Cut(columns["type"][i], "INTEGER: ")
		for _, name := range []string{"rtfm_flow_to_packets_total", "rtfm_flow_from_packets_total", "rtfm_flow_to_octets_total", "rtfm_flow_from_octets_total"} {
			var n float64
			_, text, _ := strings.Cut(columns[name][i], "Counter64: ")
			fmt.Sscan(text, &n)
			want[fmt.Sprintf(`%s{dest_trans_address="%s",flow="%s",ruleset="2",source_peer_address="%s",source_trans_type="%s"}`, name, shown("dest"), flow, shown("source"), kind)] = n
			if strings.Contains(name, "packets") {
				packets += n
			}
		}
	}
	if packets != 2028 || !maps.Equal(polled, want) {
		t.Errorf("%v packets; polled %d %v, want %d %v", packets, len(polled), polled, len(want), want)
	}
}

// polledItem is an item, a rule that finds some, or a trigger of Zabbix's template.
type polledItem struct {
	UUID, Name, Type, Key, Expression string
	OID                               string       `yaml:"snmp_oid"`
	Delay                             string       `yaml:"delay"`
	Units                             string       `yaml:"units"`
	ValueType                         string       `yaml:"value_type"`
	Items                             []polledItem `yaml:"item_prototypes"`
	Triggers                          []polledItem `yaml:"triggers"`
	Prototypes                        []polledItem `yaml:"trigger_prototypes"`
}

// zabbixTemplate is what a test looks at of it.
type zabbixTemplate struct {
	Export struct {
		Version   string
		Groups    []polledItem `yaml:"template_groups"`
		Triggers  []polledItem
		Templates []struct {
			UUID, Template string
			Items          []polledItem
			Rules          []polledItem `yaml:"discovery_rules"`
			ValueMaps      []polledItem `yaml:"valuemaps"`
			Macros         []struct{ Macro, Value string }
		}
	} `yaml:"zabbix_export"`
}

// TestZabbixTemplate reads Zabbix's template: what a meter answers for each item and each
// rule, that triggers ask for items that there are, and that all identifiers are such.
func TestZabbixTemplate(t *testing.T) {
	t.Parallel()
	mibs, snmptranslate := tracetest.Require(t, "mibs"), tracetest.Require(t, "snmptranslate")
	text := mibPrints(t, "zabbix", "--ruleset", "2", "--by", "SourcePeerAddress,DestTransAddress")
	if again := mibPrints(t, "zabbix", "--ruleset", "2", "--by", "SourcePeerAddress,DestTransAddress"); again != text {
		t.Error("it is another one the second time")
	}
	var z zabbixTemplate
	if err := yaml.Unmarshal([]byte(text), &z); err != nil {
		t.Fatal(err)
	}
	if z.Export.Version != "7.0" || len(z.Export.Templates) != 1 {
		t.Fatalf("%+v", z)
	}
	template := z.Export.Templates[0]
	keys, tools := make(map[string]bool), make(map[string]string)
	triggers := slices.Clone(z.Export.Triggers)
	seen := map[string]bool{template.UUID: true}
	all := append(slices.Clone(template.Items), template.Rules...)
	for _, rule := range template.Rules {
		all = append(all, rule.Items...)
	}
	for _, i := range all {
		triggers = append(append(triggers, i.Triggers...), i.Prototypes...)
		if keys[i.Key] || i.Type != "SNMP_AGENT" {
			t.Errorf("%+v", i)
		}
		keys[i.Key] = true
		for _, oid := range regexp.MustCompile(`\b1(\.(\d+|\{[$#A-Z.]+\}))+`).FindAllString(i.OID, -1) {
			if tools[oid] = "snmpget"; len(i.Items) > 0 {
				tools[oid] = "snmpwalk"
			}
		}
		if !regexp.MustCompile(`^(get\[[^],]+\]|discovery(\[|,)(\{#[A-Z_]+\},[^],]+,?)+\])$`).MatchString(i.OID) {
			t.Errorf("OID %s", i.OID)
		}
	}
	for _, one := range slices.Concat(all, triggers, z.Export.Groups, template.ValueMaps) {
		if !regexp.MustCompile(`^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$`).MatchString(one.UUID) || seen[one.UUID] {
			t.Errorf("UUID %s of %s", one.UUID, one.Name)
		}
		seen[one.UUID] = true
	}
	for _, trigger := range triggers {
		asked := regexp.MustCompile(`/`+template.Template+`/([a-z_]+(\[[^]]*\])?)`).FindAllStringSubmatch(trigger.Expression, -1)
		for _, of := range asked {
			if !keys[of[1]] {
				t.Errorf("%s: there is no %s", trigger.Expression, of[1])
			}
		}
		if len(asked) == 0 || strings.Count(trigger.Expression, "(") != strings.Count(trigger.Expression, ")") {
			t.Errorf("%s asks for nothing", trigger.Expression)
		}
	}
	m, _ := polledMeter(t)
	walkTemplate(t, m, tools, mibs, snmptranslate)
}

// walkTemplate has a meter answer for OIDs of the template, each by a tool, and net-snmp
// find them in the MIBs.
func walkTemplate(t *testing.T, m *meterProcess, tools map[string]string, mibs, snmptranslate string) {
	t.Helper()
	args := []string{"-Td"}
	for oid, tool := range tools {
		// Rulesets, interfaces and readers have a first row 1, flows of ruleset 2 have 0.1.
		index := "1"
		if strings.Contains(oid, ".{$RTFM.RULESET}") {
			index = "0.1"
		}
		oid = "." + strings.NewReplacer("{$RTFM.RULESET}", "2", "{#SNMPINDEX}", index).Replace(oid)
		for _, line := range m.must(tool, oid) {
			if !strings.HasPrefix(line, oid) || strings.Contains(line, "No Such") {
				t.Errorf("%s %s: %s", tool, oid, line)
			}
		}
		args = append(args, oid)
	}
	own, err := filepath.Abs("mib")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(snmptranslate, args...)
	c.Env = append(os.Environ(), "MIBDIRS="+mibs+":"+own, "MIBS=FLOW-METER-MIB:RTFM-EXTENSION-MIB")
	out, err := c.CombinedOutput()
	if n := bytes.Count(out, []byte("MAX-ACCESS\tread-")); err != nil || n != len(tools) {
		t.Errorf("%d of %d OIDs are readable objects: %v: %s", n, len(tools), err, out)
	}
}
