package netflow

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// evil sends from an address of its own.
var evil = netip.MustParseAddrPort("10.9.9.9:4000")

// TestEmptyFields: fields without octets take no time in records: a template has no
// more fields to look at than its shortest record has octets.
func TestEmptyFields(t *testing.T) {
	fields := []any{256, 16001}
	for range 16_000 {
		fields = append(fields, 4, 0)
	}
	zero := set(0, append(fields, 4, 1)...)
	variable := set(2, 256, 4, 8, 0, 82, 0xffff, 0x8000|8, 0, uint32(9), 4, 1)
	options := set(1, 257, 8, 12, 1, 0, 2, 4, 34, 0, 35, 0, 34, 1)
	for _, datagram := range [][]byte{v9Datagram(1, 1, 1, zero), v9Datagram(1, 1, 1, options), ipfixMessage(1, 1, variable)} {
		var d Decoder
		d.Decode(exporter, 0, datagram)
		for _, dm := range d.domains {
			for id, template := range dm.templates {
				if len(template.fields) > template.least || template.least == 0 {
					t.Errorf("template %d has %d fields in %d octets", id, len(template.fields), template.least)
				}
			}
		}
		if len(d.domains) != 1 {
			t.Errorf("%d domains, %+v", len(d.domains), d.stats)
		}
	}
}

// TestManyFields: a template of more fields than any has is refused, and those
// around it are not.
func TestManyFields(t *testing.T) {
	of := func(id, n int) (b []byte) {
		b = octets(id, n)
		for i := range n {
			b = append(b, octets(1+i%2, 1)...)
		}
		return b
	}
	var d Decoder
	d.Decode(exporter, 0, v9Datagram(1, 1, 1, set(0, of(256, maxFields), of(257, maxFields+1), of(258, 2))))
	dm := d.domains[domainID{netip.AddrPortFrom(exporter.Addr(), 0), 9, 1}]
	if dm == nil || dm.templates[256] == nil || dm.templates[257] != nil || dm.templates[258] == nil || d.stats.Malformed != 1 {
		t.Errorf("%+v, %+v", dm, d.stats)
	}
}

// TestEvilExporter has one exporter do all that makes others be forgotten, or
// counters wrong, or take memory, among the datagrams of another one.
func TestEvilExporter(t *testing.T) {
	template := set(0, 256, 4, 8, 4, 12, 4, 2, 8, 1, 8)
	record := func(pdus, octetCount uint64) []byte {
		return set(256, octets("192.0.2.1", "192.0.2.2", pdus, octetCount))
	}
	var told []string
	d := Decoder{Config: Config{Notify: func(s string) { told = append(told, s) }}}
	send := func(from netip.AddrPort, b []byte) {
		if !d.Decode(from, 0, b) {
			t.Fatal("no datagram")
		}
		if from == evil {
			d.taken = len(d.packets)
		}
	}
	send(exporter, v9Datagram(10_000_000, 1, 7, template))
	for i := range uint32(3 * maxDomains) {
		send(evil, v9Datagram(1, 1, i, set(300, make([]byte, 4)))) // without a template
	}
	if len(d.domains) != 1 || len(d.exporters) != 1 {
		t.Errorf("%d domains of %d exporters without templates", len(d.domains), len(d.exporters))
	}
	for i := range uint32(3 * maxDomains) {
		send(evil, v9Datagram(1, 1, i, template))
	}
	// As if the first exporter had started anew, which it has not.
	send(netip.AddrPortFrom(exporter.Addr(), 1), v9Datagram(5, 2, 7, set(300, make([]byte, 4))))
	for _, n := range [][2]uint64{{math.MaxUint64, 1}, {1, math.MaxUint64}, {maxPDUs + 1, 1}, {1, maxOctets + 1}} {
		send(exporter, v9Datagram(10_000_200, 2, 7, record(n[0], n[1])))
	}
	if d.Left() != 0 || d.stats.Implausible != 4 || d.stats.Uncounted != 0 {
		t.Errorf("%d flows of impossible records, %+v", d.Left(), d.stats)
	}
	send(exporter, v9Datagram(10_000_300, 3, 7, record(maxPDUs, maxOctets), record(3, 300)))
	want := "1 192.0.2.1:0>192.0.2.2:0 p0 tos0 17592186044416/1125899906842624\n1 192.0.2.1:0>192.0.2.2:0 p0 tos0 3/300"
	if got := decoded(&d); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if len(d.domains) != 1+maxOwnDomains || d.size != (1+maxOwnDomains)*(4+32) {
		t.Errorf("%d domains, templates of size %d", len(d.domains), d.size)
	}
	// Options that multiply what records count.
	send(evil, v9Datagram(1, 1, 1, set(1, 300, 4, 4, 1, 4, 34, 8), template))
	send(evil, v9Datagram(1, 2, 1, set(300, uint32(0), uint64(1)<<62), record(3, 3)))
	if d.stats.Implausible != 5 {
		t.Errorf("%+v: a sampling interval of 2^62 was believed", d.stats)
	}
	for _, what := range []string{
		"10.9.9.9:4000: records came before their template 300", "10.9.9.9:4000: there are too many exporters or templates",
		"10.0.0.1:3000: a record of 18446744073709551615 packets and 1 octets, more than a flow has",
	} {
		if n := len(slices.DeleteFunc(slices.Clone(told), func(s string) bool { return !strings.Contains(s, what) })); n != 1 {
			t.Errorf("told %q, want %q once", told, what)
		}
	}
}

// TestExporters believes those that were asked for.
func TestExporters(t *testing.T) {
	for _, c := range []struct {
		exporters string
		from      string
		want      bool
	}{
		{"", "192.0.2.1", true},
		{"192.0.2.1/32", "192.0.2.1", true},
		{"192.0.2.1/32", "::ffff:192.0.2.1", true},
		{"192.0.2.1/32", "192.0.2.2", false},
		{"192.0.2.1/32 10.0.0.0/8", "10.2.3.4", true},
		{"2001:db8::/32", "2001:db8:1::1", true},
		{"2001:db8::/32", "192.0.2.1", false},
	} {
		var d Decoder
		for s := range strings.FieldsSeq(c.exporters) {
			d.Exporters = append(d.Exporters, netip.MustParsePrefix(s))
		}
		from := netip.AddrPortFrom(netip.MustParseAddr(c.from), 999)
		if got := d.Decode(from, 0, v5Datagram(1, 1, 0, 1, 1)); got != c.want || (d.stats.Foreign == 0) != c.want || len(d.domains) != d.Left() {
			t.Errorf("%q: %s: %t, %+v", c.exporters, c.from, got, d.stats)
		}
		if d.Decode(from, 0, []byte("not that")) || d.stats.Foreign > 1 {
			t.Errorf("%+v", d.stats)
		}
	}
}
