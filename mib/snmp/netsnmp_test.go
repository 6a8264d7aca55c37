package snmp

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
	"rtfm/traces/tracetest"
)

// TestNetSNMP asks by net-snmp's own tools.
func TestNetSNMP(t *testing.T) {
	tracetest.Require(t, "snmpget")
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	table := rows(40)
	s := newServer(t, testConfig, table)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(ctx, conn); err != nil {
			t.Error(err)
		}
	})
	defer conn.Close()
	defer wg.Wait()
	defer cancel()

	dir := t.TempDir()
	patience := "20" // seconds
	run := func(version, community, tool string, args ...string) (string, error) {
		words := append(strings.Fields(tool), version, "-c", community, "-On", "-Oe", "-t", patience, "-r", "0", conn.LocalAddr().String())
		cmd := exec.Command(words[0], append(words[1:], args...)...)
		cmd.Env = append(os.Environ(), "MIBS=", "SNMPCONFPATH="+dir, "SNMP_PERSISTENT_DIR="+dir)
		var complaints strings.Builder
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil {
			out = append(out, complaints.String()...)
		}
		return strings.ReplaceAll(strings.TrimSpace(string(out)), "."+base, ""), err
	}
	for _, tt := range []struct {
		community, tool string
		args            []string
		want            string
	}{
		{"reader", "snmpget", []string{base + ".1.1", base + ".2.2", base + ".1.99", base + ".7.0"},
			".1.1 = STRING: \"row 1\"\n.2.2 = INTEGER: 2\n.1.99 = No Such Instance currently exists at this OID\n.7.0 = No Such Object available on this agent at this OID"},
		{"reader", "snmpgetnext", []string{base, base + ".1.40", base + ".2.40"},
			".1.1 = STRING: \"row 1\"\n.2.1 = INTEGER: 1\n.2.40 = No more variables left in this MIB View (It is past the end of the MIB tree)"},
		{"reader", "snmpbulkget -Cn1 -Cr2", []string{"1.3.6.1.2.1.1.3", base + ".1", base + ".2.8"},
			".1.3.6.1.2.1.1.3.0 = Timeticks: (123) 0:00:01.23\n.1.1 = STRING: \"row 1\"\n.2.9 = INTEGER: 9\n.1.2 = STRING: \"row 2\"\n.2.10 = INTEGER: 10"},
		{"writer", "snmpset", []string{base + ".2.1", "i", "71", base + ".1.2", "s", "new"}, ".2.1 = INTEGER: 71\n.1.2 = STRING: \"new\""},
		{"reader", "snmpget", []string{base + ".2.1", base + ".1.2"}, ".2.1 = INTEGER: 71\n.1.2 = STRING: \"new\""},
		{"reader", "snmpwalk", []string{"1.3.6.1.2.1"}, ".1.3.6.1.2.1.1.1.0 = STRING: \"a meter\"\n.1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.4.1.8072\n" +
			".1.3.6.1.2.1.1.3.0 = Timeticks: (123) 0:00:01.23\n.1.3.6.1.2.1.1.4.0 = STRING: \"me\"\n.1.3.6.1.2.1.1.5.0 = STRING: \"here\"\n" +
			".1.3.6.1.2.1.1.6.0 = STRING: \"a rack\"\n.1.3.6.1.2.1.1.7.0 = INTEGER: 72\n.1.3.6.1.2.1.1.8.0 = Timeticks: (0) 0:00:00.00\n" +
			".1.3.6.1.2.1.1.9.1.2.1 = OID: .1.3.6.1.4.1.8072.3\n.1.3.6.1.2.1.1.9.1.2.2 = OID: .1.3.6.1.4.1.8072.4\n" +
			".1.3.6.1.2.1.1.9.1.3.1 = STRING: \"metering\"\n.1.3.6.1.2.1.1.9.1.3.2 = STRING: \"more\"\n" +
			".1.3.6.1.2.1.1.9.1.4.1 = Timeticks: (0) 0:00:00.00\n.1.3.6.1.2.1.1.9.1.4.2 = Timeticks: (0) 0:00:00.00"},
	} {
		got, err := run("-v2c", tt.community, tt.tool, tt.args...)
		if err != nil || got != tt.want {
			t.Errorf("%s %q: %v\n%s\nwant\n%s", tt.tool, tt.args, err, got, tt.want)
		}
	}
	for _, tool := range []string{"snmpwalk", "snmpbulkwalk"} {
		var want []string
		for column, kind := range []string{"STRING", "INTEGER"} {
			for i := range 40 {
				vb, _ := table.Lookup(fmt.Sprintf("%s.%d.%d", base, column+1, i+1))
				if kind == "STRING" {
					want = append(want, fmt.Sprintf(".1.%d = STRING: %q", i+1, vb.Value.Octets))
				} else {
					want = append(want, fmt.Sprintf(".2.%d = INTEGER: %d", i+1, vb.Value.Int))
				}
			}
		}
		want = append(want, ".2.40 = No more variables left in this MIB View (It is past the end of the MIB tree)")
		if got, err := run("-v2c", "reader", tool, base); err != nil || got != strings.Join(want, "\n") {
			t.Errorf("%s: %v\n%s", tool, err, got)
		}
	}
	table.SetFaults(smitest.Faults{Commit: &smi.Error{Status: smi.CommitFailed, Index: 2}})
	for _, tt := range []struct {
		version, community, tool string
		args                     []string
		want                     []string
	}{
		{"-v2c", "reader", "snmpset", []string{base + ".2.1", "i", "5"}, []string{"noAccess", "Failed object: .2.1"}},
		{"-v2c", "writer", "snmpset", []string{base + ".2.1", "i", "5", base + ".1.2", "i", "5"}, []string{"wrongType", "Failed object: .1.2"}},
		{"-v2c", "writer", "snmpset", []string{base + ".2.1", "i", "5", base + ".2.2", "i", "5"}, []string{"commitFailed", "Failed object: .2.2"}},
		{"-v2c", "public", "snmpget", []string{base + ".2.1"}, []string{"Timeout"}},
		{"-v1", "reader", "snmpget", []string{base + ".2.1"}, []string{"Timeout"}},
	} {
		if patience = "20"; slices.Contains(tt.want, "Timeout") {
			patience = "0.5"
		}
		got, err := run(tt.version, tt.community, tt.tool, tt.args...)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(got, want) {
				t.Errorf("%s %s: %v\n%s\nwant %q", tt.tool, tt.version, err, got, want)
			}
		}
	}
	if st := s.Stats(); st.InBadVersions != 1 || st.InBadCommunityNames != 1 || st.InBadCommunityUses != 1 || st.InASNParseErrs != 0 {
		t.Errorf("counts %+v", st)
	}
}
