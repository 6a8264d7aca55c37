package acceptance

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// awkColumns are those of flow data by allFlows, as awk counts them, and as they are
// called by rtfm.
const awkColumns = `FlowRuleSet FlowIndex FirstTimeNs SourcePeerType SourcePeerAddress DestPeerAddress ` +
	`SourceTransType SourceTransAddress DestTransAddress ToPDUs FromPDUs ToOctets FromOctets LastActiveTimeNs`

// awkPlace returns what a column is in awk.
func awkPlace(name string) string {
	return fmt.Sprintf("$%d", slices.Index(strings.Fields(awkColumns), name)+1)
}

// awkFunctions are for addresses: the network of IPv4 ones, and whether one is in it.
const awkFunctions = `
function network(a, width,   o, n, i, size) {
	if (split(a, o, ".") != 4) return a == "0" ? "" : a
	for (i = 1; i <= 4; i++) n = n * 256 + o[i]
	size = 2 ^ (32 - width); n -= n % size
	return int(n / 16777216) "." int(n / 65536) % 256 "." int(n / 256) % 256 "." n % 256 "/" width
}
function address(a) { return a == "0" ? "" : a }
function value(n) { return n == 0 ? "" : n }
`

// An awkKey is a key of rtfm, and the same in awk, for each end of a flow.
type awkKey struct{ name, awk, other string }

func awkKeys() (keys []awkKey) {
	for _, name := range []string{"SourcePeerType", "SourceTransType", "SourceTransAddress", "DestTransAddress"} {
		value := "value(" + awkPlace(name) + ")" // text does not tell 0 from nothing
		keys = append(keys, awkKey{name, value, value})
	}
	source, dest := awkPlace("SourcePeerAddress"), awkPlace("DestPeerAddress")
	keys = append(keys,
		awkKey{"SourcePeerAddress", "address(" + source + ")", "address(" + source + ")"},
		awkKey{"DestPeerAddress", "address(" + dest + ")", "address(" + dest + ")"},
		awkKey{"Host", "address(" + source + ")", "address(" + dest + ")"},
	)
	for _, width := range []string{"8", "20", "24"} {
		keys = append(keys,
			awkKey{"SourcePeerAddress/" + width, "network(" + source + ", " + width + ")", "network(" + source + ", " + width + ")"},
			awkKey{"Host/" + width, "network(" + source + ", " + width + ")", "network(" + dest + ", " + width + ")"})
	}
	return keys
}

// awkTests are tests of a flow record, and the same in awk. octets, pdus and the
// like are what the interval added.
func awkTests(rnd *rand.Rand) (expr, awk string) {
	n := func(most int) string { return fmt.Sprint(rnd.IntN(most)) }
	source, dest := awkPlace("SourcePeerAddress"), awkPlace("DestPeerAddress")
	proto, from, to := awkPlace("SourceTransType"), awkPlace("SourceTransAddress"), awkPlace("DestTransAddress")
	most, width := n(3000), []string{"8", "16"}[rnd.IntN(2)]
	port := []string{"80", "443", "53", n(65536)}[rnd.IntN(4)]
	net := map[string]string{"8": "10.0.0.0/8", "16": "192.168.0.0/16"}[width]
	tests := [][2]string{
		{"Octets > " + most, "octets > " + most}, {"PDUs <= 10", "pdus <= 10"}, {"ToOctets >= 1k", "toOctets >= 1000"},
		{"FromPDUs != 0", "fromPDUs != 0"}, {"Duration < 1.5", awkPlace("LastActiveTimeNs") + " - " + awkPlace("FirstTimeNs") + " < 1.5e9"},
		{"SourceTransType == tcp", proto + " == 6"}, {"SourceTransType == (udp, icmp)", "(" + proto + " == 17 || " + proto + " == 1)"},
		{"DestTransAddress == " + port, to + " == " + port}, {"SourceTransAddress >= 1024", from + " >= 1024"},
		{"Port == " + port, "(" + from + " == " + port + " || " + to + " == " + port + ")"},
		{"SourcePeerAddress == " + net, "network(" + source + ", " + width + `) == "` + net + `"`},
		{"DestPeerAddress != " + net, "network(" + dest + ", " + width + `) != "` + net + `"`},
	}
	pick := func() [2]string { return tests[rnd.IntN(len(tests))] }
	a, b, c := pick(), pick(), pick()
	switch rnd.IntN(4) {
	case 0:
		return a[0], a[1]
	case 1:
		return a[0] + " && " + b[0], a[1] + " && " + b[1]
	case 2:
		return "! " + a[0] + " || " + b[0], "!(" + a[1] + ") || " + b[1]
	}
	return a[0] + " || " + b[0] + " && !(" + c[0] + ")", a[1] + " || " + b[1] + " && !(" + c[1] + ")"
}

// awkProgram prints key, records, PDUs and octets of both directions, those that are
// sent and those that are received, of each group.
func awkProgram(keys []awkKey, test string) string {
	var one, other []string
	hosts := false
	for _, k := range keys {
		one, other = append(one, k.awk), append(other, k.other)
		hosts = hosts || strings.HasPrefix(k.name, "Host")
	}
	program := awkFunctions + `/^#/ { next } {
	id = FILENAME " " $1 " " $2 " " $3
	toPDUs = $10 - was[id, 1]; was[id, 1] = $10; fromPDUs = $11 - was[id, 2]; was[id, 2] = $11
	toOctets = $12 - was[id, 3]; was[id, 3] = $12; fromOctets = $13 - was[id, 4]; was[id, 4] = $13
	pdus = toPDUs + fromPDUs; octets = toOctets + fromOctets
	if (!(` + test + `)) next
	key = ` + strings.Join(one, ` "," `) + `
	records[key]++; allPDUs[key] += pdus; allOctets[key] += octets; sent[key] += toOctets; received[key] += fromOctets
`
	if hosts {
		program += `	first = key; key = ` + strings.Join(other, ` "," `) + `
	if (key != first) { records[key]++; allPDUs[key] += pdus; allOctets[key] += octets }
	sent[key] += fromOctets; received[key] += toOctets
`
	}
	return program + `}
END { for (key in records) printf "%s,%d,%.0f,%.0f,%.0f,%.0f\n", key, records[key], allPDUs[key], allOctets[key], sent[key], received[key] }`
}

// TestTopIsAsAwk compares sums of rtfm flows top by random keys, of random records,
// with those that awk makes of the same flow data: that of traces, at intervals.
func TestTopIsAsAwk(t *testing.T) {
	dir := tracetest.Require(t, "traces")
	awk, err := exec.LookPath("awk")
	if err != nil {
		tracetest.Missing(t, "awk", err)
	}
	files := meterAll(t, filepath.Join(dir, "traces"))
	rnd := rand.New(rand.NewPCG(3, 4))
	all, rows := awkKeys(), 0
	for range 20 {
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		keys := slices.Clone(all[:1+rnd.IntN(3)])
		expr, test := awkTests(rnd)
		var names []string
		for _, k := range keys {
			names = append(names, k.name)
		}
		by := strings.Join(names, ",")
		cmd := exec.Command(awk, append([]string{awkProgram(keys, test)}, files...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		want, err := cmd.Output()
		if err != nil {
			t.Fatalf("awk: %v", err)
		}
		var out, errs bytes.Buffer
		if status := runMain(append([]string{"flows", "top", "--all", "--csv", "--numeric", "--by", by, expr}, files...), nil, &out, &errs); status != 0 {
			t.Fatalf("%s: exit status %d: %s", expr, status, &errs)
		}
		got := topOf(t, &out, len(keys))
		lines := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
		if len(want) == 0 {
			lines = nil
		}
		slices.Sort(lines)
		if !slices.Equal(got, lines) {
			t.Errorf("--by %s %q: %d rows, awk has %d: %s", by, expr, len(got), len(lines), firstDifference(got, lines))
		}
		rows += len(lines)
	}
	if rows < 500 {
		t.Errorf("only %d rows were compared", rows)
	}
}

// meterAll returns the flow data of traces, all in the long form of the test.
func meterAll(t *testing.T, dir string) (files []string) {
	rules := filepath.Join(t.TempDir(), "all-flows.srl")
	if err := os.WriteFile(rules, []byte(allFlows), 0o666); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	for i, path := range filesBelow(t, dir) {
		if i%30 != 0 && !tracetest.Long() {
			continue
		}
		name := filepath.Join(to, fmt.Sprintf("%04d.flows", i))
		args := []string{"run", "-q", "-T", "5", "-r", rules, "--format", awkColumns, "-F", name, "--name", fmt.Sprint("trace", i), filepath.Join(dir, path)}
		runMain(args, nil, io.Discard, io.Discard) // which others test
		if st, err := os.Stat(name); err == nil && st.Size() > 0 {
			files = append(files, name)
		}
	}
	return files
}

// topOf returns the rows of rtfm flows top as awk prints them.
func topOf(t *testing.T, out io.Reader, keys int) (rows []string) {
	t.Helper()
	all, err := csv.NewReader(out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	place := func(names ...string) int {
		return slices.IndexFunc(all[0], func(h string) bool { return slices.Contains(names, h) })
	}
	sums := []int{
		place("Records"), place("PDUs"), place("Octets"), place("ToOctets", "SentOctets"), place("FromOctets", "ReceivedOctets"),
	}
	for _, row := range all[1:] {
		fields := slices.Clone(row[:keys])
		for i := range fields {
			if fields[i] == "0" {
				fields[i] = ""
			}
		}
		for _, i := range sums {
			fields = append(fields, row[i])
		}
		rows = append(rows, strings.Join(fields, ","))
	}
	slices.Sort(rows)
	return rows
}

// firstDifference returns the first lines that are only in one of two sorted lists.
func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("%q, %q", got[i], want[i])
		}
	}
	return "one ends early"
}
