package anonymise

import (
	"encoding/hex"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// key returns the key of hexadecimal digits.
func key(t testing.TB, digits string) *Key {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != KeySize {
		t.Fatalf("%q is no key", digits)
	}
	return (*Key)(b)
}

func newTest(t testing.TB, s Scheme, k *Key, keep ...string) *Addresses {
	t.Helper()
	var prefixes []netip.Prefix
	for _, p := range keep {
		prefixes = append(prefixes, netip.MustParsePrefix(p))
	}
	a, err := NewAddresses(s, k, prefixes)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The key that came with the first program of Crypto-PAn, those of the document that
// specifies ipcrypt-pfx, and one more.
const (
	referenceKey = "1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202"
	pfxKey       = "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301"
	pfxKey2      = "2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a"
)

// TestVectors has addresses and what others say becomes of them: of Crypto-PAn some
// of the sample that came with the first program, and of IPv6 what programs after it
// agree on; of ipcrypt-pfx those of its specification.
func TestVectors(t *testing.T) {
	for _, tc := range []struct {
		scheme  Scheme
		key     string
		vectors []string
	}{
		{CryptoPAn, referenceKey, []string{
			"128.11.68.132", "135.242.180.132", "129.118.74.4", "134.136.186.123", "130.132.252.244", "133.68.164.234",
			"141.223.7.43", "141.167.8.160", "152.163.225.39", "151.140.114.167", "192.41.57.43", "252.222.221.184",
			"216.254.18.172", "235.7.16.162", "24.0.250.221", "100.15.198.226", "4.3.88.225", "124.60.155.63",
			"64.34.154.117", "0.221.154.117", "10.185.25.118", "117.161.29.118",
			"::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed", "::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838",
			"2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e", "2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c",
		}},
		{IpcryptPFX, pfxKey, []string{
			"0.0.0.0", "151.82.155.134", "255.255.255.255", "94.185.169.89", "192.0.2.1", "100.115.72.131",
			"2001:db8::1", "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88",
		}},
		{IpcryptPFX, pfxKey2, []string{
			"10.0.0.47", "19.214.210.244", "10.0.0.129", "19.214.210.80", "10.0.0.234", "19.214.210.30",
			"172.16.5.193", "210.78.229.136", "172.16.97.42", "210.78.179.241", "172.16.248.177", "210.78.121.215",
			"2001:db8::a5c9:4e2f:bb91:5a7d", "7cec:702c:1243:f70:1956:125:b9bd:1aba",
			"2001:db8::7234:d8f1:3c6e:9a52", "7cec:702c:1243:f70:a3ef:c8e:95c1:cd0d",
			"2001:db8::f1e0:937b:26d4:8c1a", "7cec:702c:1243:f70:443c:c8e:6a62:b64d",
			"2001:db8:3a5c:0:e7d1:4b9f:2c8a:f673", "7cec:702c:3503:bef:e616:96bd:be33:a9b9",
			"2001:db8:9f27:0:b4e2:7a3d:5f91:c8e6", "7cec:702c:a504:b74e:194a:3d90:b047:2d1a",
			"2001:db8:d8b4:0:193c:a5e7:8b2f:46d1", "7cec:702c:f840:aa67:1b8:e84f:ac9d:77fb",
		}},
	} {
		a := newTest(t, tc.scheme, key(t, tc.key))
		for i := 0; i < len(tc.vectors); i += 2 {
			in, want := netip.MustParseAddr(tc.vectors[i]), netip.MustParseAddr(tc.vectors[i+1])
			for range 2 { // made, and remembered
				if got := a.Address(in); got != want {
					t.Errorf("%s: %s becomes %s, want %s", tc.scheme, in, got, want)
				}
			}
			if got := a.Original(want); got != in {
				t.Errorf("%s: %s was %s, want %s", tc.scheme, want, got, in)
			}
		}
	}
}

// common returns how many of their first bits two addresses have in common.
func common(a, b netip.Addr) (n int) {
	p, q := a.AsSlice(), b.AsSlice()
	for i := range p {
		if x := p[i] ^ q[i]; x != 0 {
			return n + bits.LeadingZeros8(x)
		}
		n += 8
	}
	return n
}

// FuzzPrefixes wants of two addresses that they have as many bits in common afterwards
// as before, that the original is found again, that what is remembered is what is made
// anew, and that kept prefixes stay.
func FuzzPrefixes(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint8(0), uint64(1))
	f.Add([]byte("0123456789abcdef"), uint8(31), uint64(7))
	f.Add([]byte{15: 0}, uint8(96), uint64(0))
	f.Add([]byte{10, 0, 0, 1, 15: 1}, uint8(24), uint64(77))
	var all, again [2]*Addresses
	for s := range all {
		all[s] = newTest(f, Scheme(s), key(f, pfxKey2), "10.0.0.0/8", "192.0.2.77/32", "2001:db8::/31", "fe80::/64")
		again[s] = newTest(f, Scheme(s), key(f, pfxKey2), "10.0.0.0/8", "192.0.2.77/32", "2001:db8::/31", "fe80::/64")
	}
	f.Fuzz(func(t *testing.T, first []byte, at uint8, other uint64) {
		if len(first) < 16 {
			return
		}
		for _, size := range []int{4, 16} {
			b := [16]byte(first)
			r := rand.New(rand.NewPCG(other, 1))
			n := int(at) % (8 * size)
			second := b
			second[n/8] ^= 0x80 >> (n % 8)
			for i := n/8 + 1; i < size; i++ {
				second[i] = byte(r.Uint32())
			}
			x, _ := netip.AddrFromSlice(b[:size])
			y, _ := netip.AddrFromSlice(second[:size])
			for s, a := range all {
				p, q := a.Address(x), a.Address(y)
				if common(p, q) != common(x, y) {
					t.Errorf("%s: %s and %s have %d bits in common, %s and %s %d", Scheme(s), x, y, common(x, y), p, q, common(p, q))
				}
				if got := a.Original(p); got != x {
					t.Errorf("%s: the original of %s is %s, want %s", Scheme(s), p, got, x)
				}
				fresh := again[s]
				if whole := fresh.walkAll(y); whole != q {
					t.Errorf("%s: %s becomes %s, without what is remembered %s", Scheme(s), y, q, whole)
				}
				for _, keep := range []string{"10.0.0.0/8", "192.0.2.77/32", "2001:db8::/31", "fe80::/64"} {
					if k := netip.MustParsePrefix(keep); k.Contains(x) != k.Contains(p) || k.Contains(x) && p != x {
						t.Errorf("%s: %s becomes %s, with %s kept", Scheme(s), x, p, k)
					}
				}
			}
		}
	})
}

// walkAll is Address without what is remembered.
func (a *Addresses) walkAll(address netip.Addr) netip.Addr {
	width, b := 8*len(address.AsSlice()), [16]byte{}
	copy(b[:], address.AsSlice())
	p := a.walk(prefix6(&b), prefix{}, 0, width, width)
	for i := range 16 {
		b[i] = byte(p.first(8*i+8).hi >> (56 - 8*(i%8)))
		if i >= 8 {
			b[i] = byte(p.lo >> (56 - 8*(i-8)))
		}
	}
	got, _ := netip.AddrFromSlice(b[:width/8])
	return got
}

// counted counts what a scheme is asked.
type counted struct {
	flipper
	asked int
}

func (c *counted) flip(p prefix, n, width int) uint64 {
	c.asked++
	return c.flipper.flip(p, n, width)
}

// TestRemembered wants few blocks ciphered for addresses of the same networks, and none
// for those that come again; and for addresses that are all new no more than their bits.
func TestRemembered(t *testing.T) {
	flips, err := CryptoPAn.flipper(key(t, pfxKey))
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{flipper: flips}
	a := newAddresses(c, nil)
	ask := func(what string, want int, address netip.Addr) {
		t.Helper()
		c.asked = 0
		a.Address(address)
		if c.asked > want {
			t.Errorf("%s: %d blocks for %s, want %d at most", what, c.asked, address, want)
		}
	}
	addr := netip.MustParseAddr
	ask("first", 32, addr("192.0.2.1"))
	ask("again", 0, addr("192.0.2.1"))
	ask("of the same network", 8, addr("192.0.2.200"))
	ask("of one near", 16, addr("192.0.77.200"))
	ask("first", 128, addr("2001:db8:1:2::1"))
	ask("again", 0, addr("2001:db8:1:2::1"))
	ask("of the same network", 64, addr("2001:db8:1:2::2"))
	ask("of the same site", 80, addr("2001:db8:1:7::2"))
	ask("of the same provider", 96, addr("2001:db8:2:7::2"))
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		var b [4]byte
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		ask("any", 32, netip.AddrFrom4(b))
	}
	if n := testing.AllocsPerRun(100, func() { a.IPv4([4]byte{byte(r.Uint32()), 1, 2, 3}); a.IPv6([16]byte{byte(r.Uint32())}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestStations wants no two link addresses to become one, manufacturers to stay, and
// what belongs to nobody.
func TestStations(t *testing.T) {
	s := newStations(key(t, pfxKey))
	seen := make(map[[6]byte][6]byte)
	check := func(in [6]byte, keep int) {
		t.Helper()
		out := in
		s.replace(out[:])
		if before, ok := seen[out]; ok && before != in {
			t.Errorf("%x and %x become %x", before, in, out)
		}
		seen[out] = in
		if keep == 6 && out != in || string(out[:keep]) != string(in[:keep]) || keep < 6 && out == in {
			t.Errorf("%x becomes %x, want %d octets kept", in, out, keep)
		}
	}
	for i := range 3000 {
		check([6]byte{0x00, 0x1b, 0x21, byte(i >> 10), byte(i >> 5), byte(i)}, 3)
		check([6]byte{0x02, byte(i >> 8), byte(i), 0x11, 0, 2}, 1)
		check([6]byte{0x33, 0x33, 0xff, byte(i >> 8), byte(i), 1}, 2)
		check([6]byte{0x01, 0x00, 0x5e, 1, byte(i >> 8), byte(i)}, 3)
	}
	check(broadcast, 6)
	check([6]byte{}, 6)
	check([6]byte{0x01, 0x80, 0xc2, 0, 0, 0}, 6)
	for _, size := range []int{1, 2, 4, 8} {
		all := make(map[string]bool)
		for i := range 250 {
			b := make([]byte, size)
			b[0], b[size-1] = byte(7*i), byte(i)
			s.replace(b)
			all[string(b)] = true
		}
		if len(all) != 250 {
			t.Errorf("%d addresses of %d octets become %d", 250, size, len(all))
		}
	}
	ring, back := [6]byte{0x80, 1, 2, 3, 4, 5}, [6]byte{0x00, 1, 2, 3, 4, 5}
	s.replaceRing(ring[:])
	s.replaceRing(back[:])
	if ring[0] != back[0]|0x80 || [5]byte(ring[1:]) != [5]byte(back[1:]) {
		t.Errorf("%x with routing information, %x without", ring, back)
	}
}

func BenchmarkAddresses(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, s := range []Scheme{CryptoPAn, IpcryptPFX} {
		a := newTest(b, s, key(b, pfxKey))
		for _, hosts := range []int{1000, 10_000, 1 << 22} {
			v4, v6 := make([][4]byte, hosts), make([][16]byte, hosts)
			for i := range hosts {
				// Few networks have most of the hosts.
				n := uint32(r.ExpFloat64() * float64(hosts) / 50)
				v4[i] = [4]byte{192, byte(n >> 8), byte(n), byte(r.Uint32())}
				v6[i] = [16]byte{0x20, 1, 0xd, 0xb8, byte(n >> 8), byte(n), 14: byte(r.Uint32()), 15: byte(r.Uint32())}
				if hosts == 1<<22 {
					v4[i] = [4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}
				}
			}
			name := s.String() + "/" + map[int]string{1000: "1k", 10_000: "10k", 1 << 22: "random"}[hosts]
			b.Run(name+"/v4", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					a.IPv4(v4[i%hosts])
				}
			})
			b.Run(name+"/v6", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					a.IPv6(v6[i%hosts])
				}
			})
		}
	}
}
