package ipfixsink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/export"
	"rtfm/reader/export/exporttest"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces/ipfix"
	"rtfm/traces/tracetest"
)

// threeCollections are of two rulesets, with flows of TCP and ICMP.
func threeCollections(t *testing.T) []*export.Collection {
	var shapes match.Shapes
	delta := &record.Counters{ToPDUs: 3, FromPDUs: 2, ToOctets: 300, FromOctets: 200}
	flows := []part{
		{flow(&shapes, 2, 1, 6, [2]byte{0x12, 0x34}, [2]byte{0, 80}), delta},
		{flow(&shapes, 2, 2, 1, [2]byte{0, 8}, [2]byte{0, 0}), delta},
		{flow(&shapes, 3, 1, 17, [2]byte{0x12, 0x34}, [2]byte{0, 53}), delta},
	}
	sum := record.Summary{Lost: 5, Sampling: 100, RuleSets: []record.RuleSetSummary{{RuleSet: 2, Uncounted: 3, Packets: 3}, {RuleSet: 3}}}
	return spooled(t, sum, flows[:1], flows, flows)
}

// timeless returns messages without their export times.
func timeless(b []byte) []byte {
	b = bytes.Clone(b)
	for at := 0; at+ipfix.HeaderLen <= len(b); at += int(binary.BigEndian.Uint16(b[at+2:])) {
		clear(b[at+4 : at+8])
	}
	return b
}

// TestFile writes collections into a file which then loses its end, at each octet: opened
// again and sent all, it is as it was. Sent once more it does not change.
func TestFile(t *testing.T) {
	all := threeCollections(t)
	path := filepath.Join(t.TempDir(), "flows.ipfix")
	x, _ := open(t, "ipfix:"+path)
	send(t, x, all...)
	x.Close()
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A message without the end of its collection is cut off.
	first := int(binary.BigEndian.Uint16(want[2:]))
	if err := os.WriteFile(path, append(bytes.Clone(want), want[:first]...), 0o600); err != nil {
		t.Fatal(err)
	}
	x, _ = open(t, "ipfix:"+path)
	send(t, x, all...)
	x.Close()
	if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
		t.Errorf("%d octets, want %d", len(got), len(want))
	}
	step := 41
	if tracetest.Long() {
		step = 1
	}
	for length := len(want); length >= 0; length -= step {
		if err := os.WriteFile(path, want[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		x, _ := open(t, "ipfix:"+path)
		send(t, x, all...)
		x.Close()
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// Totals are those since a process began to send.
		if a, b := timeless(got), timeless(want); len(a) != len(b) || length == len(want) && !bytes.Equal(a, b) {
			t.Fatalf("cut to %d octets: %d octets, want %d", length, len(a), len(b))
		}
		contents, err := readContents(bytes.NewReader(got), -1)
		if err != nil || len(contents.collections) != len(all) || contents.end != int64(len(got)) {
			t.Fatalf("cut to %d octets: %+v, %v", length, contents, err)
		}
		known := make(map[uint16]bool)
		for k := range contents.sizes {
			if known[k.id] {
				t.Fatalf("cut to %d octets: two templates %d", length, k.id)
			}
			known[k.id] = true
		}
	}
	ipfixDump(t, path)
}

// ipfixDump returns what ipfixDump prints of a file, which has no fault.
func ipfixDump(t *testing.T, path string) string {
	t.Helper()
	var out, faults strings.Builder
	cmd := exec.Command(tracetest.Require(t, "ipfixDump"), "--in", path)
	cmd.Stdout, cmd.Stderr = &out, &faults
	if err := cmd.Run(); err != nil || faults.Len() > 0 {
		t.Errorf("ipfixDump: %v: %s", err, faults.String())
	}
	return out.String()
}

// TestFileForeign leaves files of others as they are, and those that are locked.
func TestFileForeign(t *testing.T) {
	all := threeCollections(t)
	path := filepath.Join(t.TempDir(), "notes.txt")
	const text = "dear diary, this is no IPFIX"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	x, _ := open(t, "ipfix:"+path)
	var refusal *export.Refusal
	if err := x.Send(t.Context(), all[0]); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "offset 0: it is no IPFIX that rtfm has written") {
		t.Error(err)
	}
	if got, _ := os.ReadFile(path); string(got) != text {
		t.Errorf("the file is %q", got)
	}
	x, _ = open(t, "ipfix:"+os.DevNull)
	if err := x.Send(t.Context(), all[0]); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "is no regular file") {
		t.Error(err)
	}
	path = filepath.Join(t.TempDir(), "flows.ipfix")
	x, _ = open(t, "ipfix:"+path)
	send(t, x, all[0])
	y, _ := open(t, "ipfix:"+path)
	if err := y.Send(t.Context(), all[0]); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "another rtfm writes this file") {
		t.Error(err)
	}
}

// TestOptions has tshark and ipfixDump read losses and sampling, which stand with the
// flows of each ruleset.
func TestOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows.ipfix")
	x, _ := open(t, "ipfix:"+path)
	send(t, x, threeCollections(t)...)
	out, err := exec.Command(tracetest.Require(t, "tshark"), "-r", path, "-V").Output()
	if err != nil {
		t.Fatal(err)
	}
	// Times are there in nanoseconds, too, which not all programs read.
	if !strings.Contains(string(out), "EndTime: Nov 21, 2026 09:15:11.123456789") {
		t.Error("tshark finds no nanoseconds")
	}
	dump := ipfixDump(t, path)
	for _, tt := range []struct{ text, pattern, want string }{
		{string(out), `(?m)Sampling interval: (\d+)$`, "100 100 100 100 100 100"},
		// 5 lost and 3 uncounted in ruleset 2, 5 in ruleset 3, in each collection.
		{dump, `ignoredPacketTotalCount : (\d+)`, "8 5 16 10 24 15"},
		{dump, `samplingPacketSpace : (\d+)`, "99 99 99 99 99 99"},
		{dump, `exportedFlowRecordTotalCount : (\d+)`, "2 8 14"},
		{dump, `notSentFlowTotalCount : (\d+)`, "0 0 0"},
		{dump, `flowEndReason : (\d+)`, "2 2 2 2 2 2 2 2 2 2 2 2 2 2"},
	} {
		var got []string
		for _, found := range regexp.MustCompile(tt.pattern).FindAllStringSubmatch(tt.text, -1) {
			got = append(got, found[1])
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.pattern, got, tt.want)
		}
	}
}

// TestRecords checks what records tell of flows of many kinds, by what ipfixDump reads.
func TestRecords(t *testing.T) {
	var shapes match.Shapes
	delta := &record.Counters{ToPDUs: 3, FromPDUs: 2, ToOctets: 300, FromOctets: 200}
	tcp := flow(&shapes, 2, 1, 6, [2]byte{0x12, 0x34}, [2]byte{0, 80})
	icmp := flow(&shapes, 2, 2, 1, [2]byte{0, 8}, [2]byte{0, 3})
	shaped := func(s *match.Shape) *match.Flow {
		f := *tcp
		f.Shape = s
		return &f
	}
	net := shaped(shapes.Intern(2, 4, 0, []match.Saved{{Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(24, 4)}}))
	copy(net.Key.Peer(attr.Source)[:], []byte{192, 0, 2, 0})
	net6 := shaped(shapes.Intern(2, 16, 0, []match.Saved{{Attr: attr.DestPeerAddress, Mask: attr.WidthMask(48, 16)}}))
	copy(net6.Key.Peer(attr.Dest)[:], []byte{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0})
	typed := shaped(shapes.Intern(2, 0, 0, whole(attr.SourcePeerType, attr.DSCodePoint)))
	typed.Key.SetPeerType(2)
	typed.Key.SetDSCodePoint(46 << 2)
	bare := shaped(shapes.Intern(2, 0, 0, nil))
	late := *tcp
	late.LastTime = epoch + 500_000_001
	for _, tt := range []struct {
		name, options string
		part
		want, not string // fields and their values
	}{
		{"split", "", part{tcp, delta}, "flowStartMilliseconds : 2026-11-21 09:14:01.500|flowEndMilliseconds : 2026-11-21 09:15:11.123|sourceIPv4Address : 192.0.2.1|sourceTransportPort : 4660|packetDeltaCount : 3|octetDeltaCount : 300|sourceIPv4Address : 198.51.100.1|sourceTransportPort : 80|packetDeltaCount : 2|octetDeltaCount : 200|flowId : 1", "TotalCount : 60|reverse"},
		{"both", "?biflow=rfc5103", part{tcp, delta}, "packetDeltaCount : 3|reversePacketDeltaCount : 2|reverseOctetDeltaCount : 200", "198.51.100.1 *\n.*sourceIPv4"},
		{"totals", "?counters=total", part{tcp, delta}, "packetTotalCount : 100|octetTotalCount : 60000|packetTotalCount : 50", "DeltaCount"},
		{"not known", "", part{tcp, nil}, "notSentFlowTotalCount : 1|notSentPacketTotalCount : 150|notSentOctetTotalCount : 65000", "DeltaCount"},
		{"icmp", "", part{icmp, delta}, "icmpTypeCodeIPv4 : 2051|icmpTypeCodeIPv4 : 776", "TransportPort"},
		{"icmp both", "?biflow=rfc5103", part{icmp, delta}, "icmpTypeCodeIPv4 : 2051|reversePacketDeltaCount : 0|icmpTypeCodeIPv4 : 776", "reversePacketDeltaCount : 2"},
		{"network", "", part{net, delta}, "sourceIPv4Prefix : 192.0.2.0|sourceIPv4PrefixLength : 24|destinationIPv4Prefix : 192.0.2.0", "Address"},
		{"network of IPv6", "?biflow=rfc5103", part{net6, delta}, "destinationIPv6Prefix : 2001:0db8:0001::|destinationIPv6PrefixLength : 48", "Address"},
		{"version", "", part{typed, delta}, "ipVersion : 6|ipDiffServCodePoint : 46", "Address"},
		{"nothing saved", "", part{bare, delta}, "packetDeltaCount : 3|packetDeltaCount : 2", "Address|Port|protocol"},
		{"milliseconds", "", part{&late, delta}, "flowStartMilliseconds : 2026-11-21 09:14:01.500|flowEndMilliseconds : 2026-11-21 09:14:01.500|flowEndNanoseconds", "1970"},
	} {
		path := filepath.Join(t.TempDir(), "flows.ipfix")
		x, _ := open(t, "ipfix:"+path+tt.options)
		send(t, x, spooled(t, record.Summary{RuleSets: []record.RuleSetSummary{{RuleSet: 2}}}, []part{tt.part})...)
		x.Close()
		dump := ipfixDump(t, path)
		for want := range strings.SplitSeq(tt.want, "|") {
			if !strings.Contains(dump, want) {
				t.Errorf("%s: no %s in\n%s", tt.name, want, dump)
			}
		}
		// The templates are told, too.
		_, data, _ := strings.Cut(dump, "data record 2 ")
		if regexp.MustCompile(tt.not).MatchString(data) && tt.name != "not known" {
			t.Errorf("%s: %s is in\n%s", tt.name, tt.not, data)
		}
	}
}

// TestNotes tells once what has no place in IPFIX.
func TestNotes(t *testing.T) {
	var shapes match.Shapes
	sizes := attr.Measure{Attr: attr.ToPacketSize}
	saved := append(whole(attr.FlowKind), match.Saved{Attr: attr.SourcePeerAddress, Mask: attr.MakeValue(255, 0, 255, 0)},
		match.Saved{Attr: attr.SourceTransAddress, Mask: attr.MakeValue(255, 0)})
	l := newLayout(shapes.Intern(2, 4, 0, saved, sizes), icmpNone, false, false)
	if want := []string{"SourcePeerAddress with its mask", "SourceTransAddress with its mask", "FlowKind", "distributions"}; !slices.Equal(l.left, want) {
		t.Errorf("%q, want %q", l.left, want)
	}
	f := flow(&shapes, 2, 1, 6, [2]byte{}, [2]byte{})
	f.Shape = shapes.Intern(2, 4, 0, whole(attr.FlowKind, attr.SourcePeerAddress, attr.SourcePeerType))
	all := spooled(t, record.Summary{}, []part{{f, &record.Counters{ToPDUs: 1}}}, []part{{f, nil}}, []part{{f, nil}})
	x, notes := open(t, "ipfix:"+filepath.Join(t.TempDir(), "x"))
	send(t, x, all...)
	if len(*notes) != 3 || (*notes)[0] != splitNote || (*notes)[1] != "FlowKind is not in IPFIX" || !strings.HasPrefix((*notes)[2], "1 flows of a collection are not sent") {
		t.Errorf("%q", *notes)
	}
}

// FuzzReadContents reads files of others.
func FuzzReadContents(f *testing.F) {
	f.Add([]byte{0, 10, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 4})
	set := ipfix.AppendTemplate(make([]byte, ipfix.HeaderLen), 256, 1, []ipfix.Field{{Element: 144, Length: 4}})
	ipfix.PutHeader(set, 1, 2, 0)
	f.Add(set)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := readContents(bytes.NewReader(b), -1)
		if err == nil && c.end > int64(len(b)) {
			t.Errorf("end %d of %d", c.end, len(b))
		}
	})
}

// TestFileGap: what was dropped are flows that were not sent, told once.
func TestFileGap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows.ipfix")
	x, _ := open(t, "ipfix:"+path)
	send(t, x, threeCollections(t)...)
	g := exporttest.Gap(t, 3, 5)
	packets, octets := uint64(77), uint64(7700)
	g.Packets, g.Octets = &packets, &octets
	for range 2 {
		if err := x.Gap(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	x.Close()
	text := ipfixDump(t, path)
	for element, want := range map[string]string{"notSentFlowTotalCount": "15", "notSentPacketTotalCount": "77", "notSentOctetTotalCount": "7700"} {
		found := regexp.MustCompile(element+` +: (\d+)`).FindAllStringSubmatch(text, -1)
		if len(found) != 4 || found[2][1] != "0" || found[3][1] != want {
			t.Errorf("%s: %q, want %s last\n%s", element, found, want, text)
		}
	}
}

// TestFileCheck: a file that can be written, or made, and others.
func TestFileCheck(t *testing.T) {
	folder := t.TempDir()
	path, text := filepath.Join(folder, "flows.ipfix"), filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(text, []byte("dear diary, this is no IPFIX"), 0o600); err != nil {
		t.Fatal(err)
	}
	x, _ := open(t, "ipfix:"+path)
	if err := x.Check(t.Context()); err != nil {
		t.Error(err)
	}
	send(t, x, threeCollections(t)...)
	for url, want := range map[string]string{
		path: "", text: "it is no IPFIX that rtfm has written", folder: "is a directory", os.DevNull: "is no regular file",
		filepath.Join(folder, "none", "x"): "no such file",
	} {
		y, _ := open(t, "ipfix:"+url) // beside x, which has the file locked
		if err := y.Check(t.Context()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Error(entries, err)
	}
}
