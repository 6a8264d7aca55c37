package acceptance

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestProcessors: one processor and several give the same flow data and the same
// complaints, octet for octet, whatever rulesets run: with flows that are
// recovered, a table that gets full, streams, and a trace that is mapped into
// memory and damaged behind many batches.
func TestProcessors(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	var packets []traces.Packet
	rounds, counts := 8, []int{1, 2, 2, 4} // 160,000 packets; flows come again after a pause
	if testing.Short() {
		rounds, counts = 1, []int{1, 2}
	}
	for range rounds {
		part := tracetest.Mix(20_000)
		for i := range part {
			part[i].Time = int64(len(packets)) * 1e5
			if r.IntN(3) > 0 { // so that not all is of the same few flows
				part[i].Data = bytes.Clone(part[i].Data)
				part[i].Data[min(29, len(part[i].Data)-1)] = byte(r.Uint32())
			}
			packets = append(packets, part[i])
		}
	}
	trace := tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...)
	name := filepath.Join(t.TempDir(), "large.pcap")
	if err := os.WriteFile(name, trace[:len(trace)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	example := func(name string) string { return filepath.Join("ruleset", "examples", name) }
	for _, args := range [][]string{
		{"-r", example("all-flows.srl"), "--nemac"},
		{"-r", example("all-flows.srl"), "-r", example("services.srl"), "-T", "1", "--inactivity-timeout", "2", "--nemac"},
		{"-r", example("services.srl"), "-T", "0.5", "-N", "7", "--nemac"},
		{"-r", example("all-flows.srl"), "-f", "3000", "-T", "2", "--inactivity-timeout", "1", "--json"},
		{"-r", example("web-turnaround.srl"), "-T", "3", "--nemac"},
		{"--dedup", "mark", "--dedup-class", "all", "-e", "save Duplicate; save SourcePeerAddress; count;", "-T", "1", "--nemac"},
		{"--dedup", "drop", "--dedup-window", "1", "--nemac"},
		{"--nemac"},
	} {
		var want, got [2]string
		for _, processors := range counts {
			var out, errs bytes.Buffer
			before := runtime.GOMAXPROCS(processors)
			err := runIn(context.Background(), append(append([]string{"run", "-q"}, args...), name), nil, &out, &errs)
			runtime.GOMAXPROCS(before)
			if err == nil {
				err = os.ErrNotExist
			}
			if out.Len() < 400 {
				t.Fatalf("%q: %v, with only %q", args, err, out.String())
			}
			if got = [2]string{out.String(), errs.String() + err.Error()}; want[0] == "" {
				want = got
			}
			if got != want {
				t.Errorf("%q with %d processors: %d octets of flow data, want the same %d as with one; said %q, want %q",
					args, processors, len(got[0]), len(want[0]), got[1], want[1])
			}
		}
	}
}
