package live

import (
	"bytes"
	"encoding/binary"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestAny captures at all interfaces, of which some come later, and wants each
// packet at each of those that it is seen at, as a capture at that one has it.
func TestAny(t *testing.T) {
	for _, rings := range []int{1, 2} {
		tracetest.Network(t)
		c := open(t, func(c *Config) { c.Rings, c.RingSize = rings, 8<<20 }, All)
		tracetest.Run(t, "ip link add ec type veth peer name ed")
		tracetest.Up(t, "ec", "ed")
		want := frames(1000)
		tracetest.NewSender(t, "ea").Send(want...)
		tracetest.NewSender(t, "ec").Send(want...)
		to, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		from, err := net.Dial("udp", to.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		from.Write([]byte("once"))
		from.Close()
		to.Close()
		at := make(map[uint32][]traces.Packet)
		for _, p := range c.rest() {
			at[p.Interface] = append(at[p.Interface], p)
		}
		for _, i := range []struct {
			name      string
			direction traces.Direction
		}{{"ea", traces.Outgoing}, {"eb", traces.Passing}, {"ec", traces.Outgoing}, {"ed", traces.Passing}} {
			got := at[uint32(tracetest.Index(t, i.name))]
			if len(got) != len(want) {
				t.Fatalf("%d rings: %d packets at %s, want %d", rings, len(got), i.name, len(want))
			}
			for n, p := range got {
				// Rings that share packets keep the order of each flow only.
				if rings == 1 && !bytes.Equal(p.Data, want[n]) || int(p.Wire) != len(p.Data) || p.Link != traces.LinkEthernet || p.Direction != i.direction {
					t.Fatalf("%d rings: packet %d at %s is %+v, want %x", rings, n, i.name, p, want[n])
				}
			}
		}
		once := 0
		for _, p := range at[uint32(tracetest.Index(t, "lo"))] {
			if bytes.HasSuffix(p.Data, []byte("once")) && p.Link == traces.LinkEthernet && p.Direction == traces.Passing {
				once++
			}
		}
		if once != 1 {
			t.Errorf("%d rings: a packet at lo came %d times", rings, once)
		}
		if st := c.src.Stats(); len(st.PerInterface) != 6 || st.PerInterface[0] != (traces.InterfaceStats{Number: allNumber, Name: All}) ||
			!slices.Contains(st.PerInterface, traces.InterfaceStats{Number: uint32(tracetest.Index(t, "ed")), Name: "ed"}) || st.Lost != 0 {
			t.Errorf("%d rings: %+v", rings, st)
		}
	}
}

// TestAnyWithOthers: all interfaces are not captured twice.
func TestAnyWithOthers(t *testing.T) {
	_, err := Open(t.Context(), Config{Interfaces: []string{"lo", All}, RingSize: 1, Rings: 1, SnapLen: 1})
	if err == nil || !strings.HasPrefix(err.Error(), "any is all interfaces") {
		t.Errorf("error %v", err)
	}
}

// TestAnyCooked: the link header of a device whose kind nobody knows gives way to
// that of a cooked capture, and does not count.
func TestAnyCooked(t *testing.T) {
	payload := []byte{0xaa, 0xbb, 0xcc, 0xdd, 0x45, 0, 0, 16, 1, 2, 3, 4}
	data := makeBlock(1, payload)
	binary.NativeEndian.PutUint16(data[48+packetNet:], 104)
	b := newBlock(data)
	found := 0
	from := &device{link: traces.LinkEthernet, all: &devices{seen: make(map[int32]*device), found: func(*device) { found++ }}}
	var p traces.Packet
	b.take(&p, from)
	want := append([]byte{0, 4, 3, 10, 0, 4, 10, 0, 0, 1, 0, 0, 0, 0, 8, 0}, payload[4:]...)
	if !bytes.Equal(p.Data, want) || p.Wire != 20-4+16 || p.Link != traces.LinkLinuxSLL || found != 1 {
		t.Errorf("packet is %+v, want %x; %d devices", p, want, found)
	}
}

// TestStamps: it is told who has stamped packets, and that a card cannot.
func TestStamps(t *testing.T) {
	tracetest.Network(t)
	c := open(t, func(c *Config) { c.CardStamps = true }, "eb")
	tracetest.NewSender(t, "ea").Send(frames(1000)...)
	c.rest()
	st := c.src.Stats()
	if len(st.Stamps) != 1 || st.Stamps[0].Name != "eb" {
		t.Fatalf("stamps %+v", st.Stamps)
	}
	by := st.Stamps[0].By
	if n := by[traces.StampKernel]; n != 1000 || by[traces.StampCard] != 0 || by[traces.StampAdapter] != 0 {
		t.Errorf("stamped by %v, want 1000 by the kernel", by)
	}
	if !slices.ContainsFunc(c.told, func(s string) bool { return strings.HasPrefix(s, "eb: its card cannot be had to stamp packets: ") }) {
		t.Errorf("told %q, want that the card does not stamp", c.told)
	}
	if got := clockState(); got != st.SystemClock {
		t.Errorf("system clock %v, want %v", st.SystemClock, got)
	}
}

// TestStampSources reads packets with each of the bits that the kernel sets.
func TestStampSources(t *testing.T) {
	var from device
	for _, status := range []uint32{0, unix.TP_STATUS_TS_SOFTWARE, unix.TP_STATUS_TS_SYS_HARDWARE, unix.TP_STATUS_TS_RAW_HARDWARE | unix.TP_STATUS_USER} {
		data := makeBlock(1, make([]byte, 60))
		binary.NativeEndian.PutUint32(data[48+packetStatus:], status)
		b := newBlock(data)
		b.take(new(traces.Packet), &from)
	}
	s := source{interfaces: []*captured{{device: from}}}
	s.tellStamps()
	if want := [traces.StampSources]uint64{traces.StampKernel: 2, traces.StampCard: 1, traces.StampAdapter: 1}; s.stats.Stamps[0].By != want {
		t.Errorf("stamped by %v, want %v", s.stats.Stamps[0].By, want)
	}
}
