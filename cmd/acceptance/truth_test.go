package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// allFlows asks for every flow as finely as its headers allow.
const allFlows = `
save SourcePeerType;     save DestPeerType;
save SourcePeerAddress;  save DestPeerAddress;
save SourceTransType;    save DestTransType;
save SourceTransAddress; save DestTransAddress;
count;
`

// traceLimit is the time after which metering one trace of the collection, none
// of which is large, counts as hanging.
const traceLimit = time.Minute

// TestTruth meters every trace of a collection of real and hostile ones, which
// must end in time and in order, and compares what it counts with what other
// tools did: the totals of each, and the flows of those whose headers they could
// read. Exceptions stand in a table, each with its reason. There may be few, and
// those that are no longer needed must go.
func TestTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("meters some 1,400 traces")
	}
	collection := tracetest.Require(t, "traces")
	rules := filepath.Join(t.TempDir(), "all-flows.srl")
	if err := os.WriteFile(rules, []byte(allFlows), 0o666); err != nil {
		t.Fatal(err)
	}
	totals := allTotals(t, filepath.Join(collection, "truth", "TRUTH.tsv"))
	paths := filesBelow(t, filepath.Join(collection, "traces"))
	if len(paths) == 0 {
		t.Fatal("no traces")
	}

	results := make([]traceResult, len(paths))
	t.Run("traces", func(t *testing.T) {
		for i, path := range paths {
			t.Run(path, func(t *testing.T) {
				t.Parallel()
				results[i] = meterTrace(t, collection, path, rules, totals[path])
			})
		}
	})
	if t.Failed() {
		return
	}
	for _, wrong := range judge(results, truthExceptions) {
		t.Error(wrong)
	}
	withTotals, withFlows := 0, 0
	for _, r := range results {
		if r.totals {
			withTotals++
		}
		if r.flows {
			withFlows++
		}
	}
	t.Logf("%d traces metered, %d compared in totals, %d in flows; %d exceptions", len(results), withTotals, withFlows, len(truthExceptions))
}

// An exception tells in which aspects a trace differs from the truth, and why.
type exception struct {
	trace   string
	aspects []string
	reason  string
}

// judge compares the faults found in traces with the exceptions, and returns
// what is wrong.
func judge(results []traceResult, exceptions []exception) (wrong []string) {
	type finding struct{ trace, aspect string }
	excepted := map[finding]bool{}
	for _, e := range exceptions {
		for _, aspect := range e.aspects {
			f := finding{e.trace, aspect}
			if e.reason == "" || excepted[f] {
				wrong = append(wrong, fmt.Sprintf("%s: %s: exception without a reason, or twice", e.trace, aspect))
			}
			excepted[f] = true
		}
	}
	compared, exceptedTraces := 0, map[string]bool{}
	for _, r := range results {
		if r.flows {
			compared++
		}
		for aspect, fault := range r.faults {
			f := finding{r.trace, aspect}
			if !excepted[f] {
				wrong = append(wrong, fmt.Sprintf("%s: %s: %s", r.trace, aspect, fault))
				continue
			}
			delete(excepted, f)
			exceptedTraces[r.trace] = true
		}
	}
	for f := range excepted {
		wrong = append(wrong, fmt.Sprintf("%s: %s: agrees, or was not compared: the exception is not needed", f.trace, f.aspect))
	}
	if len(exceptedTraces)*100 > compared*3 {
		wrong = append(wrong, fmt.Sprintf("%d traces are excepted, more than 3 %% of %d", len(exceptedTraces), compared))
	}
	slices.Sort(wrong)
	return wrong
}

func TestJudge(t *testing.T) {
	differs := map[string]string{aspectFlows: "no such flow"}
	except := func(trace, aspect, reason string) exception { return exception{trace, []string{aspect}, reason} }
	agree := make([]traceResult, 40)
	for i := range agree {
		agree[i] = traceResult{trace: fmt.Sprint(i), flows: true}
	}
	for _, tc := range []struct {
		name       string
		results    []traceResult
		exceptions []exception
		wrong      int
	}{
		{"all agree", agree, nil, 0},
		{"one differs", append(agree, traceResult{trace: "x", faults: differs}), nil, 1},
		{"and is excepted", append(agree, traceResult{trace: "x", faults: differs}), []exception{except("x", aspectFlows, "because")}, 0},
		{"without a reason", append(agree, traceResult{trace: "x", faults: differs}), []exception{except("x", aspectFlows, "")}, 1},
		{"in another aspect", append(agree, traceResult{trace: "x", faults: differs}), []exception{except("x", aspectTimes, "because")}, 2},
		{"needless", agree, []exception{except("7", aspectFlows, "because")}, 1},
		{"too many", append(agree, traceResult{trace: "x", faults: differs}, traceResult{trace: "y", faults: differs}),
			[]exception{except("x", aspectFlows, "because"), except("y", aspectFlows, "because")}, 1},
	} {
		if wrong := judge(tc.results, tc.exceptions); len(wrong) != tc.wrong {
			t.Errorf("%s: %q, want %d faults", tc.name, wrong, tc.wrong)
		}
	}
}

// A traceResult is what metering one trace showed.
type traceResult struct {
	trace         string
	totals, flows bool              // whether those were compared
	faults        map[string]string // what differs first, by aspect
}

// meterTrace meters one trace and compares it with the totals that other tools
// saw, and with their flows, if they saw some.
func meterTrace(t *testing.T, collection, path, rules string, totals []traceTotals) traceResult {
	r := traceResult{trace: path, faults: map[string]string{}}
	trace := filepath.Join(collection, "traces", path)
	flows := filepath.Join(collection, "truth", "flows", path+".tsv.gz")
	frames, summary := meterInTime(t, "run", "--json", "-r", rules, trace)
	chronological := true
	var fcs uint64
	for _, want := range totals {
		if slices.Contains(unsupportedFormats, want.fileType) {
			continue
		}
		if format, _, _ := strings.Cut(want.fileType, " "); format == "erf" || format == "legacyeth" {
			fcs = 4
		}
		r.totals = true
		chronological = want.chronological
		if packets, octets := summaryTotals(summary); packets != want.packets || octets != want.octets-fcs*want.packets {
			r.faults[aspectTotals] = fmt.Sprintf("%d packets, %d octets, want %d, %d", packets, octets, want.packets, want.octets-fcs*want.packets)
		}
	}
	if _, err := os.Stat(flows); err != nil || !r.totals {
		return r
	}
	r.flows = true
	datagrams, _ := meterInTime(t, "run", "-q", "--json", "--octets", "ip", "-r", rules, trace)
	truth, err := readTruthFlows(flows, fcs)
	if err != nil {
		t.Fatal(err)
	}
	metered, err := readMeteredFlows(strings.NewReader(frames), strings.NewReader(datagrams))
	if err != nil {
		t.Fatal(err)
	}
	for aspect, fault := range compareFlows(truth, metered, chronological) {
		r.faults[aspect] = fault
	}
	return r
}

// meterInTime runs the program and returns what it writes, sure that it ended
// in time and well, or said what was wrong with the trace.
func meterInTime(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	ended := make(chan int, 1)
	crash := make(chan string, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				crash <- fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
		}()
		ended <- runMain(args, strings.NewReader(""), &out, &errs)
	}()
	select {
	case status := <-ended:
		switch {
		case status != 0 && status != 2:
			t.Fatalf("rtfm %q: exit status %d\n%s", args, status, &errs)
		case status == 2 && errs.Len() == 0:
			t.Fatalf("rtfm %q: exit status 2 without a message", args)
		}
	case stack := <-crash:
		t.Fatalf("rtfm %q: panic: %s", args, stack)
	case <-time.After(traceLimit):
		t.Fatalf("rtfm %q: still running after %v", args, traceLimit)
	}
	return out.String(), errs.String()
}

// totalsLine matches the line of a summary that tells packets and octets.
var totalsLine = regexp.MustCompile(`(?m)^([0-9]+) packets?, ([0-9]+) octets,`)

// summaryTotals returns the packets and octets that a summary tells.
func summaryTotals(summary string) (packets, octets uint64) {
	found := totalsLine.FindStringSubmatch(summary)
	if found == nil {
		return 0, 0
	}
	packets, err1 := strconv.ParseUint(found[1], 10, 64)
	octets, err2 := strconv.ParseUint(found[2], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		panic(err) // more digits than a counter has
	}
	return packets, octets
}

// allTotals reads the table of what is known of each trace, by its path. More
// than one tool may have read a trace.
func allTotals(t *testing.T, path string) map[string][]traceTotals {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := readTotals(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string][]traceTotals{}
	for _, row := range all {
		byPath[row.path] = append(byPath[row.path], row)
	}
	return byPath
}

// filesBelow returns the paths of all files below a folder.
func filesBelow(t *testing.T, dir string) (paths []string) {
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
