// Package exporttest has collections for tests of exporters.
package exporttest

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"rtfm/reader/export"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
)

// Collections returns what a flow data file has, as it is in a spool that lasts as long as
// the test.
func Collections(t testing.TB, file io.Reader) (all []*export.Collection) {
	t.Helper()
	s, err := spool.Open(t.TempDir(), spool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	outlet, err := s.Outlet("test", "test:")
	if err != nil {
		t.Fatal(err)
	}
	// What another outlet has not passed stays.
	if _, err := s.Outlet("kept", "test:"); err != nil {
		t.Fatal(err)
	}
	in := flowfile.NewCollections(file)
	to := &export.Sink{Spool: s}
	for {
		from, err := in.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			_, err = record.Copy(to, from)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range outlet.Waiting() {
		seg, _, err := outlet.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, export.NewCollection(seg))
		if err := outlet.Done(seg.Number); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// File returns JSON lines of so many collections with so many flows each.
func File(collections, flows int) io.Reader {
	const second = 1_000_000_000
	var b strings.Builder
	b.WriteString(`{"record":"header","version":"5.3 (rtfm 0.1)","meter":"m","startNs":0,"epochNs":0}` + "\n")
	for c := range collections {
		from, to := c*second, (c+1)*second
		fmt.Fprintf(&b, `{"record":"start","meter":"m","boot":"b","startNs":%d,"endNs":%d}`+"\n", from, to)
		for i := range flows {
			fmt.Fprintf(&b, `{"record":"flow","Schema":1,"Meter":"m","Boot":"b","EpochNs":0,"RuleSet":"5e5da465f84529e4","RuleSetName":"r","FlowRuleSet":2,"IntervalStartNs":%d,"IntervalEndNs":%d,`+
				`"FlowIndex":%d,"FirstTime":0,"LastActiveTime":%d,"FirstTimeNs":0,"LastActiveTimeNs":%d,"SourcePeerType":1,"SourcePeerAddress":"192.0.2.%d",`+
				`"ToPDUs":%d,"FromPDUs":0,"ToOctets":%d,"FromOctets":0,"DeltaToPDUs":1,"DeltaFromPDUs":0,"DeltaToOctets":100,"DeltaFromOctets":0}`+"\n",
				from, to, i+3, to/10_000_000, to, i%256, c+1, 100*(c+1))
		}
		fmt.Fprintf(&b, `{"record":"end","flows":%d,"lost":0,"uncounted":0,"sampling":1}`+"\n", flows)
	}
	return strings.NewReader(b.String())
}

// Gap returns what is told of collections that were dropped, of so many flows each: those
// of File, from the first on.
func Gap(t testing.TB, collections, flows int) *export.Gap {
	t.Helper()
	s, err := spool.Open(t.TempDir(), export.SpoolConfig(1, true))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Outlet("before", "test:"); err != nil {
		t.Fatal(err)
	}
	// One more, for the last is never dropped. The first may be on its way anywhere, and
	// is told of alone; so that goes to nobody.
	in := flowfile.NewCollections(File(collections+2, flows))
	to := &export.Sink{Spool: s}
	for range collections + 2 {
		from, err := in.Next()
		if err == nil {
			_, err = record.Copy(to, from)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	gaps := s.Status().Gaps
	g, err := export.ReadGap(gaps[len(gaps)-1].About)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
