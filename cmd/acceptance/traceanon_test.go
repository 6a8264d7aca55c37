package acceptance

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"rtfm/meter/packet"
	"rtfm/traces"
	"rtfm/traces/anonymise"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// readWhole returns the packets of a trace, as far as it can be read.
func readWhole(t *testing.T, name string) []traces.Packet {
	t.Helper()
	src, err := format.Open(name)
	if err != nil {
		return nil
	}
	defer src.Close()
	packets, _ := tracetest.ReadAll(t, src)
	return packets
}

// difference is an octet that traceanon makes something else of.
type difference struct {
	parts             []anonymise.Part // without link addresses
	was, ours, theirs []byte
	at                int // the octet
}

// ip returns where the octet is in the first IP datagram, and in what follows its header
// of IPv4.
func (d *difference) ip() (at, behind int) {
	ip := d.parts[0].At
	return d.at - ip, d.at - ip - int(d.was[ip]&0x0f)*4
}

// proto returns the protocol of the first IP datagram if it is of IPv4, else 0.
func (d *difference) proto() byte {
	if d.parts[0].Kind == anonymise.IPv4 {
		return d.was[d.parts[0].At+9]
	}
	return 0
}

// known is something that traceanon does otherwise.
type known struct {
	what string
	is   func(d *difference) bool
}

// traceanonDiffers tells what traceanon (libtrace 3.0.22) does otherwise. It looks for
// IPv4 only, in Ethernet with tags and the like, for TCP, UDP and ICMP behind it, and for
// the packet that an ICMP message quotes; 0 are its checksums.
var traceanonDiffers = []known{
	{"it leaves ARP as it is", func(d *difference) bool {
		return d.parts[0].Kind == anonymise.ARP && d.theirs[d.at] == d.was[d.at]
	}},
	{"it leaves IPv6 as it is, but for checksums", func(d *difference) bool {
		return d.parts[0].Kind == anonymise.IPv6 && (d.theirs[d.at] == d.was[d.at] || d.theirs[d.at] == 0)
	}},
	{"it leaves what tunnels carry, but for checksums", func(d *difference) bool {
		return len(d.parts) > 1 && d.at >= d.parts[1].At && (d.theirs[d.at] == d.was[d.at] || d.theirs[d.at] == 0)
	}},
	{"it does not find IP behind these headers", func(d *difference) bool {
		return string(d.theirs) == string(d.was)
	}},
	{"0 is the checksum of IPv4", func(d *difference) bool {
		at, _ := d.ip()
		return at/2 == 5 && d.theirs[d.at] == 0
	}},
	{"0 are the checksums of TCP, UDP and ICMP", func(d *difference) bool {
		_, at := d.ip()
		return d.theirs[d.at] == 0 && (d.proto() == 6 && at/2 == 8 || d.proto() == 17 && at/2 == 3 || d.proto() == 1 && at/2 == 1)
	}},
	{"checksums in what ICMP quotes are left, or 0, or mended though UDP has none", func(d *difference) bool {
		_, at := d.ip()
		return d.proto() == 1 && at >= 28
	}},
	{"it leaves 0.0.0.0", func(d *difference) bool {
		at, _ := d.ip()
		at = d.parts[0].At + at&^3
		return at+4 <= len(d.was) && binary.BigEndian.Uint32(d.was[at:]) == 0 && binary.BigEndian.Uint32(d.theirs[at:]) == 0
	}},
	{"it leaves addresses in options of IP", func(d *difference) bool {
		at, behind := d.ip()
		return at >= 20 && behind < 0 && d.theirs[d.at] == d.was[d.at]
	}},
	{"it leaves addresses in ICMP's redirects and router advertisements", func(d *difference) bool {
		return d.proto() == 1 && d.theirs[d.at] == d.was[d.at]
	}},
	{"it leaves IGMP, DCCP, and addresses in options of TCP", func(d *difference) bool {
		_, at := d.ip()
		return d.theirs[d.at] == d.was[d.at] && (d.proto() == 2 || d.proto() == 33 || d.proto() == 6 && at >= 20)
	}},
}

// TestTraceanon has traceanon replace the addresses of traces, with the same key: octets
// that it makes others of than we do must be those of the table.
func TestTraceanon(t *testing.T) {
	t.Parallel()
	traceanon, dir := tracetest.Require(t, "traceanon"), t.TempDir()
	cfg := anonymise.Config{Key: anonymise.Key([]byte("0123456789abcdef0123456789abcdeF")), KeepPayload: true}
	keyFile, out := filepath.Join(dir, "key"), filepath.Join(dir, "out.pcap")
	if err := os.WriteFile(keyFile, cfg.Key[:], 0o600); err != nil {
		t.Fatal(err)
	}
	// It leaves link addresses as they are.
	cfg.Parts = func(p *traces.Packet, parts []anonymise.Part) []anonymise.Part {
		return slices.DeleteFunc(packet.Parts(p, parts), func(p anonymise.Part) bool { return p.Kind <= anonymise.Blank })
	}
	r, err := anonymise.NewRewriter(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	same, differ := 0, make(map[string]int)
	anonymiseTraces(t, func(name string) {
		os.Remove(out)
		cmd := exec.Command("timeout", "-s", "KILL", "60", traceanon, "-s", "-d", "-f", keyFile, "pcapfile:"+name, "pcapfile:"+out)
		if cmd.Run() != nil {
			return // pcapng among others, which it does not know
		}
		was, theirs := readWhole(t, name), readWhole(t, out)
		for i := range min(len(was), len(theirs)) { // it stops at what it does not know
			ours := was[i]
			r.Reset()
			r.Rewrite(&ours)
			d := difference{parts: cfg.Parts(&was[i], nil), was: was[i].Data, ours: ours.Data, theirs: theirs[i].Data}
			if len(d.parts) > 0 && d.parts[0].Kind == anonymise.IPv4 && len(d.ours) >= d.parts[0].At+20 {
				if at := d.parts[0].At + 12; string(d.ours[at:at+8]) == string(d.theirs[at:at+8]) {
					same++
				}
			}
			for d.at = range d.ours {
				if d.ours[d.at] == d.theirs[d.at] {
					continue
				}
				why := slices.IndexFunc(traceanonDiffers, func(k known) bool { return k.is(&d) })
				if why < 0 {
					t.Errorf("%s: packet %d: octet %d of\n% x\nbecomes\n% x\ntheirs\n% x", name, i+1, d.at, d.was[:min(100, len(d.was))], d.ours[:min(len(d.ours), 100)], d.theirs[:min(len(d.was), 100)])
					break
				}
				differ[traceanonDiffers[why].what]++
			}
		}
	})
	if same < 2000 || tracetest.Long() && same < 60_000 {
		t.Errorf("%d packets have the same addresses", same)
	}
	for _, k := range traceanonDiffers {
		t.Logf("%s: %d octets", k.what, differ[k.what])
		if tracetest.Long() && differ[k.what] == 0 {
			t.Errorf("it is not so that %s", k.what)
		}
	}
}
