package query

import (
	"io"
	"strings"
	"testing"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/table"
)

// two collections of two rulesets: a conversation of three hosts, and what a
// ruleset of protocols made of it.
const twoCollections = `##NeTraMet v5.3.  -T10  meter -i eth0  4000 flows  starting at 12:00:00 Wed 1 Feb 1995
#Format: flowruleset flowindex firsttime  sourcepeertype sourcepeeraddress destpeeraddress  sourcetranstype sourcetransaddress desttransaddress  topdus frompdus  tooctets fromoctets  lastactivetime
#Time: 12:00:10 Wed  1 Feb 1995 meter Flows from 1 to 1000
2 1 100  1 192.0.2.1 198.51.100.7  6 50000 443  10 20  1000 30000  900
2 2 100  1 192.0.2.2 198.51.100.7  6 50001 443  1 2  60 120  100
2 3 200  1 192.0.2.1 192.0.2.2  17 53 53  3 0  300 0  500
2 4 200  0 0 0  0 0 0  5 0  210 0  900
3 1 100  0 0 0  6 0 0  11 22  1060 30120  900
#EndData: flows=5 lost=7 uncounted=0 sampling=1
#Time: 12:00:20 Wed  1 Feb 1995 meter Flows from 999 to 2000
2 1 100  1 192.0.2.1 198.51.100.7  6 50000 443  11 22  1100 32000  1500
2 5 1200  2 2001:db8::1 2001:db8::2  6 50002 22  1 1  100 100  1200
#EndData: flows=2 lost=0 uncounted=1 sampling=1
`

// read passes collections of flow data on.
func read(t *testing.T, to record.Sink, text string) error {
	t.Helper()
	all := flowfile.NewCollections(strings.NewReader(text))
	for {
		from, err := all.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = record.Copy(to, from)
		}
		if err != nil {
			return err
		}
	}
}

// firstOf returns flow data up to the end of its first collection.
func firstOf(text string) string {
	end := strings.Index(text, "#EndData")
	return text[:end] + "#EndData: flows=5 lost=7 uncounted=0 sampling=1\n"
}

// shown returns the tables as people see them, with all digits.
func shown(t *testing.T, tables []*table.Table) string {
	t.Helper()
	var b strings.Builder
	for _, tb := range tables {
		if err := tb.Text(&b, table.Options{Exact: true}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// by returns keys that are known to be right.
func by(t *testing.T, text string) []Key {
	t.Helper()
	keys, err := ParseKeys(text, func(name string) (*Networks, error) {
		return ReadNetworks(strings.NewReader("192.0.2.0/24 lan\n198.51.100.0/24,web servers\n"), name)
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestTop shows tables of one collection, in which all that flows have counted was
// counted.
func TestTop(t *testing.T) {
	for name, test := range map[string]struct {
		opts Options
		want string
	}{
		"flows": {Options{Rows: 2, Numeric: true}, `
ruleset 2
Source     Dest          Protocol  SourcePort  DestPort  To (B)  From (B)  Packets  bit/s                   %                 First  Duration (s)
192.0.2.1  198.51.100.7  6         50000       443         1000     30000       30  24800   97.82265698958662  1995-02-01T12:00:01Z             8
192.0.2.1  192.0.2.2     17        53          53           300         0        3    240  0.9466708740927737  1995-02-01T12:00:02Z             3
2 others                                                    270       120        8    312   1.230672136320606
total                                                      1570     30120       41  25352                 100  1995-02-01T12:00:01Z             8
ruleset 3
Protocol  To (B)  From (B)  Packets  bit/s    %                 First  Duration (s)
6           1060     30120       33  24944  100  1995-02-01T12:00:01Z             8
total       1060     30120       33  24944  100  1995-02-01T12:00:01Z             8
`},
		"hosts": {Options{By: by(t, "Host"), Rows: 3, Sort: ToOctets}, `
ruleset 2
Host          Records  PDUs  SentOctets (B)  ReceivedOctets (B)  Octets (B)  bit/s                    %
198.51.100.7        2    33           30120                1060       31180  24944    95.04575575891448
192.0.2.1           2    33            1300               30000       31300  25040    4.102240454402019
-                   1     5             210                 210         210    168   0.6626696118649417
1 other             2     6              60                 420         480    384  0.18933417481855475
total               4    41           31690               31690       31690  25352                  100
`},
		"networks": {Options{By: by(t, "Host=customers"), Rows: 1}, `
ruleset 2
Host      Records  PDUs  SentOctets (B)  ReceivedOctets (B)  Octets (B)  bit/s                  %
lan             3    36            1360               30420       31480  25184  99.33733038813506
2 others        3    38           30330                1270       31390  25112  99.05332912590723
total           4    41           31690               31690       31690  25352                100
`},
		"several": {Options{By: by(t, "SourcePeerAddress/24,SourceTransType"), Numeric: true}, `
ruleset 2
SourcePeerAddress  SourceTransType  Records  PDUs  Octets (B)  bit/s                   %
192.0.2.0/24       6                      2    33       31180  24944   98.39065951404228
192.0.2.0/24       17                     1     3         300    240  0.9466708740927737
-                  -                      1     5         210    168  0.6626696118649417
total                                     4    41       31690  25352                 100
`},
	} {
		top := NewTop(test.opts)
		if err := read(t, top, firstOf(twoCollections)); err != nil {
			t.Fatal(err)
		}
		tables := top.Tables()
		if test.opts.By != nil {
			tables = tables[:1]
		}
		if got := shown(t, tables); got != strings.TrimPrefix(test.want, "\n") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}
