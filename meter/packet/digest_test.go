package packet

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

func digestOf(frame []byte, wire int) uint32 {
	var p match.Packet
	Decode(&p, traces.LinkEthernet, frame, uint32(wire))
	return Digest(&p)
}

// TestDigest changes each octet of packets: the digest changes unless routers may change
// the octet, or it is behind those that are hashed.
func TestDigest(t *testing.T) {
	payload := func(f tracetest.Frame) []byte { return f.Payload(40).Bytes() }
	v4 := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("192.0.2.1", "198.51.100.2")
	v6 := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv6("2001:db8::1", "2001:db8::2")
	ip4 := []int{16, 17, 18, 19, 23, 26, 27, 28, 29, 30, 31, 32, 33}        // length, identification, protocol, addresses
	ip6 := append([]int{18, 19, 20}, slices.Collect(between(22, 22+32))...) // payload's length, next header, addresses
	for _, tc := range []struct {
		name   string
		frame  []byte
		hashed []int // octets of headers
		rest   int   // from here on DigestOctets are
		skip   []int // with which it is another kind of packet
	}{
		{"UDP", payload(v4.UDP(1024, 53)), ip4, 34, []int{12, 13, 14, 20, 21}},
		{"TCP", payload(v4.TCP(1024, 80, 0x18)), ip4, 34, []int{12, 13, 14, 20, 21}},
		{"ICMP", payload(v4.ICMP(8, 0)), ip4, 34, []int{12, 13, 14, 20, 21}},
		{"UDP of IPv6", payload(v6.UDP(1024, 53)), ip6, 54, []int{12, 13, 14, 20}},
		{"tagged", payload(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").VLAN(7).IPv4("192.0.2.1", "198.51.100.2").UDP(1, 2)),
			[]int{20, 21, 22, 23, 27, 30, 31, 32, 33, 34, 35, 36, 37}, 38, []int{12, 13, 16, 17, 18, 24, 25}},
		{"behind fragment header", payload(v6.Fragment6(1480, true, 77).UDP(1, 2)), ip6, 54, []int{12, 13, 14, 20, 54}},
		{"later fragment", payload(v4.Raw(17, make([]byte, 40))), append([]int{}, ip4...), 34, []int{12, 13, 14, 20, 21}},
	} {
		if tc.name == "later fragment" {
			tc.frame[21] = 8
		}
		whole := digestOf(tc.frame, len(tc.frame))
		for i := range tc.frame {
			if slices.Contains(tc.skip, i) {
				continue
			}
			hashed := slices.Contains(tc.hashed, i) || i >= tc.rest && i < tc.rest+DigestOctets
			if changed := digestOf(tracetest.Flip(tc.frame, i, 1), len(tc.frame)) != whole; changed != hashed {
				t.Errorf("%s: another octet %d changes the digest: %v, want %v", tc.name, i, changed, hashed)
			}
		}
		for n := tc.rest + DigestOctets; n < len(tc.frame); n++ {
			if digestOf(tc.frame[:n], len(tc.frame)) != whole {
				t.Errorf("%s: another digest of %d octets", tc.name, n)
			}
		}
	}
	arp := tracetest.Cut(payload(v4.UDP(1, 2)), 60)
	arp[12], arp[13] = 0x08, 0x06
	if digestOf(arp, 60) == digestOf(tracetest.Flip(arp, 39, 1), 60) || digestOf(arp, 60) != digestOf(arp[:frameDigested], 60) {
		t.Error("a frame without IP has another digest than its first 40 octets")
	}
	// What pads a short frame is not of the packet.
	short := v4.UDP(1, 2).Payload(2).Bytes()
	if digestOf(short, 60) != digestOf(append(slices.Clone(short), make([]byte, 60-len(short))...), 60) {
		t.Error("padding changes the digest")
	}
}

func between(from, to int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := from; i < to && yield(i); i++ {
		}
	}
}

// TestDigestsSpread counts equal digests of packets that are much alike: there are not many more
// than of random numbers.
func TestDigestsSpread(t *testing.T) {
	const n = 1 << 18 // of random numbers n^2/2^33 = 8 would be equal
	for _, what := range []string{"identification", "source", "number"} {
		frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(7, 7).Payload(20).Bytes()
		seen := make(map[uint32]bool, n)
		for i := range uint32(n) {
			switch what {
			case "identification":
				binary.BigEndian.PutUint16(frame[18:], uint16(i))
				frame[33] = byte(i >> 16)
			case "source":
				binary.BigEndian.PutUint32(frame[26:], 10<<24+i)
			default:
				binary.BigEndian.PutUint32(frame[46:], i)
			}
			seen[digestOf(frame, len(frame))] = true
		}
		if twice := n - len(seen); twice > 30 {
			t.Errorf("%s: %d digests are not the only ones", what, twice)
		}
	}
}

// TestUsualDigest compares the digests of usual frames as they are read and decoded.
func TestUsualDigest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	checked := 0
	for _, test := range decodeTests {
		for range 100 {
			data := unhex(t, test.data)
			if len(data) > usualIPv4 {
				data[usualIPv4+random.IntN(len(data)-usualIPv4)]++
				data = data[:usualIPv4+random.IntN(len(data)-usualIPv4+1)]
			}
			var u Usual
			if test.link != traces.LinkEthernet || !u.Read(data) {
				continue
			}
			checked++
			if got, want := u.Digest(data), digestOf(data, len(data)); got != want {
				t.Errorf("%s: usual digest %#x, %#x of the packet", test.name, got, want)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d usual frames", checked)
	}
}

func BenchmarkDigest(b *testing.B) {
	frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").TCP(7, 7, 0).Payload(20).Bytes()
	var u Usual
	u.Read(frame)
	for b.Loop() {
		u.Digest(frame)
	}
}
