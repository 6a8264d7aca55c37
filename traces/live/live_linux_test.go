package live

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// capture is a source under test, with what it has notified.
type capture struct {
	t      *testing.T
	src    traces.Source
	told   []string
	cancel context.CancelFunc
}

// open captures whole packets at interfaces; change makes it other.
func open(t *testing.T, change func(*Config), interfaces ...string) *capture {
	t.Helper()
	c := &capture{t: t}
	config := Config{
		Interfaces: interfaces, RingSize: 4 << 20, Rings: 1, SnapLen: 65535, Promiscuous: true,
		Notify: func(message string) {
			if !strings.HasPrefix(message, "the system's clock ") { // which is as it is
				c.told = append(c.told, message)
			}
		},
	}
	if change != nil {
		change(&config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	c.cancel = cancel
	var err error
	if c.src, err = Open(ctx, config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.src.Close() })
	return c
}

// read reads until done says that it is enough of packets, or the source ends.
// The packets are copies.
func (c *capture) read(done func([]traces.Packet) bool) (packets []traces.Packet) {
	c.t.Helper()
	var b traces.Batch
	for deadline := time.Now().Add(20 * time.Second); !done(packets); {
		if time.Now().After(deadline) {
			c.t.Fatalf("%d packets, and no more come; %+v", len(packets), c.src.Stats())
		}
		err := c.src.ReadBatch(&b)
		if err == io.EOF {
			return packets
		}
		if err != nil {
			c.t.Fatal(err)
		}
		for _, p := range b.Packets {
			p.Data = bytes.Clone(p.Data)
			packets = append(packets, p)
		}
	}
	return packets
}

// rest reads to the end of what has come so far.
func (c *capture) rest() []traces.Packet {
	c.t.Helper()
	c.cancel()
	return c.read(func([]traces.Packet) bool { return false })
}

func atLeast(n int) func([]traces.Packet) bool {
	return func(ps []traces.Packet) bool { return len(ps) >= n }
}

// frames returns the octets of n packets of ordinary traffic.
func frames(n int) (frames [][]byte) {
	for _, p := range tracetest.Mix(n) {
		frames = append(frames, p.Data)
	}
	return frames
}

// TestCapture sends traffic and wants it back, the same octets in the same
// order and with times that fit, however many rings there are.
func TestCapture(t *testing.T) {
	for _, rings := range []int{1, 3} {
		tracetest.Network(t)
		c := open(t, func(c *Config) { c.Rings, c.RingSize = rings, 8<<20 }, "eb")
		want := frames(5000)
		began := time.Now().UnixNano()
		tracetest.NewSender(t, "ea").Send(want...)
		ended := time.Now().UnixNano()
		got := c.rest()
		if len(got) != len(want) {
			t.Fatalf("%d rings: %d packets, want %d", rings, len(got), len(want))
		}
		index := uint32(tracetest.Index(t, "eb"))
		octets := 0
		for i, p := range got {
			if !bytes.Equal(p.Data, want[i]) || int(p.Wire) != len(want[i]) || p.Link != traces.LinkEthernet ||
				p.Interface != index || p.Direction != traces.Passing || p.FCS != 0 {
				t.Fatalf("%d rings: packet %d is %+v, want %x", rings, i, p, want[i])
			}
			if p.Time < began || p.Time > ended || i > 0 && p.Time < got[i-1].Time {
				t.Fatalf("%d rings: packet %d came at %d, sent between %d and %d", rings, i, p.Time, began, ended)
			}
			octets += len(p.Data)
		}
		st := c.src.Stats()
		if st.Records != 5000 || st.Bytes != uint64(octets) || st.Cut != 0 || st.Lost != 0 ||
			!slices.Equal(st.PerInterface, []traces.InterfaceStats{{Number: index, Name: "eb"}}) {
			t.Errorf("%d rings: %+v", rings, st)
		}
	}
}

// TestSnapLen captures only the beginning of packets.
func TestSnapLen(t *testing.T) {
	tracetest.Network(t)
	c := open(t, func(c *Config) { c.SnapLen = 60 }, "eb")
	want := frames(100)
	tracetest.NewSender(t, "ea").Send(want...)
	var cut uint64
	for i, p := range c.rest() {
		head := want[i][:min(60, len(want[i]))]
		if !bytes.Equal(p.Data, head) || int(p.Wire) != len(want[i]) {
			t.Errorf("packet %d is %+v, want %x of %d octets", i, p, head, len(want[i]))
		}
		if len(want[i]) > 60 {
			cut++
		}
	}
	if st := c.src.Stats(); st.Records != 100 || st.Cut != cut || cut == 0 {
		t.Errorf("%+v, want 100 packets, %d of them cut", st, cut)
	}
}

// TestDirections sends to the other interface, to everybody, to a group and to
// a third station, and captures at both interfaces.
func TestDirections(t *testing.T) {
	tracetest.Network(t)
	macs := map[string]string{}
	for _, name := range []string{"ea", "eb"} {
		macs[name] = strings.Fields(strings.SplitN(tracetest.Run(t, "ip -o link show "+name), "link/ether ", 2)[1])[0]
	}
	var sent [][]byte
	for _, to := range []string{macs["eb"], "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "02:00:00:00:00:77"} {
		sent = append(sent, tracetest.Eth(macs["ea"], to).IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Bytes())
	}
	a, b := uint32(tracetest.Index(t, "ea")), uint32(tracetest.Index(t, "eb"))
	for _, promiscuous := range []bool{true, false} {
		c := open(t, func(c *Config) { c.Promiscuous = promiscuous }, "ea", "eb")
		tracetest.NewSender(t, "ea").Send(sent...)
		got := map[uint32][]traces.Direction{}
		for _, p := range c.rest() {
			got[p.Interface] = append(got[p.Interface], p.Direction)
		}
		in := []traces.Direction{traces.Incoming, traces.Incoming, traces.Incoming, traces.Passing}
		out := []traces.Direction{traces.Outgoing, traces.Outgoing, traces.Outgoing, traces.Outgoing}
		// Of two joined interfaces each sees what is for others, whether it is
		// promiscuous or not.
		if !slices.Equal(got[a], out) || !slices.Equal(got[b], in) || len(got) != 2 {
			t.Errorf("promiscuous %v: ea %v, eb %v, want %v, %v", promiscuous, got[a], got[b], out, in)
		}
		c.src.Close()
		flags := tracetest.Run(t, "ip -d -o link show eb")
		if strings.Contains(flags, "promiscuity 1") {
			t.Errorf("eb is still promiscuous:%s", flags)
		}
	}
	open(t, nil, "eb")
	if flags := tracetest.Run(t, "ip -d -o link show eb"); !strings.Contains(flags, "promiscuity 1") {
		t.Errorf("eb is not promiscuous:%s", flags)
	}
}

// TestVLAN sends tagged frames, whose outermost tag the kernel takes off.
func TestVLAN(t *testing.T) {
	tracetest.Network(t)
	inner := func(f tracetest.Frame) []byte {
		return f.IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Payload(30).Bytes()
	}
	eth := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
	want := [][]byte{
		inner(eth.VLAN(5)), inner(eth.VLAN(0xe000)), inner(eth.QinQ(100).VLAN(7)), inner(eth.VLAN(9).VLAN(8)), inner(eth),
	}
	c := open(t, nil, "eb")
	tracetest.NewSender(t, "ea").Send(want...)
	got := c.rest()
	if len(got) != len(want) {
		t.Fatalf("%d packets, want %d", len(got), len(want))
	}
	for i, p := range got {
		if !bytes.Equal(p.Data, want[i]) || int(p.Wire) != len(want[i]) {
			t.Errorf("%d: %x of %d octets, want %x", i, p.Data, p.Wire, want[i])
		}
	}
}

// TestLoopback captures each packet once where it is sent and received.
func TestLoopback(t *testing.T) {
	tracetest.Network(t)
	c := open(t, nil, "lo")
	want := frames(10)
	tracetest.NewSender(t, "lo").Send(want...)
	got := c.rest()
	if len(got) != len(want) || got[0].Direction != traces.Passing || !bytes.Equal(got[9].Data, want[9]) {
		t.Errorf("%d packets, want %d: %+v", len(got), len(want), got)
	}
	if len(c.told) > 0 {
		t.Errorf("told %q", c.told)
	}
}

// TestOrder captures the same packets at four interfaces with two rings each,
// and wants them all, in the order of their times.
func TestOrder(t *testing.T) {
	tracetest.Network(t)
	tracetest.Run(t, "ip link add ec type veth peer name ed")
	tracetest.Up(t, "ec", "ed")
	c := open(t, func(c *Config) { c.Rings = 2 }, "ea", "eb", "ec", "ed")
	senders := []*tracetest.Sender{tracetest.NewSender(t, "ea"), tracetest.NewSender(t, "ec")}
	r := rand.New(rand.NewPCG(1, 2))
	want := frames(3000)
	var got []traces.Packet
	for i, f := range want {
		senders[min(r.IntN(10), 1)].Send(f) // far more at c and d
		if i%500 == 499 {
			// In the middle: some of what was sent is in blocks that are ready.
			got = append(got, c.read(atLeast(1))...)
		}
	}
	got = append(got, c.rest()...)
	if len(got) != 2*len(want) {
		t.Fatalf("%d packets, want %d", len(got), 2*len(want))
	}
	for i := 1; i < len(got); i++ {
		if got[i].Time < got[i-1].Time {
			t.Fatalf("packet %d is %d ns earlier than the one before", i, got[i-1].Time-got[i].Time)
		}
	}
}

// TestFilling wants to know of packets in a block that the kernel still fills,
// and of none in one that waits to be filled again.
func TestFilling(t *testing.T) {
	tracetest.Network(t)
	c := open(t, func(c *Config) { c.RingSize = 1 }, "eb")
	r := c.src.(*source).interfaces[0].rings[0]
	s := tracetest.NewSender(t, "ea")
	f := frames(1)
	found := 0
	for deadline := time.Now().Add(20 * time.Second); found < 2*len(r.seen); {
		if r.look(time.Now()) || r.filling() {
			t.Fatal("packets are there before any was sent")
		}
		s.Send(f...)
		// It may have been handed over by now, if this machine is slow.
		if !r.look(time.Now()) && r.filling() {
			found++
		}
		c.read(atLeast(1))
		r.giveBack()
		if time.Now().After(deadline) {
			t.Fatalf("packets were found in %d blocks", found)
		}
	}
}

// TestOverloadAtLoopback sends more than the ring holds where each packet goes
// out and comes in again: it is captured or lost once.
func TestOverloadAtLoopback(t *testing.T) {
	tracetest.Network(t)
	c := open(t, nil, "lo")
	const n = 60_000
	s := tracetest.NewSender(t, "lo")
	f := frames(1000)
	for range n / len(f) {
		s.Send(f...)
	}
	got := uint64(len(c.rest()))
	if st := c.src.Stats(); got+st.Lost != n || st.Lost < n/10 {
		t.Errorf("%d packets and %d lost of %d", got, st.Lost, n)
	}
}

// TestOverload sends more than the rings hold before anything is read: what is
// not there is counted as lost.
func TestOverload(t *testing.T) {
	for _, rings := range []int{1, 2} {
		tracetest.Network(t)
		c := open(t, func(c *Config) { c.Rings = rings }, "eb", "lo")
		const n = 60_000
		s := tracetest.NewSender(t, "ea")
		f := frames(1000)
		for range n / len(f) {
			s.Send(f...)
		}
		got := uint64(len(c.read(atLeast(1000)))) // while the rings are full
		got += uint64(len(c.rest()))
		st := c.src.Stats()
		if got+st.Lost != n || st.Lost < n/10 || got < 1000 || st.Records != got {
			t.Errorf("%d rings: %d packets and %d lost of %d", rings, got, st.Lost, n)
		}
		want := []traces.InterfaceStats{{Number: uint32(tracetest.Index(t, "eb")), Name: "eb", Lost: st.Lost}, {Number: 1, Name: "lo"}}
		if !slices.Equal(st.PerInterface, want) {
			t.Errorf("%+v, want %+v", st.PerInterface, want)
		}
	}
}

// TestReturn has the interface go down and up, and vanish and come back, twice.
func TestReturn(t *testing.T) {
	for _, rings := range []int{1, 2} {
		tracetest.Network(t)
		c := open(t, func(c *Config) { c.Rings = rings }, "eb", "lo")
		f := frames(100)
		until := func(told string) {
			t.Helper()
			c.read(func([]traces.Packet) bool { return len(c.told) > 0 && c.told[len(c.told)-1] == told })
		}
		for i := range 3 {
			index := uint32(tracetest.Index(t, "eb"))
			tracetest.NewSender(t, "ea").Send(f...)
			if got := c.read(atLeast(100)); len(got) != 100 || got[99].Interface != index || !bytes.Equal(got[99].Data, f[99]) {
				t.Fatalf("%d rings: %d packets, want 100", rings, len(got))
			}
			tracetest.Run(t, "ip link set eb down")
			until("eb is down")
			tracetest.Run(t, "ip link set eb up")
			until("eb is captured again")
			tracetest.NewSender(t, "ea").Send(f[:7]...)
			if got := c.read(atLeast(7)); len(got) != 7 {
				t.Fatalf("%d rings: %d packets, want 7", rings, len(got))
			}
			tracetest.Run(t, "ip link del eb")
			until("eb is gone; its return is waited for")
			if i == 1 {
				// Another interface has the number now.
				tracetest.Run(t, "ip link add ec type veth peer name ed")
			}
			tracetest.Join(t)
			until("eb is captured again")
		}
		st := c.src.Stats()
		if st.Records != 3*107 || st.Lost != 0 || len(st.PerInterface) != 5 {
			t.Errorf("%d rings: %+v", rings, st)
		}
		c.rest()
	}
}

// TestQuiet wants a batch without packets, which tells how late it is.
func TestQuiet(t *testing.T) {
	tracetest.Network(t)
	c := open(t, nil, "ea", "eb")
	var b traces.Batch
	for last := int64(0); last == 0; {
		began := time.Now().UnixNano()
		if err := c.src.ReadBatch(&b); err != nil || len(b.Packets) > 0 || b.Until <= last || b.Until > time.Now().UnixNano() {
			t.Fatalf("%+v, %v", b, err)
		}
		if b.Until > began-int64(time.Second) && b.File == "ea,eb" {
			last = b.Until
		}
	}
}

// TestAllocates wants nothing allocated for packets. What is allocated ten times
// a second does not depend on them.
func TestAllocates(t *testing.T) {
	tracetest.Network(t)
	c := open(t, func(c *Config) { c.RingSize = 32 << 20 }, "eb")
	s := tracetest.NewSender(t, "ea")
	for range 10 {
		s.Send(frames(1000)...)
	}
	b := traces.NewBatch(256)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := 0; n < 10_000; n += len(b.Packets) {
		if err := c.src.ReadBatch(b); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > 1000 {
		t.Errorf("%d allocations for 10000 packets", n)
	}
}

// TestOffloads has something on that falsifies counts.
func TestOffloads(t *testing.T) {
	tracetest.Network(t)
	tracetest.Run(t, "ethtool -K eb gro on gso off tso off")
	if told := open(t, nil, "eb").told; !slices.Equal(told, []string{"eb: gro on: several packets may be counted as one; see ethtool -K"}) {
		t.Errorf("told %q", told)
	}
	tracetest.Run(t, "ethtool -K eb gro off")
	if told := open(t, nil, "eb").told; len(told) > 0 {
		t.Errorf("told %q", told)
	}
}

// TestCardStamps asks for stamps that no card makes: the kernel's are there.
func TestCardStamps(t *testing.T) {
	tracetest.Network(t)
	c := open(t, func(c *Config) { c.CardStamps = true }, "eb")
	began := time.Now().UnixNano()
	tracetest.NewSender(t, "ea").Send(frames(1)...)
	if got := c.rest(); len(got) != 1 || got[0].Time < began || got[0].Time > time.Now().UnixNano() {
		t.Errorf("%+v", got)
	}
}

// TestOpenErrors opens what is not there.
func TestOpenErrors(t *testing.T) {
	tracetest.Network(t)
	good := Config{Interfaces: []string{"eb"}, RingSize: 1, Rings: 1, SnapLen: 1}
	for _, tc := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Interfaces = []string{"eb", "nosuch"} }, "capture at nosuch: interface nosuch: no such device"},
		{func(c *Config) { c.Interfaces = []string{"of-sixteen-chars"} }, `capture at of-sixteen-chars: interface "of-sixteen-chars": invalid argument`},
		{func(c *Config) { c.Interfaces = []string{"ea", "eb", "ea"} }, "interface ea is given twice"},
		{func(c *Config) { c.Interfaces = nil }, "no interface to capture at"},
		{func(c *Config) { c.RingSize = 0 }, "ring size 0: want 1 to 1073741824 octets"},
		{func(c *Config) { c.Rings = 65 }, "65 rings: want 1 to 64"},
		{func(c *Config) { c.SnapLen = 0 }, "snap length 0: want 1 to 262144 octets"},
	} {
		c := good
		tc.change(&c)
		if _, err := Open(context.Background(), c); err == nil || err.Error() != tc.want {
			t.Errorf("%+v: %v, want %s", c, err, tc.want)
		}
	}
	src, err := Open(context.Background(), good)
	if err != nil {
		t.Fatal(err)
	}
	src.Close()
	if err := src.ReadBatch(new(traces.Batch)); err == nil {
		t.Error("read after Close")
	}
}
