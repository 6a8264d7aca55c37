package query_test

import (
	"fmt"
	"os"
	"strings"

	"rtfm/reader/flowfile"
	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/reader/table"
)

// A Top takes collections as any record.Sink does; Tables may be asked for at the end,
// or after each collection if Reset follows.
func ExampleTop() {
	const flows = `##NeTraMet v5.3.    meter -i eth0  4000 flows  starting at 12:00:00 Wed 1 Feb 1995
#Format: flowruleset flowindex firsttime  sourcepeeraddress destpeeraddress  topdus frompdus  tooctets fromoctets  lastactivetime
#Time: 12:00:10 Wed  1 Feb 1995 meter Flows from 1 to 1000
2 1 100  192.0.2.1 198.51.100.7  1 2  60 120  100
2 2 100  192.0.2.2 198.51.100.7  10 20  1000 30000  900
2 3 200  192.0.2.1 192.0.2.2  3 0  300 0  500
#EndData: flows=3 lost=0 uncounted=0 sampling=1
`
	from, err := flowfile.NewCollections(strings.NewReader(flows)).Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	top := query.NewTop(query.Options{Rows: 2})
	if _, err := record.Copy(top, from); err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range top.Tables() {
		t.Text(os.Stdout, table.Options{})
	}
	// Output:
	// 1995-02-01 UTC
	// Source     Dest               To     From  Packets        bit/s       %     First  Duration
	// 192.0.2.2  198.51.100.7  1,000 B  30.0 kB       30  24.8 kbit/s   98.5%  12:00:01    8.00 s
	// 192.0.2.1  192.0.2.2       300 B      0 B        3    240 bit/s    1.0%  12:00:02    3.00 s
	// 1 other                     60 B    120 B        3    144 bit/s    0.6%
	// total                    1,360 B  30.1 kB       36  25.2 kbit/s  100.0%  12:00:01    8.00 s
}
