package smi

import (
	"strings"
	"testing"
)

func TestParseOID(t *testing.T) {
	long := "1" + strings.Repeat(".1", MaxOID-1)
	tests := []struct{ in, want, err string }{
		{in: "1.3.6.1.2.1.40", want: "1.3.6.1.2.1.40"},
		{in: ".1.3.4294967295", want: "1.3.4294967295"},
		{in: "0", want: "0"},
		{in: long, want: long},
		{in: long + ".1", err: "129 sub-identifiers"},
		{in: "", err: "sub-identifier 1"},
		{in: "1..3", err: "sub-identifier 2"},
		{in: "1.4294967296", err: `"4294967296" is no number`},
		{in: "1.-3", err: "sub-identifier 2"},
	}
	for _, tt := range tests {
		o, err := ParseOID(tt.in)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("ParseOID(%q): error %v, want one with %q", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || o.String() != tt.want {
			t.Errorf("ParseOID(%q) = %v, %v", tt.in, o, err)
		}
	}
}

func TestOIDOrder(t *testing.T) {
	sorted := []OID{{}, {1}, {1, 3}, {1, 3, 0}, {1, 3, 6}, {1, 3, 4294967295}, {1, 4}, {2}}
	for i, a := range sorted {
		for j, b := range sorted {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("(%v).Compare(%v) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestHasPrefix(t *testing.T) {
	o := OID{1, 3, 6}
	for _, p := range []OID{{}, {1}, {1, 3}, {1, 3, 6}} {
		if !o.HasPrefix(p) {
			t.Errorf("(%v).HasPrefix(%v) is false", o, p)
		}
	}
	for _, p := range []OID{{2}, {1, 3, 6, 1}, {1, 3, 7}} {
		if o.HasPrefix(p) {
			t.Errorf("(%v).HasPrefix(%v) is true", o, p)
		}
	}
}

func TestRangeContains(t *testing.T) {
	tests := []struct {
		r    Range
		name OID
		want bool
	}{
		{Range{Start: OID{1, 3}}, OID{1, 3}, false},
		{Range{Start: OID{1, 3}, Include: true}, OID{1, 3}, true},
		{Range{Start: OID{1, 3}}, OID{1, 3, 1}, true},
		{Range{Start: OID{1, 3}}, OID{1, 2, 9}, false},
		{Range{Start: OID{1, 3}, End: OID{1, 5}}, OID{1, 4, 9}, true},
		{Range{Start: OID{1, 3}, End: OID{1, 5}}, OID{1, 5}, false},
		{Range{Start: OID{1, 3}, End: OID{1, 3}, Include: true}, OID{1, 3}, false},
	}
	for _, tt := range tests {
		if got := tt.r.Contains(tt.name); got != tt.want {
			t.Errorf("%+v contains %v: %v", tt.r, tt.name, got)
		}
	}
}
