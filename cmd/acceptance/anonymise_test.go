package acceptance

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/meter/packet"
	"rtfm/ruleset/attr"
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
		for end, behind := range [2]uint8{attr.Source: p.PeerLen, attr.Dest: 0} {
			// What was captured of an address is nothing, or all.
			if whole := p.IPHeader + behind; p.Flags&match.IsIP != 0 && (p.PeerLen == 4 && whole >= 20 || p.PeerLen == 16 && whole >= 40) {
				a, _ := netip.AddrFromSlice(p.Key.Peer(end)[:p.PeerLen])
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
				break // damage among others
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

// anonymiseMerged writes a file of packets of traces, each trace and link type an
// interface, but for those whose link types are unknown to packet.Parts, and returns its
// name.
func anonymiseMerged(t *testing.T) string {
	t.Helper()
	type iface struct {
		trace string
		link  traces.LinkType
	}
	ifaces, left := make(map[iface]uint32), make(map[traces.LinkType]bool)
	var all []traces.Packet
	anonymiseTraces(t, func(name string) {
		packets := readWhole(t, name)
		if !tracetest.Long() {
			packets = packets[:min(len(packets), 200)]
		}
		for _, p := range packets {
			if len(packet.Parts(&p, nil)) == 0 && len(p.Data) > 0 {
				left[p.Link] = true
				continue
			}
			at := iface{name, p.Link}
			if ifaces[at] == 0 {
				ifaces[at] = uint32(len(ifaces) + 1)
			}
			p.Interface = ifaces[at]
			all = append(all, p)
		}
	})
	for link := range left {
		if link != traces.LinkWPAN && link != traces.LinkWPANNoFCS && link != traces.LinkWPANTAP && packet.Supported(link) {
			t.Errorf("nothing is known of link type %s", link)
		}
	}
	name := filepath.Join(t.TempDir(), "merged.pcapng")
	if err := os.WriteFile(name, tracetest.PCAPNG(false, all...), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAnonymisedFlows meters packets of traces as they are, and with their addresses
// replaced: without addresses the flows are the same to the octet, and with them as many,
// which have counted the same.
func TestAnonymisedFlows(t *testing.T) {
	t.Parallel()
	merged := anonymiseMerged(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("0123456789abcdef0123456789ABCDEF"), 0o600); err != nil {
		t.Fatal(err)
	}
	meter := func(program, scheme string) []string {
		args := []string{"run", "-q", "-e", program, "--csv", "--trust-times", merged}
		if scheme != "" {
			args = append(args, "--anonymise", scheme, "--key-file", key)
		}
		cmd := exec.Command("rtfm", args...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(cmd.Args, err)
		}
		return strings.Split(string(out), "\n")
	}
	const ends = `save SourceInterface, SourcePeerType, SourceTransType, SourceTransAddress, DestTransAddress, SourceAdjacentType,
		DSCodePoint, VLANid, VLANTags, InnerVLANid, MPLSLabel, TunnelKind, TunnelID, InnerSourcePeerType, InnerSourceTransType, InnerSourceTransAddress; `
	const counted = `save ToSizeStats, FromSizeStats, ToPayloadStats, FromPayloadStats, ToGapStats, FromGapStats, ToWindowStats, ToTCPFlags, FromTCPFlags, FirstPayloads = 20; count;`
	for _, scheme := range anonymise.SchemeNames() {
		if was, is := meter(ends+counted, ""), meter(ends+counted, scheme); !slices.Equal(was, is) {
			for i := range min(len(was), len(is)) {
				if was[i] != is[i] {
					t.Fatalf("%s: of %d and %d lines these differ:\n%s\n%s", scheme, len(was), len(is), was[i], is[i])
				}
			}
		}
		const addresses = `save SourceInterface, SourcePeerAddress, DestPeerAddress, SourceAdjacentAddress, DestAdjacentAddress, InnerSourcePeerAddress, InnerDestPeerAddress; count;`
		var rows [2][]string
		for i, s := range []string{"", scheme} {
			rows[i] = withoutAddresses(meter(addresses, s))
			slices.Sort(rows[i])
		}
		if !slices.Equal(rows[0], rows[1]) || len(rows[0]) < 100 {
			for i := range min(len(rows[0]), len(rows[1])) {
				if rows[0][i] != rows[1][i] {
					t.Errorf("%s: of %d and %d flows these differ:\n%s\n%s", scheme, len(rows[0]), len(rows[1]), rows[0][i], rows[1][i])
					break
				}
			}
			t.Errorf("%d flows", len(rows[0]))
		}
	}
}

// withoutAddresses returns rows of CSV without addresses, and without what numbers them.
func withoutAddresses(rows []string) []string {
	names := strings.Split(rows[0], ",")
	for i, row := range rows {
		var fields []string
		for j, field := range strings.Split(row, ",") {
			if name := names[min(j, len(names)-1)]; !strings.Contains(name, "Address") && name != "FlowIndex" {
				fields = append(fields, field)
			}
		}
		rows[i] = strings.Join(fields, ",")
	}
	return rows
}

// TestAnonymisedChecksums asks tshark for the checksums of packets whose addresses were
// replaced: those that were right are right, and those that were wrong are wrong.
func TestAnonymisedChecksums(t *testing.T) {
	t.Parallel()
	tshark := tracetest.Require(t, "tshark")
	merged := anonymiseMerged(t)
	cfg := anonymise.Config{Key: anonymise.Key{7, 31: 4}, Parts: packet.Parts, KeepPayload: true}
	r, err := anonymise.NewRewriter(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	was := readWhole(t, merged)
	is := slices.Clone(was)
	for i := range is {
		r.Rewrite(&is[i])
	}
	out := filepath.Join(t.TempDir(), "out.pcapng")
	if err := os.WriteFile(out, tracetest.PCAPNG(false, is...), 0o600); err != nil {
		t.Fatal(err)
	}
	fields := []string{"ip", "tcp", "udp", "icmp", "icmpv6", "igmp", "dccp", "gre"}
	ask := func(name string) [][]byte {
		args := []string{"-n", "-r", name, "-T", "fields", "-E", "occurrence=a", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"}
		for _, f := range fields {
			args = append(args, "-e", f+".checksum.status")
		}
		lines, err := exec.Command(tshark, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Split(lines, []byte("\n"))
	}
	before, after := ask(merged), ask(out)
	if len(before) != len(after) || len(before) != len(was)+1 {
		t.Fatalf("%d packets, %d before, %d after", len(was), len(before), len(after))
	}
	// Of others tshark knows nothing: "2".
	known := func(said []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(said, []byte("2"), nil), []byte(","), nil)
	}
	var faults []string
	verdicts := make(map[byte]int)
	for i := range was {
		if len(is[i].Data) < len(was[i].Data) {
			continue // it was cut, and tshark does not know
		}
		for _, v := range before[i] {
			verdicts[v]++
		}
		var p match.Packet
		if packet.Decode(&p, was[i].Link, was[i].Data, was[i].Wire); p.Flags&match.Fragment != 0 {
			continue // it may hold the checksum of another, in one of 16 octets
		}
		now := bytes.Split(after[i], []byte("\t"))
		for j, said := range bytes.Split(before[i], []byte("\t")) {
			if said = known(said); len(said) > 0 && len(known(now[j])) > 0 && !bytes.Equal(said, known(now[j])) {
				faults = append(faults, fmt.Sprintf("packet %d: checksums of %s are %s, were %s:\n% x\n% x", i+1, fields[j], now[j], said, is[i].Data[:min(len(is[i].Data), 150)], was[i].Data[:min(len(was[i].Data), 150)]))
			}
		}
	}
	// The address in an option of three octets that should have 18 is taken from those
	// behind it.
	if len(faults) > 1 {
		t.Errorf("%d faults:\n%s", len(faults), strings.Join(faults[:min(len(faults), 5)], "\n"))
	}
	t.Logf("%d checksums are right, %d wrong", verdicts['1'], verdicts['0'])
	if verdicts['1'] < 1000 || verdicts['0'] < 20 {
		t.Errorf("%d checksums are right, %d wrong", verdicts['1'], verdicts['0'])
	}
}
