package acceptance

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rtfm/meter/series"
	"rtfm/reader/seriesfile"
	"rtfm/traces/tracetest"
)

// hostPairs has a flow for each pair of hosts that speak IPv4.
const hostPairs = `if SourcePeerType == ipv4 { save SourcePeerAddress; save DestPeerAddress; count; } else ignore;`

// seriesEvery is which of the collection's traces a test of series takes, all of them
// if RTFM_LONG is set.
const seriesEvery = 90

// seriesExceptions are traces with times of which tshark makes something else.
var seriesExceptions = map[string]string{
	"libtrace/complex.pcapng":   "simple packet blocks have no time: tshark tells none, the meter has the time before",
	"ndpi/fuzz-2021-10-13.pcap": "1,882,137,472 ns in a fraction, which the meter carries into the next second",
	"pcapplusplus/Pcap++Test/PcapExamples/file_heuristics/pcapng-example.pcapng.zst": "times behind 2262, which the meter holds at the last one that it can tell",
	"tcpdump/atm-oam-loopback-print-overrun.pcap":                                    "1,159,821,166 µs in a fraction: the meter adds them, tshark overflows",
}

// TestSeries compares the series of traces with what tshark tells of each packet, added
// up second by second, and their sums with the run's.
func TestSeries(t *testing.T) {
	if testing.Short() {
		t.Skip("runs tshark over some traces")
	}
	collection := tracetest.Require(t, "traces")
	tracetest.Require(t, "tshark")
	dir := filepath.Join(collection, "traces")
	every := seriesEvery
	if tracetest.Long() {
		every = 1
	}
	totals := allTotals(t, filepath.Join(collection, "truth", "TRUTH.tsv"))
	compared := 0
	for i, path := range filesBelow(t, dir) {
		rows := totals[path]
		if seriesExceptions[path] != "" || i%every != 0 || len(rows) == 0 || !strings.Contains(rows[0].fileType, "pcap") || slices.ContainsFunc(truthExceptions, func(e exception) bool { return e.trace == path }) {
			continue
		}
		t.Run(path, func(t *testing.T) {
			compared += compareSeries(t, filepath.Join(dir, path))
		})
	}
	t.Logf("%d seconds compared", compared)
	if compared < 50 {
		t.Errorf("only %d seconds were compared", compared)
	}
}

// compareSeries compares the series of a trace, and returns how many seconds it has.
func compareSeries(t *testing.T, trace string) int {
	file := filepath.Join(t.TempDir(), "series")
	_, summary := meterInTime(t, "run", "-e", hostPairs, "--trust-times", "-F", file+".flows", "--series", file, trace)
	got, sum := seriesOf(t, file)
	if packets, octets := summaryTotals(summary); packets != sum.PDUs || octets != sum.Octets {
		t.Errorf("the series has %d packets and %d octets, the summary %d and %d", sum.PDUs, sum.Octets, packets, octets)
	}
	out, _ := exec.Command("tshark", "-n", "-r", trace, "-T", "fields", "-E", "occurrence=f",
		"-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.protocols", "-e", "ip.src", "-e", "ip.dst").Output()
	want := wantedSeries(t, out)
	for _, second := range slices.Sorted(maps.Keys(want)) {
		if w := want[second]; got[second] == nil || *got[second] != *w {
			t.Errorf("second %d: %+v, want %+v", second, got[second], w)
			return len(want)
		}
		delete(got, second)
	}
	for second, row := range got {
		if row.PDUs > 0 || row.ActiveFlows > 0 || row.NewFlows > 0 {
			t.Errorf("second %d: %+v, want nothing", second, row)
		}
	}
	return len(want)
}

// seriesOf reads a series: what the one ruleset has by seconds, of which that of the
// interface is a part, and the sum.
func seriesOf(t *testing.T, file string) (seconds map[int64]*series.Row, sum series.Row) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seconds = make(map[int64]*series.Row)
	r := seriesfile.NewReader(bytes.NewReader(data))
	for {
		i, err := r.Next()
		if err == io.EOF {
			return seconds, sum
		} else if err != nil {
			t.Fatal(err)
		}
		var interfaces series.Row
		for _, row := range i.Rows {
			if row.IsInterface() {
				interfaces.Add(&row)
				continue
			}
			sum.Add(&row)
			row.RuleSet, row.Name, row.Unmatched = 0, "", 0
			seconds[i.From/1e9] = &row
		}
		if row := seconds[i.From/1e9]; len(i.Rows) > 0 && (row.PDUs != interfaces.PDUs || row.Octets != interfaces.Octets) {
			t.Errorf("%d: the interfaces have %+v, the ruleset %+v", i.From, interfaces, *row)
		}
	}
}

// wantedSeries adds up what tshark tells of packets.
func wantedSeries(t *testing.T, fields []byte) map[int64]*series.Row {
	want := make(map[int64]*series.Row)
	begun := make(map[string]int64) // pairs of hosts, and the latest second of each
	last := int64(0)
	for text := range strings.Lines(string(fields)) {
		f := strings.Split(strings.TrimRight(text, "\n"), "\t")
		whole, _, _ := strings.Cut(f[0], ".")
		at, err := strconv.ParseInt(whole, 10, 64)
		octets, err2 := strconv.ParseUint(f[1], 10, 64)
		if err != nil || err2 != nil {
			t.Fatalf("%q: %v %v", text, err, err2)
		}
		last = max(last, at)
		row := want[last]
		if row == nil {
			row = &series.Row{}
			want[last] = row
		}
		row.PDUs++
		row.Octets += octets
		if layers := strings.Split(f[2], ":"); slices.IndexFunc(layers, func(l string) bool { return l == "ip" || l == "ipv6" }) != slices.Index(layers, "ip") || f[3] == "" {
			row.Ignored++
			continue
		}
		pair := fmt.Sprint(min(f[3], f[4]), " ", max(f[3], f[4]))
		latest, known := begun[pair]
		if !known {
			row.NewFlows++
		}
		if !known || latest != last {
			row.ActiveFlows++
		}
		begun[pair] = last
	}
	flows := uint64(0)
	for _, second := range slices.Sorted(maps.Keys(want)) {
		flows += want[second].NewFlows
		want[second].Flows = flows
	}
	return want
}
