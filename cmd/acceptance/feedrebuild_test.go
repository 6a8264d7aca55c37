package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// fedRulesets are those whose flows TestFeedRebuildsFlows rebuilds: one of all packets
// by both ends, one that leaves packets out and saves prefixes and what rules say.
var fedRulesets = []string{
	`save SourcePeerType; save SourcePeerAddress; save DestPeerAddress; save SourceTransType; save SourceTransAddress; save DestTransAddress;
save FlowID; save CommunityID; count;`,
	`if SourceTransType == udp && DestTransAddress == 53 { store FlowKind := 53; save FlowKind; }
else if SourceTransType == icmp ignore;
else store FlowClass := 7;
save FlowClass; save SourceInterface; save DestInterface; save SourcePeerAddress /24; save DestPeerAddress & 255.0.255.0; save SourceAdjacentAddress;
save DestAdjacentType; save DSCodePoint; save VLANid; save FlowID; save CommunityID; count;`,
}

// fedEvery is which of the collection's traces TestFeedRebuildsFlows takes, all of them if
// RTFM_LONG is set.
const fedEvery = 25

// TestFeedRebuildsFlows wants the flows that rtfm feed makes of a feed to be those that the
// same run has written, octet by octet, and nothing to be missing.
func TestFeedRebuildsFlows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var rules []string
	for i, text := range fedRulesets {
		name := filepath.Join(dir, fmt.Sprintf("rules%d.srl", i))
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		rules = append(rules, "-r", name)
	}
	traces, every := filepath.Join(tracetest.Require(t, "traces"), "traces"), fedEvery
	if tracetest.Long() {
		every = 1
	}
	flows, again := 0, 0
	for i, path := range filesBelow(t, traces) {
		if i%every != 0 {
			continue
		}
		n, more := rebuild(t, rules, filepath.Join(traces, path))
		flows, again = flows+n, again+more
	}
	t.Logf("%d flows were rebuilt, of which %d had ended and begun again", flows, again)
	if flows < 300 || again < 50 {
		t.Errorf("only %d flows were rebuilt, %d had begun again", flows, again)
	}
}

// rebuild meters a trace and compares what its feed says with its flow data. It returns
// how many flows there are, and rows of the feed beyond those.
func rebuild(t *testing.T, rules []string, trace string) (flows, again int) {
	dir := t.TempDir()
	fed, run, rebuilt := filepath.Join(dir, "fed"), filepath.Join(dir, "run"), filepath.Join(dir, "rebuilt")
	args := append([]string{"run", "-q", "--octets", "ip", "--json", "--feed", "file:" + fed, "-F", run, "--feed-idle", "5"}, rules...)
	var stderr bytes.Buffer
	if status := runMain(append(args, trace), nil, &stderr, &stderr); status == 1 || !fileThere(fed) || size(run) == 0 {
		return 0, 0 // it is no trace
	}
	stderr.Reset()
	if status := runMain([]string{"feed", "-q", "-F", rebuilt, fed}, nil, &stderr, &stderr); status != 0 {
		t.Errorf("%s: the feed's receiver ends with %d: %s", trace, status, stderr.String())
	}
	want, _ := flowRows(t, run)
	got, rows := flowRows(t, rebuilt)
	for key, row := range want {
		if row.last >= mostFed {
			return 0, 0
		}
		if got[key] == nil || *got[key] != *row {
			t.Errorf("%s: flow %s is\n%+v\nwant\n%+v", trace, key, got[key], *row)
			break
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d flows were rebuilt of %d", trace, len(got), len(want))
	}
	return len(want), rows - len(got)
}

// mostFed is the first time that NTP's 32 bits of seconds do not tell, if they begin in
// 1970, in nanoseconds since then.
const mostFed = (1 << 32) * 1_000_000_000

func fileThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fedRow is what a row tells of a flow, whatever its interval.
type fedRow struct {
	head, saved string // text before and behind the latest time
	last        int64
	counters    [8]uint64
}

// flowRow has a row from FlowIndex on. Uptimes are left out: a feed does not tell when
// the meter's was 0.
var flowRow = regexp.MustCompile(`"FlowRuleSet":\d+,|("FlowIndex":\d+),"FirstTime":\d+,"LastActiveTime":\d+(,"FirstTimeNs":\d+),"LastActiveTimeNs":(\d+)(.*),"ToPDUs":(\d+),"FromPDUs":(\d+),"ToOctets":(\d+),"FromOctets":(\d+),"DeltaToPDUs":(\d+),"DeltaFromPDUs":(\d+),"DeltaToOctets":(\d+),"DeltaFromOctets":(\d+)[,}]`)

var equalICMP = regexp.MustCompile(`"SourceTransType":1,"SourceTransAddress":3,.*"DestTransAddress":3,`)

// flowRows returns the flows of JSON lines, and how many rows they had: those of one flow
// that has ended and begun again are added up.
func flowRows(t *testing.T, path string) (flows map[string]*fedRow, rows int) {
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	flows = make(map[string]*fedRow)
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, `{"record":"flow"`) {
			continue
		}
		rows++
		m := flowRow.FindAllStringSubmatch(line, -1)
		if len(m) != 2 {
			t.Fatalf("%s: no row: %s", path, line)
		}
		row := &fedRow{head: m[0][0] + m[1][1] + m[1][2], saved: m[1][4]}
		row.last, _ = strconv.ParseInt(m[1][3], 10, 64)
		for i := range row.counters {
			row.counters[i], _ = strconv.ParseUint(m[1][5+i], 10, 64)
		}
		old := flows[row.head]
		if old == nil {
			flows[row.head] = row
			continue
		}
		// Who comes first has a say in the Community ID of ICMP whose type and code are
		// equal, and a flow that has begun again has somebody else come first.
		if old.saved != row.saved && !equalICMP.MatchString(row.saved) {
			t.Errorf("%s: two flows are %s: %s and %s", path, row.head, old.saved, row.saved)
		}
		old.last = max(old.last, row.last)
		for i, n := range row.counters {
			old.counters[i] += n
		}
	}
	return flows, rows
}
