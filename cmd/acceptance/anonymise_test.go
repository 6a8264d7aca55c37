package acceptance

import (
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"path/filepath"
	"testing"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/anonymise"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// anonymiseTraces calls use with the names of all traces that there are, or of a few.
func anonymiseTraces(t *testing.T, use func(name string)) {
	t.Helper()
	shared := tracetest.Require(t, "traces")
	n := 0
	err := filepath.WalkDir(filepath.Join(shared, "traces"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if n++; tracetest.Long() || n%20 == 0 {
			use(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAnonymisedHeaders decodes the packets of traces, and what they become: all of them
// must have the attributes that they had, but for addresses, which must be those that the
// scheme makes of them; link addresses must have become others, each another.
func TestAnonymisedHeaders(t *testing.T) {
	t.Parallel()
	cfg := anonymise.Config{Key: anonymise.Key{1, 2, 3, 31: 4}, Parts: packet.Parts}
	r, err := anonymise.NewRewriter(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	addresses, _ := anonymise.NewAddresses(cfg.Scheme, &cfg.Key, nil)
	become := func(p *match.Packet) {
		for end := range 2 {
			a, ok := netip.AddrFromSlice(p.Key.Peer(end)[:p.PeerLen])
			if ok && p.Flags&match.IsIP != 0 && (p.Flags&(match.Cut|match.Malformed) == 0 || !a.IsUnspecified()) {
				copy(p.Key.Peer(end)[:], addresses.Address(a).AsSlice())
			}
		}
	}
	forth, back := make(map[string]string), make(map[string]string)
	var was, is, inner match.Packet
	anonymiseTraces(t, func(name string) {
		src, err := format.Open(name)
		if err != nil {
			return
		}
		defer src.Close()
		var b traces.Batch
		faults := 0
		for number := 1; faults < 3; {
			if err := src.ReadBatch(&b); err != nil {
				if !errors.Is(err, io.EOF) {
					t.Logf("%s: %v", name, err)
				}
				break
			}
			r.Reset()
			for i := range b.Packets {
				p := &b.Packets[i]
				packet.Decode(&was, p.Link, p.Data, p.Wire)
				var tunnel packet.Tunnel
				if packet.PlainTunnels.Open(&was, &tunnel) == packet.Opened {
					packet.Decode(&inner, tunnel.Link, tunnel.Inner(p.Data), tunnel.Octets)
					become(&inner)
					was.Key.SetInner(&inner.Key)
					was.Key.SetTunnel(uint8(tunnel.Kind), tunnel.ID)
				}
				become(&was)
				before := string(p.Data)
				r.Rewrite(p)
				packet.Decode(&is, p.Link, p.Data, p.Wire)
				packet.PlainTunnels.Look(&is, &inner, true)
				for end := range 2 {
					old, new := string(was.Key.Adjacent(end)[:was.AdjacentLen]), string(is.Key.Adjacent(end)[:was.AdjacentLen])
					if x, ok := forth[old]; ok && x != new {
						t.Errorf("%s, packet %d: link address %x becomes %x and %x", name, number, old, x, new)
					}
					if x, ok := back[new]; ok && x != old {
						t.Errorf("%s, packet %d: link addresses %x and %x become %x", name, number, old, x, new)
					}
					forth[old], back[new] = new, old
					*was.Key.Adjacent(end) = *is.Key.Adjacent(end)
				}
				if was.PeerLen > 0 && was.Flags&match.IsIP == 0 { // of other protocols
					for end := range 2 {
						*was.Key.Peer(end) = *is.Key.Peer(end)
					}
				}
				if was.Key != is.Key || was.IPOctets != is.IPOctets || was.PeerLen != is.PeerLen || was.AdjacentLen != is.AdjacentLen {
					faults++
					t.Errorf("%s, packet %d of link type %s:\n% x\nbecomes\n% x,\nand\n%x\n%x", name, number, p.Link, before, p.Data, was.Key, is.Key)
				}
				number++
			}
		}
	})
	if c := r.Counts(); c.Packets < 3000 || c.Cut == 0 || c.Cut > c.Packets/10 || c.Unknown > c.Packets/50 {
		t.Errorf("%+v", c)
	}
}
