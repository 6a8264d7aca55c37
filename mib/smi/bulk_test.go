package smi_test

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// columns is a table of two columns, 1.1 with three rows and 1.2 with two,
// and one variable behind it.
func columns() *smitest.Table {
	return smitest.New(
		smitest.Int("1.1.1", 11), smitest.Int("1.1.2", 12), smitest.Int("1.1.3", 13),
		smitest.Int("1.2.1", 21), smitest.Int("1.2.2", 22),
		smitest.Int("1.9.0", 90),
	)
}

func brief(vbs []smi.VarBind) string {
	var s []string
	for i := range vbs {
		if vbs[i].Value.Type == smi.EndOfMibView {
			s = append(s, vbs[i].Name.String()+"!")
		} else {
			s = append(s, fmt.Sprintf("%v=%d", vbs[i].Name, vbs[i].Value.Int))
		}
	}
	return strings.Join(s, " ")
}

func TestBulk(t *testing.T) {
	tests := []struct {
		name   string
		starts string // END after a slash, + for include
		n, m   int
		octets int
		want   string
	}{
		{name: "columns", starts: "1.1 1.2", m: 2, want: "1.1.1=11 1.2.1=21 1.1.2=12 1.2.2=22"},
		{name: "non-repeater", starts: "1.9 1.1 1.2", n: 1, m: 2, want: "1.9.0=90 1.1.1=11 1.2.1=21 1.1.2=12 1.2.2=22"},
		{name: "only non-repeaters", starts: "1.9 1.1", n: 5, m: 2, want: "1.9.0=90 1.1.1=11"},
		{name: "no repetition", starts: "1.9 1.1", n: 1, m: 0, want: "1.9.0=90"},
		{name: "negative", starts: "1.1", n: -3, m: -1, want: ""},
		{name: "nothing asked", starts: "", m: 10, want: ""},
		{name: "end", starts: "1.2.2", m: 9, want: "1.9.0=90 1.9.0!"},
		{name: "one ends first", starts: "1.9.0 1.2.1", m: 9, want: "1.9.0! 1.2.2=22 1.9.0! 1.9.0=90 1.9.0! 1.9.0!"},
		{name: "beyond", starts: "2", m: 9, want: "2!"},
		{name: "include", starts: "1.1.1+ 1.1.1", m: 2, want: "1.1.1=11 1.1.2=12 1.1.2=12 1.1.3=13"},
		{name: "scope", starts: "1.1.1/1.1.3", m: 9, want: "1.1.2=12 1.1.2!"},
		{name: "limit", starts: "1.1", m: 1 << 30, octets: 22, want: "1.1.1=11 1.1.2=12 1.1.3=13"}, // 9 octets each
		{name: "limit in non-repeaters", starts: "1.1 1.1", n: 2, m: 5, octets: 1, want: "1.1.1=11"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := smi.Bulk{NonRepeaters: tt.n, MaxRepetitions: tt.m, MaxOctets: 1 << 16}
			if tt.octets > 0 {
				b.MaxOctets = tt.octets
			}
			for _, s := range strings.Fields(tt.starts) {
				var r smi.Range
				s, r.Include = strings.CutSuffix(s, "+")
				s, end, ok := strings.Cut(s, "/")
				if ok {
					r.End = smitest.OID(end)
				}
				r.Start = smitest.OID(s)
				b.Ranges = append(b.Ranges, r)
			}
			out, err := columns().Bulk(&b, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := brief(out); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			again, err := columns().Bulk(&b, out)
			if got := brief(again); err != nil || got != tt.want {
				t.Errorf("with used memory: %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

// TestBulkErrorIndex finds the range at fault, whatever repetition it fails in.
func TestBulkErrorIndex(t *testing.T) {
	for _, failing := range []int{1, 65, 70} { // the non-repeater, the first and last of the next step
		b := smi.Bulk{Ranges: make([]smi.Range, 70), NonRepeaters: 1, MaxRepetitions: 3, MaxOctets: 1 << 20}
		for i := range b.Ranges {
			b.Ranges[i].Start = smi.OID{1, uint32(i + 1)}
		}
		next := func(rs []smi.Range, out []smi.VarBind) error {
			for i, r := range rs {
				if r.Start[1] == uint32(failing) && (len(r.Start) > 3 || failing == 1) {
					return &smi.Error{Status: smi.GenErr, Index: i + 1}
				}
				out[i].Name = append(append(out[i].Name[:0], r.Start...), 1)
				out[i].Value.SetInt(0)
			}
			return nil
		}
		_, err := b.Fill(next, nil)
		if smi.Refusal(err) != (smi.Error{Status: smi.GenErr, Index: failing}) {
			t.Errorf("variable %d fails: error %v", failing, err)
		}
	}
}

// TestBulkBound has many ranges ask for large variables: the answer stops
// soon after its limit, not at the end of a repetition.
func TestBulkBound(t *testing.T) {
	table := smitest.New(smitest.Octets("1.1.1", smi.OctetString, strings.Repeat("x", 8000)))
	b := smi.Bulk{Ranges: make([]smi.Range, 10000), MaxRepetitions: 100, MaxOctets: 65507}
	for i := range b.Ranges {
		b.Ranges[i].Start = smi.OID{1}
	}
	out, err := table.Bulk(&b, nil)
	if err != nil || len(out) != 9 {
		t.Errorf("%d variables, %v", len(out), err)
	}
}
