package attr

import (
	"slices"
	"testing"
)

// distribution returns the distribution that mask and value ask for.
func distribution(t *testing.T, a Attr, mask, value string) Measure {
	t.Helper()
	m, err := a.ParseMeasure(mask)
	if err != nil {
		t.Fatal(err)
	}
	v, err := a.ParseMeasure(value)
	if err != nil {
		t.Fatal(err)
	}
	return Measure{a, m, v}
}

// TestDistributionParameters reads the rules of RFC 2724 section 3.2, CAIDA's
// for DNS, and names of packet pairs.
func TestDistributionParameters(t *testing.T) {
	for _, tt := range []struct {
		mask, value                                           string
		transform, scale, lower, upper, buckets, par1, p2, p3 int
	}{
		{"1.0.25!1500", "60.0!0", Linear, 0, 25, 1500, 60, 0, 0, 0},
		{"2.3.1!1800", "60.0.0!0", Logarithmic, 3, 1, 1800, 60, 0, 0, 0},
		{"2.3.1!10000", "60.5.0!0", Logarithmic, 3, 1, 10000, 60, 5, 0, 0},
		{"1.3.1!700", "100.11.0!0", Linear, 3, 1, 700, 100, 11, 0, 0},
		{"1.3.1!700", "100.dns", Linear, 3, 1, 700, 100, 11, 0, 0},
		{"1.3.1!700", "100.PP_UDP_DNS.300!65535", Linear, 3, 1, 700, 100, 11, 300, 65535},
		{"1.0.0!65535", "255.tcp_data.1!2", Linear, 0, 0, 65535, 255, 3, 1, 2},
	} {
		d := distribution(t, ToTurnaroundTime1, tt.mask, tt.value)
		p1, p2, p3 := d.Parameters()
		got := []int{d.Transform(), d.Scale(), d.Lower(), d.Upper(), d.Buckets(), p1, p2, p3}
		if want := []int{tt.transform, tt.scale, tt.lower, tt.upper, tt.buckets, tt.par1, tt.p2, tt.p3}; !slices.Equal(got, want) {
			t.Errorf("%s = %s: %v, want %v", tt.mask, tt.value, got, want)
		}
		if d.Counters() != tt.buckets+1 {
			t.Errorf("%d counters for %d buckets", d.Counters(), tt.buckets)
		}
		again, err := d.Attr.ParseMeasure(string(AppendParameters(nil, d.Value)))
		if err != nil || again != d.Value {
			t.Errorf("%v printed and read: %v, %v", d.Value, again, err)
		}
	}
}

// TestLimits compares limits with ones calculated apart from the code: those
// of logarithms are the integer parts of exact roots, to 50 decimal places.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		mask  string
		value string
		want  []uint64 // all of them, or the first ones and the last
	}{
		{"1.0.25!1500", "60", []uint64{25, 50, 75, 100, 1500}},
		{"1.3.1!700", "100.dns", []uint64{1000, 8060, 15121, 22181, 29242, 700000}},
		{"1.0.0!10", "4", []uint64{0, 3, 6, 10}},
		{"1.0.5!5", "1", []uint64{5}},
		{"1.14.1!65535", "3", []uint64{100_000_000_000_000, 3_276_800_000_000_000_000, 6_553_500_000_000_000_000}},
		{"2.0.1!1000", "4", []uint64{1, 10, 100, 1000}},
		{"2.0.1!32768", "16", []uint64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768}},
		{"2.3.1!1800", "60", []uint64{1000, 1135, 1289, 1463, 1662, 1800000}},
		{"2.14.1!65535", "3", []uint64{100_000_000_000_000, 25_599_804_686_754_936, 6_553_500_000_000_000_000}},
		{"2.0.1!2", "3", []uint64{1, 1, 2}},
	} {
		d := distribution(t, ToPacketSize, tt.mask, tt.value)
		limits := d.Limits()
		if len(limits) != d.Buckets() {
			t.Fatalf("%s = %s: %d limits", tt.mask, tt.value, len(limits))
		}
		n := len(tt.want) - 1
		if !slices.Equal(limits[:n], tt.want[:n]) || limits[len(limits)-1] != tt.want[n] {
			t.Errorf("%s = %s: %v, want %v", tt.mask, tt.value, limits, tt.want)
		}
		if !slices.IsSorted(limits) {
			t.Errorf("%s = %s: %v is not in order", tt.mask, tt.value, limits)
		}
	}
}

// TestDistributionTable holds every distribution to a unit and a bit.
func TestDistributionTable(t *testing.T) {
	n := 0
	for _, in := range All() {
		if in.Class != ClassStatistic && (in.Class == ClassDistrib) != (in.Attr.Unit() != "") {
			t.Errorf("%v has unit %q", in.Attr, in.Attr.Unit())
		}
		if in.Class != ClassDistrib {
			continue
		}
		if in.Attr != ToPacketSize+Attr(n) {
			t.Errorf("%v is number %d", in.Attr, in.Attr)
		}
		n++
	}
	if n > 32 {
		t.Errorf("%d distributions need more than the 32 bits of the attribute Distributions", n)
	}
}
