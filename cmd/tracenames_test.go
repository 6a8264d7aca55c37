package cmd

import (
	"errors"
	"io"
	"testing"

	"rtfm/traces"
	"rtfm/traces/netflow"
)

// TestNetflowTraces opens traces of export datagrams among others, in sequence and merged.
func TestNetflowTraces(t *testing.T) {
	const sampleTrace = "traces/testdata/sample.pcap"
	if got := tracePaths([]string{"netflow:a/b.pcap", "netflow:tsh:c", "-"}); got[0] != "a/b.pcap" || got[1] != "c" || got[2] != "-" {
		t.Errorf("paths %q", got)
	}
	names := []string{sampleTrace, "netflow:" + sampleTrace}
	for _, o := range []traceOptions{{sequence: names}, {merged: names}} {
		src := o.open(nil)
		n := 0
		var b traces.Batch
		told := false
		for {
			err := src.ReadBatch(&b)
			if err == io.EOF {
				break
			}
			told = told || errors.Is(err, netflow.ErrNoExports)
			n += len(b.Packets)
			if len(b.Records) > 0 {
				t.Fatal("records in the sample trace")
			}
		}
		if !told {
			t.Error("it is not told that there are no export datagrams")
		}
		if st := src.Stats(); n != 2028 || st.Skipped != 2028 {
			t.Errorf("%d packets, %+v", n, st)
		}
		src.Close()
	}
}
