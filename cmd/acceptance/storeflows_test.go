package acceptance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// originRules save what packets have, in all kinds of ways. Those of the first kind save
// all that they test; of the others flows alone do not tell all of their packets.
var originRules = []struct {
	program []string
	ruled   bool
}{
	{program: []string{"-r", "@flows"}},
	{program: []string{"-r", "@networks"}},
	{program: []string{"-r", "@ports"}},
	{program: []string{"-r", "@macs"}},
	{program: []string{"-r", "@dscp"}},
	{program: []string{"-e", "save SourcePeerType; save SourcePeerAddress /17; save DestPeerAddress & 255.0.255.1; save DestTransAddress /6; count;"}},
	{program: []string{"-e", "save SourceAdjacentAddress /24; save VLANid; save Priority; save SourceInterface; save TunnelKind; save InnerDestTransAddress; count;"}},
	{program: []string{"-e", "save SourcePeerType; if SourcePeerType == IPv4 { save SourcePeerAddress; } else if SourcePeerType == IPv6 { save DestPeerAddress; } save HopLimit; count;"}},
	{[]string{"-r", "@services"}, true},
	{[]string{"-r", "@conversations"}, true},
	{[]string{"-e", "if SourceTransType == tcp { store FlowKind := 'T'; save FlowKind; } save DestPeerAddress = 10.0.0.0/8; save DSCodePoint & 60; if MatchingStoD == 1 nomatch; count;"}, true},
	{[]string{"-r", "@hosts", "-r", "@icmp"}, true},
}

// TestStoreFlows gets the packets of all flows that rulesets have counted, of traces of
// all kinds: metered again they are the same flows. So are those of single flows.
func TestStoreFlows(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join(tracetest.Require(t, "traces"), "traces", "*", "*.pcap*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no traces: %v", err)
	}
	compared := 0
	for i, name := range names {
		if !tracetest.Long() && i%90 != 7 || strings.HasSuffix(name, "/libtrace/complex.pcapng") { // the store has other numbers of its interfaces
			continue
		}
		trace := filepath.Join(t.TempDir(), "trace.pcapng")
		if status := runMain([]string{"trace", "convert", "-q", name, trace}, nil, new(bytes.Buffer), new(bytes.Buffer)); status != 0 {
			continue // damaged, or none
		}
		var about strings.Builder
		runMain([]string{"trace", "info", "--json", trace}, nil, &about, &about)
		late := numberIn(t, `"early_most_ns":(\d+)`, about.String())
		if late > int(time.Minute) {
			continue // packets that are later than that are not found, docs/STORE.md
		}
		dir := storeOf(t, trace)
		for j := range originRules {
			if !tracetest.Long() && (i/90+j)%3 != 0 {
				continue
			}
			rules := originRules[j].program
			origin := compareOrigin(t, name, dir, trace, rules, originRules[j].ruled, late > 0)
			compared += origin
		}
		os.RemoveAll(dir)
	}
	if compared < 30 {
		t.Errorf("only %d were compared", compared)
	}
}

// metered returns the flows of a trace as JSON lines in a file, and as CSV without what
// tells where they are from.
func metered(t *testing.T, trace string, rules []string) (lines, rows string) {
	t.Helper()
	lines = filepath.Join(t.TempDir(), "flows.json")
	args := append([]string{"run", "-q", "--trust-times", trace}, rules...)
	var out, stderr strings.Builder
	if status := runMain(append(args, "--json", "-F", lines), nil, &out, &stderr); status != 0 {
		t.Fatalf("%q: exit status %d: %s", args, status, stderr.String())
	}
	if status := runMain(append(args, "--csv"), nil, &out, &stderr); status != 0 {
		t.Fatalf("%q: exit status %d: %s", args, status, stderr.String())
	}
	return lines, withoutMeter(out.String(), "EpochNs", "FirstTime", "LastActiveTime", "IntervalStartNs", "IntervalEndNs")
}

// compareOrigin gets the packets of the flows that rulesets make of a trace, of which dir
// is the store, and returns 1 if there were any.
func compareOrigin(t *testing.T, name, dir, trace string, rules []string, ruled, late bool) int {
	t.Helper()
	lines, want := metered(t, trace, rules)
	if strings.Count(readText(t, lines), `"record":"flow"`) == 0 {
		return 0
	}
	var args []string
	if ruled {
		args = append(args, rules...)
	}
	got, told, err := origin(t, dir, append(args, "--flows", lines)...)
	if err != nil && strings.Contains(told, "it has saved nothing that packets have") {
		args = append(args, rules...)
		got, _, err = origin(t, dir, append(args, "--flows", lines)...) // all packets without addresses
	}
	if err != nil {
		t.Errorf("%s: %q: %v: %s", name, rules, err, told)
		return 0
	}
	if _, again := metered(t, got, rules); again != want {
		t.Errorf("%s: %q: metering the packets of the flows has\n%.800s\nwant\n%.800s", name, rules, again, want)
	}
	if err == nil && len(rules) == 2 { // of several rulesets each makes flows of them
		times := []string{`"FirstTimeNs"`, `"LastActiveTimeNs"`}
		if late {
			times = nil // alone none of its packets is late
		}
		compareSingle(t, name, dir, lines, args, rules, times...)
	}
	return 1
}

// compareSingle gets the packets of each of up to eight flows: there are as many as it has
// counted, in each direction, and they are its, so that metering has it again, with these
// members of its record, too.
func compareSingle(t *testing.T, name, dir, lines string, args, rules []string, members ...string) {
	t.Helper()
	var flows []string
	for line := range strings.Lines(readText(t, lines)) {
		switch {
		case !strings.HasPrefix(line, `{"record":"flow"`):
		case strings.Contains(line, `"SourcePeerType":13,`), strings.HasSuffix(name, "/wpa-Induction.pcap.gz"), strings.HasSuffix(name, "/nflog-http.pcap"):
			// Some packets have no addresses, others do: a flow of the former does not
			// say so in JSON, and packets of both are got.
		default:
			flows = append(flows, line)
		}
	}
	for i := 0; i < len(flows); i += 1 + len(flows)/8 {
		one := filepath.Join(t.TempDir(), "one.json")
		if err := os.WriteFile(one, []byte(flows[i]), 0o600); err != nil {
			t.Fatal(err)
		}
		got, told, err := origin(t, dir, append(args, "--flows", one)...)
		if err != nil {
			t.Errorf("%s: %q: %v: %s", name, rules, err, told)
			continue
		}
		again, _ := metered(t, got, rules)
		text := readText(t, again)
		for _, member := range append(members, `"ToPDUs"`, `"FromPDUs"`, `"ToOctets"`, `"FromOctets"`) {
			if want := numberIn(t, member+`:(\d+)`, flows[i]); strings.Count(text, `"record":"flow"`) != 1 || numberIn(t, member+`:(\d+)`, text) != want {
				t.Errorf("%s: %q: the packets of\n%shave\n%.2000s", name, rules, flows[i], text)
				break
			}
		}
	}
}

// origin gets packets of flows from a store.
func origin(t *testing.T, dir string, args ...string) (trace, told string, err error) {
	t.Helper()
	trace = filepath.Join(t.TempDir(), "got.pcapng")
	var stderr strings.Builder
	if status := runMain(append([]string{"store", "get", dir, "-w", trace}, args...), nil, &stderr, &stderr); status != 0 && status != 4 { // what the trace says was lost is no concern here
		err = fmt.Errorf("exit status %d", status)
	}
	return trace, stderr.String(), err
}

// TestStoreRows gets the packets of rows that flows were added up in: as many as each
// row has.
func TestStoreRows(t *testing.T) {
	t.Parallel()
	dir := storeOf(t, providerTrace)
	lines, _ := metered(t, providerTrace, []string{"-r", "@flows"})
	rows := 0
	for _, args := range [][]string{
		{"run", "-q", "--json", providerTrace, "-r", "@conversations", "--by", "SourcePeerAddress,DestPeerAddress,SourceTransType"},
		{"flows", "top", "--json", lines},
		{"flows", "top", "--json", "--numeric", "--by", "Host", lines},
		{"flows", "top", "--json", "--by", "Host/24", lines},
		{"flows", "top", "--json", "--by", "SourceTransType,Port", lines},
		{"flows", "top", "--json", "--by", "SourcePeerAddress/16,DestTransAddress", lines},
		{"flows", "top", "--json", "--by", "Host,DestTransAddress", lines},
	} {
		var out, stderr strings.Builder
		if status := runMain(args, nil, &out, &stderr); status != 0 {
			t.Fatalf("%q: exit status %d: %s", args, status, stderr.String())
		}
		for row := range strings.Lines(out.String()) {
			if n := strings.Count(row, "Address\"") + strings.Count(row, "Host\"") + strings.Count(row, "Port\""); n == 0 {
				continue // of all that has no such thing
			}
			var told strings.Builder
			status := runMain([]string{"store", "get", dir, "-w", filepath.Join(t.TempDir(), "got.pcap"), "--flows", "-"}, strings.NewReader(row), &told, &told)
			if want := numberIn(t, `"PDUs":(\d+)`, row); status != 0 || !strings.HasPrefix(told.String(), fmt.Sprintf("%d packet", want)) {
				t.Errorf("%q: exit status %d: %s, of\n%s", args, status, told.String(), row)
			}
			rows++
		}
	}
	if rows < 40 {
		t.Errorf("only %d rows", rows)
	}
}

// TestStoreMost gets no more packets than there is room for, and says so.
func TestStoreMost(t *testing.T) {
	t.Parallel()
	dir := storeOf(t, providerTrace)
	for most, want := range map[int]string{10_000: "not complete: it ends behind the one of 2026-11-23T07:59:", 1: "not complete: it ends before the first one", 1 << 30: "; complete"} {
		got, told, err := origin(t, dir, "--max", fmt.Sprint(most), "udp")
		if err != nil || !strings.Contains(told, want) {
			t.Errorf("%d octets: %v: %s", most, err, told)
		}
		octets := 0
		for line := range strings.Lines(tsharkPackets(t, got, "")) {
			octets += numberIn(t, `\t(\d+)\t[^\t]*$`, line)
		}
		if octets > most || most == 10_000 && octets < 9000 {
			t.Errorf("%d octets, %d may be", octets, most)
		}
	}
}

// TestStoreFlowsFound gets flows of a store of several chunks, whose packets come up to
// 50 ms late: only chunks that have them, or packets that may be later than theirs, are
// read, and they are the flows as they were metered.
func TestStoreFlowsFound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var all []traces.Packet
	for n := range 12_000 {
		flow := n/600 + rng.IntN(2) // two at a time
		frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(fmt.Sprintf("10.0.%d.1", flow), "192.0.2.1").UDP(1000, 53).Payload(400).Bytes()
		at := tracetest.Start + int64(n)*1_000_000 - rng.Int64N(50_000_000)
		all = append(all, traces.Packet{Time: at, Link: traces.LinkEthernet, Data: frame, Wire: uint32(len(frame))})
	}
	trace := filepath.Join(t.TempDir(), "late.pcap")
	if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, all...), 0o600); err != nil {
		t.Fatal(err)
	}
	dir, rules := storeOf(t, trace), []string{"-r", "@flows"}
	lines, _ := metered(t, trace, rules)
	compareSingle(t, trace, dir, lines, nil, rules) // but for times: alone none of them is late
	_, told, _ := origin(t, dir, "--flows", lines)
	chunks := numberIn(t, `of (\d+) chunks`, told)
	line, _, _ := strings.Cut(readText(t, lines)[strings.Index(readText(t, lines), `{"record":"flow"`):], "\n")
	one := filepath.Join(t.TempDir(), "one.json")
	if err := os.WriteFile(one, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	_, told, _ = origin(t, dir, "--flows", one)
	if read := numberIn(t, `of (\d+) chunk`, told); read > chunks/2 || chunks < 5 {
		t.Errorf("%d of %d chunks are read: %s", read, chunks, told)
	}
	indexes, _ := filepath.Glob(filepath.Join(dir, "*.idx"))
	for _, name := range indexes {
		os.Remove(name)
	}
	if _, again, _ := origin(t, dir, "--flows", one); numberIn(t, `(\d+) packets`, again) != numberIn(t, `(\d+) packets`, told) {
		t.Errorf("without an index: %s, with it: %s", again, told)
	}
}
