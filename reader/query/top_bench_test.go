package query

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkTop adds up flow records of text, ten collections of ten thousand flows, by
// keys and without: nanoseconds a record.
func BenchmarkTop(b *testing.B) {
	const flows, collections = 10000, 10
	var text strings.Builder
	text.WriteString("##NeTraMet v5.3.  -T10  meter -i eth0  40000 flows  starting at 12:00:00 Wed 1 Feb 1995\n" +
		"#Format: flowruleset flowindex firsttime  sourcepeertype sourcepeeraddress destpeeraddress  sourcetranstype desttransaddress  topdus frompdus  tooctets fromoctets  lastactivetime\n")
	for c := range collections {
		fmt.Fprintf(&text, "#Time: 12:%02d:10 Wed  1 Feb 1995 meter Flows from %d to %d\n", c, 6000*c+1, 6000*(c+1))
		for i := range flows {
			fmt.Fprintf(&text, "2 %d %d  1 10.0.%d.%d 192.0.2.%d  6 443  %d 2  %d 300  %d\n", i+1, i%900, i/256, i%256, i%200, 9*(c+1), 1000*(c+1), 6000*(c+1))
		}
		fmt.Fprintf(&text, "#EndData: flows=%d lost=0 uncounted=0 sampling=1\n", flows)
	}
	for _, keys := range []string{"", "DestPeerAddress", "Host"} {
		opts := Options{Rows: 20}
		if keys != "" {
			var err error
			if opts.By, err = ParseKeys(keys, nil); err != nil {
				b.Fatal(err)
			}
		}
		b.Run("by="+keys, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				top := NewTop(opts)
				if err := readInto(top, new(Intervals), text.String()); err != nil {
					b.Fatal(err)
				}
				if n := top.Summary().Collections; n != collections {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/flows/collections, "ns/record")
		})
	}
}
