package parquet

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"rtfm/reader/record"
)

// BenchmarkWrite writes rows of flows that look like those of traces, and reads them back.
func BenchmarkWrite(b *testing.B) {
	table := newTable("flows", record.Columns(), record.Key())
	f, err := os.Create(filepath.Join(b.TempDir(), "f"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := newWriter(f, table)
	var row []byte
	most := uint64(0)
	for i := 0; b.Loop(); i++ {
		row = fmt.Appendf(row[:0], `{"Schema":1,"Meter":"gw1","Boot":"18ea048d07c68ec8","EpochNs":1795252405227917000,"RuleSet":"9385748a8bbb4c12","RuleSetName":"@conversations","FlowRuleSet":2,"IntervalStartNs":1795252405227917000,"IntervalEndNs":1795252465227917000,"FlowIndex":%d,"FirstTime":%d,"LastActiveTime":64,"FirstTimeNs":1795252405%09d,"LastActiveTimeNs":1795252415%09d,"SourcePeerType":1,"SourcePeerAddress":"10.%d.%d.%d","SourceTransType":6,"DestPeerAddress":"192.0.2.%d","DestTransAddress":443,"ToPDUs":%d,"FromPDUs":0,"ToOctets":%d,"FromOctets":0,"DeltaToPDUs":7,"DeltaFromPDUs":0,"DeltaToOctets":%d,"DeltaFromOctets":0}`,
			i&0xffffffff, i%1000, i%1_000_000_000, i*7919%1_000_000_000, i>>16&255, i>>8&255, i&255, i%200, i%97, i*31%100_000, i*31%100_000)
		if err := w.put(row); err != nil {
			b.Fatal(err)
		}
		if i%(1<<16) == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.Sys)
		}
	}
	if err := w.close(); err != nil {
		b.Fatal(err)
	}
	if err := w.sums.check(f, table); err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(b.N), "octets/row")
	b.ReportMetric(float64(most)/(1<<20), "MiB")
}
