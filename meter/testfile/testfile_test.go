package testfile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// rules compiles a program that has no faults.
func rules(t testing.TB, text string) *ruleset.RuleSet {
	t.Helper()
	rs, _, err := compile.Source("x.srl", []byte(text), srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// all saves what packets in words can differ in.
const all = `save SourcePeerType, SourcePeerAddress, DestPeerAddress, SourceTransType, SourceTransAddress, DestTransAddress;
save DSCodePoint, VLANid, SourceAdjacentAddress, SourceInterface, HopLimit;
if SourceTransType == udp ignore;
count;`

// TestWords gives packets in words, and what the meter finds in them.
func TestWords(t *testing.T) {
	for _, tc := range []struct{ words, columns, want string }{
		{"tcp 10.0.0.1:80 > 10.0.0.2:1234", "SourcePeerAddress SourceTransAddress DestPeerAddress DestTransAddress ToOctets", "10.0.0.1 80 10.0.0.2 1234 54"},
		{"TCP 10.0.0.1:http < 10.0.0.2:1234 [SYN,ACK] 60 Octets X 3", "SourcePeerAddress SourceTransAddress DestTransAddress ToOctets ToPDUs", "10.0.0.2 1234 80 180 3"},
		{"tcp [2001:db8::1]:80 > [2001:db8::2]:1 [syn ack] seq 1 ack 2", "SourcePeerType SourcePeerAddress ToOctets", "2 2001:db8::1 74"},
		{"icmp 10.0.0.1 > 10.0.0.2 unreachable code port-unreachable", "SourceTransType SourceTransAddress DestTransAddress", "icmp unreachable port-unreachable"},
		{"tcp 10.0.0.1:www > 10.0.0.2:quic", "SourceTransType SourceTransAddress DestTransAddress", "TCP www http3"}, // other names
		{"icmp 10.0.0.1 < 10.0.0.2 3 code 4", "SourcePeerAddress SourceTransAddress DestTransAddress", "10.0.0.2 3 4"},
		{"icmpv6 fe80::1 > ff02::1 router-solicitation ttl 255", "SourceTransType SourceTransAddress HopLimit", "58 133 255"},
		{"gre 10.0.0.1 > 10.0.0.2 payload 0000 dscp ef ecn 2 interface 7", "SourceTransType DSCodePoint SourceInterface ToOctets", "gre ef 7 36"},
		{"proto 253 fe80::1 > fe80::2", "SourceTransType ToOctets", "253 54"},
		{"tcp 10.0.0.1:1 > 10.0.0.2:2 vlan 5 priority 6 mac 02:00:00:00:00:0a > 02-00-00-00-00-0b", "VLANid SourceAdjacentAddress ToOctets", "5 02-00-00-00-00-0A 58"},
		{"arp", "SourcePeerType ToOctets", "0 14"},
		{"ether 0x88cc 60 octets", "SourcePeerType ToOctets", "0 60"},
	} {
		text := "program x.srl\ntest x\n" + tc.words + "\nflows\n" + tc.columns + "\n" + tc.want + "\n"
		f, err := Parse("x_test.txt", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", tc.words, err)
			continue
		}
		if r := f.Tests[0].Run(context.Background(), rules(t, all)); r.Failed() {
			t.Errorf("%s: %v\n%s", tc.words, r.Err, r.Diff)
		}
	}
}

// TestTimes: packets are a millisecond apart, or when they say.
func TestTimes(t *testing.T) {
	f, err := Parse("x_test.txt", []byte(`test times
arp
arp x 2
arp at 1s x 2 every 10ms
arp after 2s
arp
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{0, 1e6, 1000e6, 3010e6, 3011e6}
	for i, p := range f.Tests[0].packets {
		if p.at != want[i] {
			t.Errorf("packets %d are at %d, want %d", i, p.at, want[i])
		}
	}
}

// TestFaults gives files and what is said of them.
func TestFaults(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"progam x.srl", "1:1: expected PROGRAM, DEFINE or TEST, found progam; did you mean program?"},
		{"program", "1:1: expected PROGRAM FILE, or DEFINE NAME = TEXT"},
		{"define a", "1:8: want NAME=TEXT"},
		{"test\narp", "1:1: expected a name behind TEST"},
		{"test a\narp\ntest a\narp", "3:6: there is a TEST of this name in line 1"},
		{"test a\n\ntest b\narp", "1:1: this TEST has no packets and no TRACE"},
		{"test a\nudq 1.1.1.1:1 > 1.1.1.2:2", "2:1: no protocol \"udq\"; did you mean udp?: expected a protocol such as tcp, TRACE or FLOWS"},
		{"test a\nudp 1.1.1.1:1", "2:14: expected > or < between two addresses"},
		{"test a\nudp 1.1.1.1 > 1.1.1.2:2", "2:5: expected an address and a port such as 10.0.0.1:80 or [2001:db8::1]:80, found \"1.1.1.1\""},
		{"test a\nudp 1.1.1.1:dnss > 1.1.1.2:2", "2:13: no port \"dnss\"; did you mean dns?"},
		{"test a\nudp 1.1.1.1:70000 > 1.1.1.2:2", "2:13: expected a port, or a number up to 65535"},
		{"test a\ngre 1.1.1.1 > fe80::1", "2:5: one address is of IPv4, the other of IPv6"},
		{"test a\nicmp fe80::2 > fe80::1 1", "2:6: icmp has addresses of IPv4, icmpv6 those of IPv6"},
		{"test a\nicmp 1.1.1.1 > 1.1.1.2", "2:23: expected a type of ICMP such as echo-request, or a number up to 255"},
		{"test a\narp vlan 4096", "2:10: expected a number behind vlan, from 0 to 4095"},
		{"test a\narp vlam 1", "2:5: expected [flags], N octets, x N, at TIME and the like, found vlam; did you mean vlan?"},
		{"test a\narp 60", "2:5: expected OCTETS behind the number 60"},
		{"test a\narp 10 octets", "2:1: headers and payload have 14 octets, more than 10"},
		{"test a\narp x 10000000 every 10h", "2:1: packets are ten years after the first at most"},
		{"test a\narp at soon", "2:8: expected a time such as 1.5s or 20ms behind at"},
		{"test a\narp payload 123", "2:13: expected octets in hexadecimal behind payload"},
		{"test a\ntcp 1.1.1.1:1 > 1.1.1.2:2 [syn", "2:31: expected ] behind the flags of TCP"},
		{"test a\ntcp 1.1.1.1:1 > 1.1.1.2:2 [syn sin]", "2:32: expected flags of TCP such as [syn ack], found sin]"},
		{"test a\narp mac 1", "2:9: expected a MAC address such as 02:00:00:00:00:01"},
		{"test a\ntrace", "2:1: expected a file behind TRACE"},
		{"test a\narp\ntrace x.pcap", "3:1: a test has one TRACE, or packets"},
		{"test a\ntrace x.pcap\narp", "3:1: a test has a TRACE or packets, not both"},
		{"test a\narp\nflows x", "3:7: expected the end of the line, found x"},
		{"test a\narp\nflows\nToPDU", "4:1: no attribute \"ToPDU\"; did you mean ToPDUs?: columns of flows are attributes"},
		{"test a\narp\nflows\nFirstTime", "4:1: FirstTime is not told here: columns are what programs save, ToPDUs, FromPDUs, ToOctets and FromOctets"},
		{"test a\narp\nflows\nToPDUs\n1 2", "5:1: 2 values below 1 columns; - stands for none"},
		{"test a\narp\nflows\nignored x", "4:9: expected a number of packets, from 0 to 4611686018427387904"},
		{"test a\narp\nflows\nToPDUs\nignored 1\n2", "6:1: flows stand in front of IGNORED"},
	} {
		_, err := Parse("x_test.txt", []byte(tc.text))
		if err == nil || err.Error() != "x_test.txt:"+tc.want {
			t.Errorf("%q: got %v, want %s", tc.text, err, tc.want)
		}
	}
	if _, err := Parse("x.txt", nil); err == nil || !strings.HasSuffix(err.Error(), "no PROGRAM given, and the file's name does not end in _test.txt") {
		t.Error(err)
	}
}

const before = `# About ports.
test one
   tcp 10.0.0.1:1 > 10.0.0.2:2
   tcp 10.0.0.3:1 > 10.0.0.2:2
   tcp 10.0.0.3:1 > 10.0.0.2:2

# The second one.
test two
   udp 10.0.0.1:1 > 10.0.0.2:2 x 2
flows
   SourcePeerAddress  ToPDUs
   10.0.0.1           2

# The third one.
test three
   tcp 10.0.0.1:1 > 10.0.0.2:2
flows
   FromPDUs
   0
# The end.`

// TestUpdate brings a file up to what comes of its tests; then they pass.
func TestUpdate(t *testing.T) {
	const want = `# About ports.
test one
   tcp 10.0.0.1:1 > 10.0.0.2:2
   tcp 10.0.0.3:1 > 10.0.0.2:2
   tcp 10.0.0.3:1 > 10.0.0.2:2
flows
   SourcePeerAddress  ToPDUs  FromPDUs  ToOctets  FromOctets
   10.0.0.1           1       0         54        0
   10.0.0.3           2       0         108       0

# The second one.
test two
   udp 10.0.0.1:1 > 10.0.0.2:2 x 2
flows
   SourcePeerAddress  ToPDUs
ignored 2

# The third one.
test three
   tcp 10.0.0.1:1 > 10.0.0.2:2
flows
   FromPDUs
   0
# The end.`
	rs := rules(t, "if SourceTransType == udp ignore; save SourcePeerAddress; count;")
	text := before
	for i := range 2 {
		f, err := Parse("x_test.txt", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var results []*Result
		for k, test := range f.Tests {
			r := test.Run(context.Background(), rs)
			if r.Failed() != (i == 0 && k < 2) {
				t.Errorf("test %s: %v, line %d\n%s", test.Name, r.Err, r.Line, r.Diff)
			}
			if i == 0 && k == 1 && (r.Line != 12 || r.Diff != "  SourcePeerAddress  ToPDUs\n- 10.0.0.1           2\n- ignored 0\n+ ignored 2\n") {
				t.Errorf("line %d\n%s", r.Line, r.Diff)
			}
			results = append(results, r)
		}
		if text = string(f.Update(results)); text != want {
			t.Errorf("got:\n%s\nwant:\n%s", text, want)
		}
	}
}

// TestTrace runs a test of a trace, of which some packets pass a filter, and some that
// cannot be run.
func TestTrace(t *testing.T) {
	trace, err := filepath.Abs("../../traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.pcap")
	whole, err := os.ReadFile(trace)
	if err != nil || os.WriteFile(bad, whole[:1000], 0o600) != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ trace, want string }{
		{trace + " tcp and src port 80 and ip\nflows\nToPDUs\n393", ""},
		{bad, "bad.pcap: "},
		{trace + " tpc", "filter:1:1: "},
		{"nosuch.pcap", "nosuch.pcap: no such file"},
	} {
		f, err := Parse("x_test.txt", []byte("test x\ntrace "+tc.trace))
		if err != nil {
			t.Fatal(err)
		}
		r := f.Tests[0].Run(context.Background(), rules(t, "count;"))
		if tc.want == "" && r.Failed() || tc.want != "" && (r.Err == nil || !strings.Contains(r.Err.Error(), tc.want)) {
			t.Errorf("%s: %v\n%s", tc.trace, r.Err, r.Diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(before)
	f.Add("program @services\ndefine x = 1\ntest a\nicmpv6 fe80::1 > ff02::1 router-solicitation code 1 ttl 255 dscp ef\nether 0x88cc 60 octets at 1s\ntcp 1.1.1.1:1 < 1.1.1.2:http [syn ack] payload 00ff x 2 every 1ms mac 02:00:00:00:00:0a > 02-00-00-00-00-0b\nflows\n\nignored 1")
	rs := rules(f, all)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("x_test.txt", []byte(text))
		if err != nil {
			return
		}
		var results []*Result
		for _, test := range file.Tests {
			n := uint64(0)
			for _, p := range test.packets {
				n += p.n
			}
			if test.trace != "" || n > 1000 {
				return
			}
			results = append(results, test.Run(context.Background(), rs))
		}
		updated := file.Update(results)
		again, err := Parse("x_test.txt", updated)
		if err != nil {
			t.Fatalf("%v\n%q\n%q", err, text, updated)
		}
		for i, test := range again.Tests {
			if r := test.Run(context.Background(), rs); r.Failed() != (results[i].Err != nil) {
				t.Fatalf("%s, line %d: %v\n%s%q\n%q", test.Name, r.Line, r.Err, r.Diff, text, updated)
			}
		}
	})
}
