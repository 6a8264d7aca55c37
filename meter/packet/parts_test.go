package packet

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/anonymise"
	"rtfm/traces/tracetest"
)

// rewriter returns a Rewriter, and what replaces addresses as it does.
func rewriter(t testing.TB, payload bool) (*anonymise.Rewriter, *anonymise.Addresses) {
	t.Helper()
	cfg := anonymise.Config{Key: anonymise.Key{1, 2, 31: 3}, KeepPayload: payload, Parts: Parts}
	r, err := anonymise.NewRewriter(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	a, err := anonymise.NewAddresses(cfg.Scheme, &cfg.Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r, a
}

// FuzzRewrite rewrites any packet: what it was stays, it becomes no longer, and Decode
// finds the same in it, but for addresses, those of IP as the scheme has them.
func FuzzRewrite(f *testing.F) {
	for _, test := range decodeTests {
		f.Add(uint16(test.link), unhex(f, test.data), uint16(0), false)
		f.Add(uint16(test.link), unhex(f, test.data), uint16(20), true)
	}
	for _, p := range tracetest.Provider()[:50] {
		f.Add(uint16(p.Link), p.Data, uint16(0), true)
	}
	r, addresses := rewriter(f, false)
	with, _ := rewriter(f, true)
	f.Fuzz(func(t *testing.T, link uint16, data []byte, more uint16, payload bool) {
		p := traces.Packet{Link: traces.LinkType(link), Data: bytes.Clone(data), Wire: uint32(len(data)) + uint32(more)}
		before := p
		r := r
		if payload {
			r = with
		}
		r.Reset()
		r.Rewrite(&p)
		if !bytes.Equal(before.Data, data) || len(p.Data) > len(data) {
			t.Fatalf("% x was changed, or became % x", data, p.Data)
		}
		var was, is match.Packet
		Decode(&was, p.Link, data, p.Wire)
		Decode(&is, p.Link, p.Data, p.Wire)
		if is.Flags&match.IsIP == 0 || len(p.Data) < len(data) && is.Flags&(match.Cut|match.Malformed) != 0 {
			return
		}
		for end := range 2 {
			a, _ := netip.AddrFromSlice(was.Key.Peer(end)[:was.PeerLen])
			copy(was.Key.Peer(end)[:], addresses.Address(a).AsSlice())
			*was.Key.Adjacent(end) = *is.Key.Adjacent(end)
		}
		whole := was.PeerLen == 4 && was.IPHeader >= 20 || was.PeerLen == 16 && was.IPHeader >= 40
		if whole && was.Key != is.Key {
			t.Errorf("% x\nbecomes\n% x,\nand\n%x\n%x", data, p.Data, was.Key, is.Key)
		}
	})
}

// TestRewriteChecksums rewrites packets whose checksums are right, and wants them right
// where these cover addresses in other places than headers.
func TestRewriteChecksums(t *testing.T) {
	eth := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
	v4, v6 := eth.IPv4("10.0.0.1", "10.0.0.2"), eth.IPv6("2001:db8::1", "2001:db8::2")
	inner4 := tracetest.Frame{}.IPv4("192.0.2.1", "192.0.2.2").UDP(1, 2).Payload(20).Bytes()
	inner6 := tracetest.Frame{}.IPv6("fe80::1", "fe80::2").TCP(1, 2, 2).Payload(20).Bytes()
	bridged := tracetest.Eth("02:00:00:00:00:03", "02:00:00:00:00:04").IPv4("192.0.2.1", "192.0.2.2").TCP(3, 4, 2).Payload(9).Bytes()
	target := netip.MustParseAddr("2001:db8::77").AsSlice()
	for _, tc := range []struct {
		name  string
		frame tracetest.Frame
		gone  []string // octets that must not be there any more
	}{
		{"tcp", v4.TCP(1, 2, 2).Payload(7), []string{"\x0a\x00\x00\x01"}},
		{"udp", v6.UDP(1, 2).Payload(7), []string{"\x20\x01\x0d\xb8"}},
		{"vxlan", v4.UDP(9, portVXLAN).Raw(0, slices.Concat([]byte{8, 0, 0, 0, 0, 0, 1, 0}, bridged)), []string{"\xc0\x00\x02\x01", "\x02\x00\x00\x00\x00\x03"}},
		{"gtp-u", v6.UDP(portGTPU, portGTPU).Raw(0, slices.Concat([]byte{0x30, 255, 0, byte(len(inner6)), 0, 0, 0, 1}, inner6)), []string{"\xfe\x80\x00\x00"}},
		{"icmp error", v4.ICMP(3, 1).Raw(0, inner4), []string{"\xc0\x00\x02\x01"}},
		{"icmp redirect", v4.ICMP(5, 1).Raw(0, inner4), []string{"\xc0\x00\x02\x01"}},
		{"icmpv6 error", v6.ICMPv6(1, 1).Raw(0, inner6), []string{"\xfe\x80\x00\x00"}},
		{"solicitation", v6.ICMPv6(135, 0).Raw(0, slices.Concat(target, []byte{1, 1, 2, 0, 0, 0, 0, 1})), []string{string(target), "\x02\x00\x00\x00\x00\x01"}},
		{"redirect", v6.ICMPv6(137, 0).Raw(0, slices.Concat(target, target, []byte{2, 1, 2, 0, 0, 0, 0, 1, 4, byte(1 + (len(inner6)+7)/8), 0, 0, 0, 0, 0, 0}, inner6, make([]byte, 7&-len(inner6)))), []string{string(target), "\xfe\x80\x00\x00"}},
		{"advertisement", v6.ICMPv6(134, 0).Raw(0, slices.Concat(make([]byte, 8), []byte{3, 4, 64, 0xc0, 11: 0, 15: 0}, target)), []string{string(target)}},
	} {
		for _, payload := range []bool{false, true} {
			data := tc.frame.Bytes()
			wrong := bytes.Clone(data)
			wrong[len(wrong)-1] ^= 0x40
			for _, d := range [][]byte{data, wrong} {
				p := traces.Packet{Link: traces.LinkEthernet, Data: d, Wire: uint32(len(d))}
				r, _ := rewriter(t, payload)
				r.Rewrite(&p)
				for _, gone := range tc.gone {
					if bytes.Contains(p.Data, []byte(gone)) {
						t.Errorf("%s: % x is still there: % x", tc.name, gone, p.Data)
					}
				}
				if len(p.Data) == len(d) && transportSum(t, p.Data) != transportSum(t, d) {
					t.Errorf("%s: the sum is %#x, was %#x:\n% x\n% x", tc.name, transportSum(t, p.Data), transportSum(t, d), p.Data, d)
				}
			}
		}
	}
}

// transportSum returns the sum that is 0xffff if the transport checksum of an Ethernet
// frame is right (RFC 1071).
func transportSum(t *testing.T, frame []byte) uint64 {
	t.Helper()
	var p match.Packet
	Decode(&p, traces.LinkEthernet, frame, uint32(len(frame)))
	covered := slices.Clone(frame[p.Transport:][:p.TransportOctets])
	if proto := p.Key.TransType(); proto != protoICMP {
		for end := range 2 {
			covered = append(covered, make([]byte, len(covered)&1)...)
			covered = append(covered, p.Key.Peer(end)[:p.PeerLen]...)
		}
		covered = append(covered, 0, proto, byte(p.TransportOctets>>8), byte(p.TransportOctets))
	}
	sum := uint64(0)
	for i, b := range covered {
		sum += uint64(b) << (8 * (1 - i&1))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return sum
}

// TestRewriteAllocates wants nothing allocated for packets.
func TestRewriteAllocates(t *testing.T) {
	r, _ := rewriter(t, false)
	packets := append(tracetest.Mix(200), tracetest.Provider()[:200]...)
	p := new(traces.Packet)
	if n := testing.AllocsPerRun(50, func() {
		r.Reset()
		for i := range packets {
			*p = packets[i]
			r.Rewrite(p)
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d packets", n, len(packets))
	}
}

func BenchmarkRewrite(b *testing.B) {
	packets := tracetest.Mix(10_000)
	for name, payload := range map[string]bool{"headers": false, "payload": true} {
		r, _ := rewriter(b, payload)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p := new(traces.Packet)
				for i := range packets {
					*p = packets[i]
					if i%256 == 0 {
						r.Reset()
					}
					r.Rewrite(p)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(packets)), "ns/packet")
		})
	}
}
