package acceptance

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// homeQuery matches a query of docs/HOME.md and what it answers there.
var homeQuery = regexp.MustCompile("(?m)^### (\\d+)\\. .*\n(?:[^#`].*\n|\n)*?```sql\n((?:.*\n)+?)```\n\n```text\n((?:.*\n)+?)```$")

// TestHome runs the queries of docs/HOME.md against a server that has the flows of two
// traces: they answer what the document shows, and half of them what other programs say.
func TestHome(t *testing.T) {
	t.Parallel()
	c := newClickHouse(t, "")
	c.start(t)
	c.query(t, "CREATE DATABASE net")
	text, err := os.ReadFile("docs/HOME.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeDocFiles(t, dir, string(text))
	one, two := meterHome(t, dir, "gw1", "traces/testdata/provider.pcap.gz"), meterHome(t, dir, "gw2", "traces/testdata/sample.pcap")
	forget(t, two, 2)
	succeed(t, "flows", "convert", one, two, "clickhouse://rtfm@"+c.address+"/net/flows?create&password-file="+c.passwordFile())
	answers := map[string][][]string{}
	for _, m := range homeQuery.FindAllStringSubmatch(string(text), -1) {
		got := c.query(t, m[2]+" FORMAT TabSeparatedWithNames")
		var rows [][]string
		var table strings.Builder
		for line := range strings.Lines(got) {
			cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			rows = append(rows, cells)
			fmt.Fprintln(&table, strings.Join(cells, " "))
		}
		answers[m[1]] = rows[1:]
		if spaces.ReplaceAllString(m[3], " ") != table.String() {
			t.Errorf("question %s is answered\n%s\nnot\n%s", m[1], &table, m[3])
		}
	}
	if len(answers) != 10 {
		t.Fatalf("%d questions", len(answers))
	}
	checkHome(t, answers, homeFlows(t, one), homeFlows(t, two))
}

var spaces = regexp.MustCompile(" {2,}")

// meterHome meters a trace by the rulesets of docs/HOME.md, and returns the name of the
// file of flow data.
func meterHome(t *testing.T, dir, meter, trace string) string {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, meter), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, meter+".json")
	customers, err := filepath.Abs("traces/testdata/customers.csv")
	if err != nil {
		t.Fatal(err)
	}
	succeed(t, "run", "-q", "-r", filepath.Join(dir, "home.srl"), "-r", "ruleset/examples/customers.srl", "-D", `list=file("`+customers+`")`,
		"-T", "60", "--align", "utc", "--json", "-F", file, filepath.Join(dir, meter))
	return file
}

// forget takes a collection out of a file.
func forget(t *testing.T, file string, nth int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	starts := regexp.MustCompile(`(?m)^{"record":"start"`).FindAllIndex(text, nth+1)
	text = slices.Delete(text, starts[nth-1][0], starts[nth][0])
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// homeFlow is what the questions ask of a flow.
type homeFlow struct {
	RuleSetName, SourcePeerAddress, DestPeerAddress, SourcePeerAddressName  string
	SourceTransType, DestTransAddress, IntervalStartNs, IntervalEndNs       int64
	FirstTimeNs, DeltaToOctets, DeltaFromOctets, DeltaToPDUs, DeltaFromPDUs int64
	DeltaToRetransmittedPDUs, DeltaFromRetransmittedPDUs                    int64
}

func homeFlows(t *testing.T, file string) (all []homeFlow) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, `{"record":"flow",`); ok {
			var f homeFlow
			if err := json.Unmarshal([]byte("{"+rest), &f); err != nil {
				t.Fatal(err)
			}
			all = append(all, f)
		}
	}
	return all
}

// checkHome compares answers with what is counted from the files without a database.
func checkHome(t *testing.T, answers map[string][][]string, one, two []homeFlow) {
	t.Helper()
	pairs, sent, received := map[string]int64{}, map[string]int64{}, map[string]int64{}
	rates := map[string]map[int64]float64{}
	first, ends, retransmitted, packets := map[string]int64{}, map[int64]bool{}, int64(0), int64(0)
	for _, f := range one {
		ends[f.IntervalEndNs] = true
		name := f.SourcePeerAddressName
		if f.RuleSetName == "customers" {
			sent[name] += f.DeltaToOctets
			received[name] += f.DeltaFromOctets
			if rates[name] == nil {
				rates[name] = map[int64]float64{}
			}
			rates[name][f.IntervalEndNs] += float64(f.DeltaFromOctets) * 8e9 / float64(f.IntervalEndNs-f.IntervalStartNs)
			continue
		}
		pairs[f.SourcePeerAddress+" "+f.DestPeerAddress] += f.DeltaToOctets + f.DeltaFromOctets
		if was, ok := first[f.SourcePeerAddress]; !ok || f.FirstTimeNs < was {
			first[f.SourcePeerAddress] = f.FirstTimeNs
		}
	}
	for _, f := range slices.Concat(one, two) {
		if f.DestPeerAddress == answers["6"][0][0] && f.SourceTransType == 6 {
			retransmitted += f.DeltaToRetransmittedPDUs + f.DeltaFromRetransmittedPDUs
			packets += f.DeltaToPDUs + f.DeltaFromPDUs
		}
	}
	most := slices.SortedFunc(maps.Keys(pairs), func(a, b string) int { return int(pairs[b] - pairs[a]) })
	for i, row := range answers["1"] {
		if got := homeNumber(t, row[2]) + homeNumber(t, row[3]); row[0]+" "+row[1] != most[i] || got != pairs[most[i]] {
			t.Errorf("talker %d is %q, want %s with %d", i+1, row, most[i], pairs[most[i]])
		}
	}
	for _, row := range answers["2"] {
		all := slices.Collect(maps.Values(rates[row[0]]))
		for len(all) < len(ends) {
			all = append(all, 0)
		}
		slices.Sort(all)
		if want := all[len(all)-1-len(all)/20]; row[2] != strconv.FormatFloat(want, 'f', 0, 64) {
			t.Errorf("%q, want %f", row, want)
		}
	}
	for _, row := range answers["5"] {
		if homeNumber(t, row[1]) != sent[row[0]] || homeNumber(t, row[2]) != received[row[0]] {
			t.Errorf("%q, want %d and %d", row, sent[row[0]], received[row[0]])
		}
	}
	if len(answers["2"]) != len(sent) || len(answers["5"]) != len(sent) || len(sent) < 5 {
		t.Errorf("%d customers, %d have a percentile and %d a sum", len(sent), len(answers["2"]), len(answers["5"]))
	}
	const since = 1795421040000000000 // 2026-11-23 08:04:00
	fresh := 0
	for _, at := range first {
		if at >= since {
			fresh++
		}
	}
	if fresh != len(answers["4"]) {
		t.Errorf("%d new hosts, want %d", len(answers["4"]), fresh)
	}
	if want := fmt.Sprintf("%.2f", 100*float64(retransmitted)/float64(packets)); answers["6"][0][2] != want || homeNumber(t, answers["6"][0][1]) != packets {
		t.Errorf("%q, want %d packets and %s %%", answers["6"][0], packets, want)
	}
}

func homeNumber(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
