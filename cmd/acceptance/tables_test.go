package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tableRules returns a file of rules that saves the customers of a list, in a new
// folder, and the list.
func tableRules(t *testing.T, list string) (rules, table string) {
	t.Helper()
	dir := t.TempDir()
	rules, table = filepath.Join(dir, "customers.srl"), filepath.Join(dir, "customers.csv")
	const text = `define customers = file("customers.csv");
save SourcePeerAddress = customers; save DestTransAddress; count;
format FlowIndex FirstTime SourcePeerAddress SourcePeerMask DestTransAddress ToPDUs FromPDUs ToOctets;`
	for name, text := range map[string]string{rules: text, table: list} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return rules, table
}

// provider is a trace of the customers in its list.
const provider, providerList = "traces/testdata/provider.pcap.gz", "traces/testdata/customers.csv"

// TestTableNames meters a trace in process and by a meter over SNMP, and wants the
// same rows with the same names, whose octets are those of a search through the list
// for each address.
func TestTableNames(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile(providerList)
	if err != nil {
		t.Fatal(err)
	}
	rules, table := tableRules(t, string(list)+"# a name that CSV quotes\n198.51.100.0/24,\"isp, \"\"north\"\"\"\n")
	dir := t.TempDir()
	run, step, whole := filepath.Join(dir, "run"), filepath.Join(dir, "step"), filepath.Join(dir, "whole")
	metered := []string{"-q", "--json", "--name", "127.0.0.1", "-T", "60"}
	succeed(t, append([]string{"run", "-r", rules, "-F", run, provider}, metered...)...)
	port := freePort(t)
	meter := program(t, "meter", "-C", provider, "-T", "60", "-m", port)
	ends(t, program(t, "manager", "-C", "--json", "-r", rules, "-m", port, "-F", step, "127.0.0.1"))
	ends(t, meter)
	if a, b := behindFirst(t, run), behindFirst(t, step); a != b || !strings.Contains(a, `"SourcePeerAddressName":"isp, \"north\""`) {
		t.Errorf("rtfm run writes\n%s\nin step it is\n%s", a, b)
	}
	succeed(t, append([]string{"run", "-e", "save SourcePeerAddress; count;", "-F", whole, provider}, metered...)...)
	want := octetsByName(succeed(t, "flows", "top", "--csv", "--all", "--by", "SourcePeerAddress="+table, whole))
	rows := filepath.Join(dir, "rows.csv")
	succeed(t, "flows", "convert", "--to", "csv", "-F", rows, run)
	for _, name := range []string{run, rows} {
		if got := octetsByName(succeed(t, "flows", "top", "--csv", "--all", "--by", "SourcePeerAddress", name)); got != want {
			t.Errorf("%s has\n%s\na search finds\n%s", name, got, want)
		}
	}
}

// octetsByName returns the first and the Octets column of CSV.
func octetsByName(csv string) string {
	var b strings.Builder
	column := -1
	for line := range strings.Lines(csv) {
		fields := strings.Split(strings.TrimSpace(strings.ReplaceAll(line, "isp, ", "isp ")), ",")
		for i, f := range fields {
			if column < 0 && f == "Octets" {
				column = i
			}
		}
		b.WriteString(fields[0] + " " + fields[column] + "\n")
	}
	return b.String()
}
