package table

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
)

// sample returns a table with a column of each kind.
func sample() *Table {
	ns := time.Date(2026, 11, 21, 9, 13, 25, 123456789, time.UTC).UnixNano()
	return &Table{
		Title: "sample",
		Columns: []Column{
			{Name: "Host"}, {Name: "Port", Align: Right}, {Name: "Id", Kind: Number}, {Name: "PDUs", Kind: Count},
			{Name: "Octets", Kind: Octets}, {Name: "Rate", Kind: BitRate}, {Name: "PDURate", Title: "PDUs/s", Kind: PacketRate},
			{Name: "FirstNs", Title: "First", Kind: Time}, {Name: "DurationNs", Title: "Duration", Kind: Duration},
			{Name: "Percent", Title: "%", Kind: Percent},
		},
		Rows: [][]Value{
			{String("192.0.2.1"), String("https"), Uint(70000), Uint(1234567), Uint(math.MaxUint64), Float(13093.25),
				Float(7.456), Int(ns), Int(271_800_000_000), Float(66.66666)},
			{String("Zürich, \"日本\"\x1b[2J\n"), String("80"), Uint(1), Int(-1234), Uint(9999), Uint(999),
				Uint(123456), Int(ns + 61e9), Int(12_345_678), Float(math.NaN())},
			{Value{}, Value{}},
		},
		Others: []Value{{}, {}, {}, Uint(5), Uint(10000)}, NumOthers: 1415,
		Total: []Value{{}, {}, {}, Uint(1233338), Uint(20000)},
		Notes: []string{"lost 0\x07"},
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Text(&b, Options{}); err != nil {
		t.Fatal(err)
	}
	want := `
sample, 2026-11-21 UTC
Host                      Port     Id       PDUs   Octets         Rate    PDUs/s         First  Duration      %
192.0.2.1                https  70000  1,234,567  18.4 EB  13.1 kbit/s  7.46 pps  09:13:25.123     4m32s  66.7%
Zürich, "日本"\x1b[2J\n     80      1     -1,234  9,999 B    999 bit/s  123 kpps  09:14:26.123   12.3 ms      -
-                            -      -          -        -            -         -             -         -      -
1,415 others                                   5  10.0 kB
total                                  1,233,338  20.0 kB
lost 0\a
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestTextExactNarrow(t *testing.T) {
	var b bytes.Buffer
	table := sample()
	table.Columns[1].Align = Left
	if err := table.Text(&b, Options{Width: 130, Exact: true, Bold: true}); err != nil {
		t.Fatal(err)
	}
	want := `
sample
` + "\x1b[1m                                                                  Rate  PDUs/s                                     Duration\x1b[0m" + `
` + "\x1b[1mHost             Port      Id     PDUs            Octets (B)   (bit/s)   (pps)                           First          (s)         %\x1b[0m" + `
192.0.2.1        https  70000  1234567  18446744073709551615  13093.25   7.456  2026-11-21T09:13:25.123456789Z        271.8  66.66666
Zürich, "日本"…  80         1    -1234                  9999       999  123456  2026-11-21T09:14:26.123456789Z  0.012345678         -
-                -          -        -                     -         -       -                               -            -         -
1,415 others                         5                 10000
total                          1233338                 20000
lost 0\a
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestBreakTitle breaks titles before words.
func TestBreakTitle(t *testing.T) {
	for _, tt := range []struct {
		title string
		width int
		want  string
	}{
		{"SourcePeerAddress", 10, "SourcePeer Address"},
		{"SourcePeerAddress", 9, "Source Peer Address"},
		{"SourcePeerAddress", 0, "Source Peer Address"},
		{"SourcePeerAddress", 11, "SourcePeer Address"},
		{"ToPDUs", 1, "To PDUs"},
		{"VLANid", 1, "VLANid"},
		{"Rate (bit/s)", 5, "Rate (bit/s)"},
		{"日本 本", 3, "日本 本"},
		{"", 3, ""},
	} {
		if got := strings.Join(breakTitle(tt.title, tt.width), " "); got != tt.want {
			t.Errorf("%s in %d columns: %s, want %s", tt.title, tt.width, got, tt.want)
		}
	}
}

// TestLabels: what a line of sums is stands over its first cells, to the left whatever
// they are, or in the first cell that has no sum.
func TestLabels(t *testing.T) {
	for _, tt := range []struct {
		kinds  []Kind
		others []Value
		want   string
	}{
		{[]Kind{Number, Text, Count}, []Value{{}, {}, Uint(3)}, `
0  1       2
5  b       1
12 others  3
`},
		{[]Kind{Number, Count, Count}, []Value{{}, Uint(2), Uint(3)}, `
        0  1  2
        5  1  1
12 others  2  3
`},
		{[]Kind{Count, Text, Count}, []Value{Uint(2), {}, Uint(3)}, `
0  1          2
5  b          1
2  12 others  3
`},
		{[]Kind{Count, Count, Count}, []Value{Uint(2), Uint(2), Uint(3)}, `
0  1  2
5  1  1
2  2  3
`},
	} {
		table := &Table{Others: tt.others, NumOthers: 12, Rows: [][]Value{{Uint(5), Uint(1), Uint(1)}}}
		for i, k := range tt.kinds {
			table.Columns = append(table.Columns, Column{Name: strconv.Itoa(i), Kind: k})
			if k == Text {
				table.Rows[0][i] = String("b")
			}
		}
		var b strings.Builder
		if err := table.Text(&b, Options{}); err != nil {
			t.Fatal(err)
		}
		if got := "\n" + b.String(); got != tt.want {
			t.Errorf("%v: got %s\nwant %s", tt.kinds, got, tt.want)
		}
	}
}

func TestData(t *testing.T) {
	var b bytes.Buffer
	if err := sample().CSV(&b, Data{}); err != nil {
		t.Fatal(err)
	}
	if err := sample().JSON(&b, Data{ISO: true}); err != nil {
		t.Fatal(err)
	}
	want := `
Host,Port,Id,PDUs,Octets,Rate,PDURate,FirstNs,DurationNs,Percent
192.0.2.1,https,70000,1234567,18446744073709551615,13093.25,7.456,1795252405123456789,271800000000,66.66666
"Zürich, ""日本""` + "\x1b[2J\n" + `",80,1,-1234,9999,999,123456,1795252466123456789,12345678,
,,,,,,,,,
{"Host":"192.0.2.1","Port":"https","Id":70000,"PDUs":1234567,"Octets":18446744073709551615,"Rate":13093.25,"PDURate":7.456,"FirstNs":"2026-11-21T09:13:25.123456789Z","DurationNs":271800000000,"Percent":66.66666}
{"Host":"Zürich, \"日本\"\u001b[2J\n","Port":"80","Id":1,"PDUs":-1234,"Octets":9999,"Rate":999,"PDURate":123456,"FirstNs":"2026-11-21T09:14:26.123456789Z","DurationNs":12345678}
{}
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestUnits holds numbers to what people read, at the edges of the units.
func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		kind Kind
		v    Value
		want string
	}{
		{Octets, Uint(0), "0 B"},
		{Octets, Uint(9999), "9,999 B"},
		{Octets, Uint(10000), "10.0 kB"},
		{Octets, Uint(99949), "99.9 kB"},
		{Octets, Uint(99950), "100 kB"},
		{Octets, Uint(999499), "999 kB"},
		{Octets, Uint(999500), "1.00 MB"},
		{Octets, Uint(1234567), "1.23 MB"},
		{Octets, Int(-1234567), "-1.23 MB"},
		{BitRate, Float(0), "0 bit/s"},
		{BitRate, Float(9999.4), "9,999 bit/s"},
		{BitRate, Float(1e28), "10000 Ybit/s"},
		{Count, Uint(999), "999"},
		{Count, Int(-999), "-999"},
		{Count, Int(-1000), "-1,000"},
		{Percent, Float(99.96), "100.0%"},
		{Number, Uint(1000000), "1000000"},
		{Duration, Uint(999), "999 ns"},
		{Duration, Uint(1000), "1.00 µs"},
		{Duration, Uint(999_499), "999 µs"},
		{Duration, Uint(999_500), "1.00 ms"},
		{Duration, Uint(59_949_999_999), "59.9 s"},
		{Duration, Uint(59_950_000_000), "1m00s"},
		{Duration, Uint(3599_499_999_999), "59m59s"},
		{Duration, Uint(3599_500_000_000), "1h00m"},
		{Duration, Uint(3720e9), "1h02m"},
		{Duration, Uint(86369e9), "23h59m"},
		{Duration, Uint(86370e9), "1d00h"},
		{Duration, Int(-90e9), "-1m30s"},
		{Duration, Int(math.MinInt64), "-106751d23h"},
	} {
		if got := tt.kind.cell(tt.v, &Options{}, nil); got != tt.want {
			t.Errorf("%v of kind %d: %s, want %s", tt.v, tt.kind, got, tt.want)
		}
	}
	for ns, want := range map[int64]string{0: "0", 271_750_000_000: "271.75", -1: "-0.000000001", math.MinInt64: "-9223372036.854775808"} {
		if got := (Duration).cell(Int(ns), &Options{Exact: true}, nil); got != want {
			t.Errorf("%d ns: %s s, want %s", ns, got, want)
		}
	}
}

// FuzzText holds the text to its width, its number of lines, and to what a terminal
// may be sent.
func FuzzText(f *testing.F) {
	f.Add("192.0.2.1", "日本\x1b]0;x\x07", 40, uint64(1e9), int64(-1), false)
	f.Fuzz(func(t *testing.T, name, other string, width int, n uint64, ns int64, exact bool) {
		table := &Table{
			Title: name, Columns: []Column{{Name: "A"}, {Name: other}, {Name: "N", Kind: Octets}, {Name: "T", Kind: Time}, {Name: "D", Kind: Duration}},
			Rows:   [][]Value{{String(name), String(other), Uint(n), Int(ns), Int(ns)}, {String(other)}},
			Others: []Value{{}, {}, Int(ns)}, NumOthers: 3, Notes: []string{other},
		}
		var b bytes.Buffer
		if err := table.Text(&b, Options{Width: width, Exact: exact}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		if name == "" && exact {
			lines = append([]string{""}, lines...) // there is no title
		}
		if len(lines) < 7 || width <= 0 && len(lines) > 7 {
			t.Errorf("%d lines: %q", len(lines), lines) // on a terminal the header may have several
		}
		for i, line := range lines {
			if w := uniseg.StringWidth(line); i > 0 && i < len(lines)-2 && width >= 100 && w > width {
				t.Errorf("%q has %d columns, more than %d", line, w, width)
			}
			for _, r := range line {
				if !unicode.IsPrint(r) {
					t.Errorf("%q has %U", line, r)
				}
			}
		}
		b.Reset()
		if err := table.CSV(&b, Data{}); err != nil {
			t.Fatal(err)
		}
		if rows, err := csv.NewReader(&b).ReadAll(); err != nil || len(rows) != 3 || rows[1][0] != strings.ReplaceAll(name, "\r\n", "\n") {
			t.Errorf("%q, %v", rows, err)
		}
		b.Reset()
		if err := table.JSON(&b, Data{ISO: exact}); err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(&b)
		for range table.Rows {
			if err := d.Decode(&map[string]any{}); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestOptional leaves columns out that have no room, the last first, before it cuts
// what stands in the others.
func TestOptional(t *testing.T) {
	tb := Table{
		Columns: []Column{{Name: "Name"}, {Name: "A", Kind: Count, Optional: true}, {Name: "B", Kind: Count}, {Name: "C", Kind: Count, Optional: true}},
		Rows:    [][]Value{{String("a-long-name"), Uint(1234), Uint(5), Uint(6)}, {String("b")}},
		Others:  []Value{{}, Uint(1)}, NumOthers: 2, Total: []Value{{}, Uint(1235), Uint(5), Uint(6)},
	}
	for width, want := range map[int]string{
		0: "Name A B C", 24: "Name A B C", 23: "Name A B", 21: "Name A B", 20: "Name B", 14: "Name B",
	} {
		var b strings.Builder
		if err := tb.Text(&b, Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		if got := strings.Join(strings.Fields(lines[0]), " "); got != want || len(lines) != 6 {
			t.Errorf("at %d columns: %q, want %s", width, lines, want)
		}
		for _, l := range lines {
			if width > 0 && len([]rune(l)) > width {
				t.Errorf("%q is wider than %d columns", l, width)
			}
		}
	}
	if len(tb.Columns) != 4 || len(tb.Rows[0]) != 4 {
		t.Error("the table itself has changed")
	}
}

// TestNoRows: a table without rows has no header, and no total of nothing.
func TestNoRows(t *testing.T) {
	table := &Table{Title: "pings", Columns: []Column{{Name: "Octets", Kind: Octets}}, Total: []Value{Uint(0)}, Notes: []string{"lost 0"}}
	var b strings.Builder
	if err := table.Text(&b, Options{}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "pings\nnone\nlost 0\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
