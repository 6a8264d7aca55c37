package compile

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// reading is how a program reads one table, whatever its name.
func reading(table string) srl.Options {
	return srl.Options{Open: func(string, string) (string, []byte, error) { return "t.csv", []byte(table), nil }}
}

// TestTableIsLongestMatch compares what a program saves by random tables with a
// search through all of their networks.
func TestTableIsLongestMatch(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2723))
	held := 0
	for round := range 60 {
		lines, hosts := 1+r.IntN(30), 3
		if round == 0 {
			lines, hosts = 4*mostOptimised, 256 // which the optimiser leaves alone
		}
		names := map[netip.Prefix]string{}
		var text strings.Builder
		for range lines {
			net := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(r.IntN(3)), byte(r.IntN(max(2, hosts-3))), byte(r.IntN(hosts))}), 6+r.IntN(27)).Masked()
			if r.IntN(4) == 0 {
				net = netip.PrefixFrom(netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", r.IntN(3))), 30+r.IntN(99)).Masked()
			}
			if names[net] == "" {
				names[net] = string(rune('a' + r.IntN(8)))
				fmt.Fprintf(&text, "%v,%s\n", net, names[net])
			}
		}
		if round == 0 && len(names) <= mostOptimised {
			t.Errorf("%d networks are too few", len(names))
		}
		rs, _, err := Source("x", []byte(`define t = file("t"); save SourcePeerAddress = t; if DestPeerAddress == t save DestTransType; count;`), reading(text.String()))
		if err != nil {
			t.Fatalf("%v\n%s", err, text.String())
		}
		shapes := new(match.Shapes)
		prog, err := pme.Compile(rs, 1, shapes)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			pkt := randomPacket(r)
			longest := func(end int) string {
				best := netip.Prefix{}
				addr, _ := netip.AddrFromSlice(pkt.Key.Peer(end)[:pkt.PeerLen])
				for net := range names {
					if net.Contains(addr) && (!best.IsValid() || net.Bits() > best.Bits()) {
						best = net
					}
				}
				return names[best]
			}
			key := pkt.Key
			var flow match.FlowKey
			prog.Match(pkt, &key, false, &flow)
			if _, is := flow.Shape.Mask(attr.DestTransType); is != (longest(1) != "") {
				t.Fatalf("key %x: found %v, but the destination is %q\n%s%s", pkt.Key, is, longest(1), text.String(), rulesOf(t, rs))
			}
			mask, _ := flow.Shape.Mask(attr.SourcePeerAddress)
			value := attr.MakeValue(flow.Value(attr.SourcePeerAddress)...)
			got, want := rs.Names.Of(attr.SourcePeerAddress, mask, value), longest(0)
			if got != want {
				t.Fatalf("key %x: %v & %v is %q, want %q\n%s%s", pkt.Key, value, mask, got, want, text.String(), rulesOf(t, rs))
			}
			if want != "" {
				held++
			}
		}
	}
	if held < 500 {
		t.Errorf("%d packets were in a table", held)
	}
}

// TestTableOfPorts finds the name of each port.
func TestTableOfPorts(t *testing.T) {
	_, _, err := Source("x", []byte(`save DestTransAddress = file("t"); count;`), reading("# ports\n https , www\n80,www\n8000..8099,web\n8080,proxy\n0/0,others\n53;x,dns\n"))
	if err == nil || !strings.Contains(err.Error(), `"53;x"`) {
		t.Errorf("got %v", err)
	}
	rs, warnings, err := Source("x", []byte(`save DestTransAddress = file("t"); count;`), reading("https , www\n80,www\n8000..8099,web\n8080,proxy\n0/0,others\n"))
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Msg, "8080 (proxy) is inside 8000 .. 8099") {
		t.Fatal(err, warnings)
	}
	prog, err := pme.Compile(rs, 1, new(match.Shapes))
	if err != nil {
		t.Fatal(err)
	}
	pkt := randomPacket(rand.New(rand.NewPCG(1, 2)))
	for port := range 1 << 16 {
		want := "others"
		switch {
		case port == 80 || port == 443:
			want = "www"
		case port == 8080:
			want = "proxy"
		case port >= 8000 && port < 8100:
			want = "web"
		}
		*pkt.Key.Trans(1) = [2]byte{byte(port >> 8), byte(port)}
		var flow match.FlowKey
		prog.Match(pkt, &pkt.Key, false, &flow)
		mask, _ := flow.Shape.Mask(attr.DestTransAddress)
		if got := rs.Names.Of(attr.DestTransAddress, mask, attr.MakeValue(flow.Value(attr.DestTransAddress)...)); got != want {
			t.Fatalf("port %d is %q, want %q", port, got, want)
		}
	}
}

// TestTableFaults tells of what is wrong with a table, in its file.
func TestTableFaults(t *testing.T) {
	for _, tt := range []struct{ program, table, want string }{
		{"save src = file(\"t\"); count;", "10/8,a\n10.1/16,b\n10.1/16,b\n10.0.0.0/8,c\n10.2/16,a\n10.3/16,x\n10.4.1.1/16,y\n10.5.0.0/33,z\n300.1.1.1,w",
			"t.csv:2:1: warning: 10.1/16 (b) is inside 10/8 (a, t.csv:1:1), as are 1 more in others: the longest mask counts\n" +
				"t.csv:3:1: warning: 10.1/16 stands there already (t.csv:2:1)\n" +
				"t.csv:4:1: 10.0.0.0/8 is a already (t.csv:1:1)\nt.csv:7:1: 10.4.1.1/16 has bits outside of its mask: the network is 10.4.0.0/16\n" +
				"t.csv:8:10: /33 is wider than the 32 bits of 10.5.0.0\n" +
				"t.csv:9:1: SourcePeerAddress: not a value: \"300.1.1.1\": field \"300\" is not a number from 0 to 255\n"},
		{"save dport = file(\"t\"); count;", "80,www\nhttps,www\n8000..8099,web\n70000,x\n10/8,y", // 10/8 are ports too
			"t.csv:4:1: DestTransAddress: not a value: \"70000\": greater than 65535, the most that 2 octets hold\n" +
				"t.csv:5:1: 10/8 has bits outside of its mask: the network is 0.0/8\n"},
		{"save src = file(\"t\"); count;", "Customer,Where\nacme,10/8", "t.csv:1:1: no value of SourcePeerAddress \"Customer\"\nt.csv:2:1: no value of SourcePeerAddress \"acme\"\n"},
		{"save FlowKind = file(\"t\"); save Host = file(\"t\"); count;", "1",
			"x:1:6: FlowKind has no tables, and 255 values at most: save an address or a number of packets by one, which is as good a name and has no such limit\n" +
				"x:1:33: Host is both ends, which can only be tested: write SourcePeerAddress, DestPeerAddress or both\n"},
	} {
		_, warnings, err := Source("x", []byte(tt.program), reading(tt.table))
		got := ""
		for _, w := range warnings {
			got += w.Error() + "\n"
		}
		if err != nil {
			got += err.Error() + "\n"
		}
		if got != tt.want {
			t.Errorf("%s\n%s\ngot:\n%swant:\n%s", tt.program, tt.table, got, tt.want)
		}
	}
	const sub = "call f (SourcePeerAddress) endcall; call f (dport) endcall; count; " +
		"subroutine f (address a) if a == file(\"t\") save, ignore; save a = file(\"t\"); endsub; " +
		"subroutine g (address a) if !(a != file(\"t\")) save, ignore; save a = file(\"t\"); endsub;"
	if rs, _, err := Source("x", []byte(sub), reading("80,www\n53,dns")); err != nil || rs.Names.Len() != 4 {
		t.Errorf("by a parameter: %v", err)
	}
	if _, _, err := Source("x", []byte(`save SourcePeerAddress = file("t"); count;`), srl.Options{Strict: true, Open: reading("10/8").Open}); err == nil ||
		err.Error() != "x:1:26: FILE is not in RFC 2723 (--strict): a list of values" {
		t.Errorf("strictly: %v", err)
	}
}

// BenchmarkTable reads and compiles a table of 100,000 networks.
func BenchmarkTable(b *testing.B) {
	var text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&text, "%d.%d.%d.0/24,customer %d\n", 11+i>>16, i>>8&255, i&255, i/3)
	}
	b.ReportAllocs()
	for b.Loop() {
		rs, _, err := Source("x", []byte(`save SourcePeerAddress = file("t"); count;`), reading(text.String()))
		if err != nil || rs.Names.Len() != 100_000 {
			b.Fatal(err)
		}
	}
}

// BenchmarkTableMatch matches packets with tables of 10 and of 100,000 networks, and
// with ones of all widths: those of one width are one lookup.
func BenchmarkTableMatch(b *testing.B) {
	for _, bb := range []struct {
		name   string
		n      int
		widths int // from /24 on to shorter ones
	}{{"10", 10, 1}, {"100000", 100_000, 1}, {"10-widths", 10, 5}, {"100000-widths", 100_000, 5}} {
		b.Run(bb.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, uint64(bb.n)))
			var text strings.Builder
			written := map[netip.Prefix]bool{}
			for len(written) < bb.n {
				a := netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), 0})
				if net := netip.PrefixFrom(a, 24-len(written)%bb.widths).Masked(); !written[net] {
					written[net] = true
					fmt.Fprintf(&text, "%v,customer %d\n", net, len(written)/3)
				}
			}
			rs, _, err := Source("x", []byte(`save SourcePeerAddress = file("t"); count;`), reading(text.String()))
			if err != nil {
				b.Fatal(err)
			}
			prog, err := pme.Compile(rs, 1, new(match.Shapes))
			if err != nil {
				b.Fatal(err)
			}
			packets := make([]*match.Packet, 1<<10)
			for i := range packets {
				packets[i] = randomPacket(r)
				for packets[i].PeerLen != 4 {
					packets[i] = randomPacket(r)
				}
				copy(packets[i].Key.Peer(0)[:], []byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
			}
			b.ReportAllocs()
			var flow match.FlowKey
			for i := 0; b.Loop(); i++ {
				pkt := packets[i%len(packets)]
				prog.Match(pkt, &pkt.Key, false, &flow)
			}
		})
	}
}
