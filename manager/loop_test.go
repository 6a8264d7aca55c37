package manager

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"rtfm/meter"
	controlled "rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/mib/smi"
	"rtfm/mib/snmp"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// loopMeter is a live meter on loopback that counts the packets it is sent.
type loopMeter struct {
	t       testing.TB
	address string
	packets chan []traces.Packet
	metered chan struct{} // answers each that was sent
	stop    func()
	silent  *silentConn
	meter   *controlled.Meter
	handler *mib.Handler
}

// startMeter runs a meter at an address, "" for a free one.
func startMeter(t testing.TB, address string, maxFlows int) *loopMeter {
	t.Helper()
	return startLoop(t, address, maxFlows, func(h *mib.Handler) smi.Handler { return h })
}

// startForeign runs a meter that knows nothing of our extension.
func startForeign(t testing.TB, address string, maxFlows int) *loopMeter {
	t.Helper()
	return startLoop(t, address, maxFlows, func(h *mib.Handler) smi.Handler { return foreign{h} })
}

// foreign is a Handler without our extension, which comes behind all else.
type foreign struct{ smi.Handler }

func (f foreign) Get(names []smi.OID, out []smi.VarBind) error {
	err := f.Handler.Get(names, out)
	for i := range names {
		if names[i].HasPrefix(mib.Subtrees()[1]) {
			out[i].Value.SetNone(smi.NoSuchObject)
		}
	}
	return err
}

func (f foreign) Next(ranges []smi.Range, out []smi.VarBind) error {
	err := f.Handler.Next(ranges, out)
	for i := range ranges {
		if out[i].Name.HasPrefix(mib.Subtrees()[1]) {
			out[i].SetName(ranges[i].Start)
			out[i].Value.SetNone(smi.EndOfMibView)
		}
	}
	return err
}

func (f foreign) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, error) {
	return b.Fill(f.Next, out)
}

// startLoop runs a meter whose objects are answered for by what front returns.
func startLoop(t testing.TB, address string, maxFlows int, front func(*mib.Handler) smi.Handler) *loopMeter {
	t.Helper()
	if address == "" {
		address = tracetest.Address(t, "udp") // it may be started again there
	}
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	l := &loopMeter{
		t: t, address: conn.LocalAddr().String(), packets: make(chan []traces.Packet), metered: make(chan struct{}),
		silent: &silentConn{PacketConn: conn},
	}
	m := controlled.New(controlled.Config{Config: meter.Config{MaxFlows: maxFlows}, Live: true, Version: "test"})
	l.meter, l.handler = m, mib.New(m)
	started := time.Now()
	server, err := snmp.New(snmp.Config{
		ReadCommunity: "r", WriteCommunity: "w",
		System: snmp.System{Uptime: func() time.Duration { return time.Since(started) }},
	}, front(l.handler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Serve(ctx, l.silent); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := m.Run(ctx, &feed{ctx: ctx, loopMeter: l}, func(error) {}); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	var once sync.Once
	l.stop = func() {
		once.Do(func() {
			cancel()
			wg.Wait()
			// No process that is about to start a program keeps a copy.
			syscall.ForkLock.RLock()
			defer syscall.ForkLock.RUnlock()
			conn.Close()
		})
	}
	t.Cleanup(l.stop)
	return l
}

// send lets the meter count n packets from a host, and waits until it has.
func (l *loopMeter) send(host string, n int) {
	frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(host, "10.9.9.9").UDP(1000, 53)
	frames := make([]tracetest.Frame, n)
	for i := range frames {
		frames[i] = frame
	}
	packets := tracetest.Packets(frames...)
	now := time.Now().UnixNano()
	for i := range packets {
		packets[i].Time = now
	}
	l.packets <- packets
	<-l.metered
}

// feed is the traffic of a loopMeter.
type feed struct {
	*loopMeter
	ctx  context.Context
	open bool // packets were given that the meter has not come back from
}

func (f *feed) ReadBatch(b *traces.Batch) error {
	if f.open {
		f.open = false
		f.metered <- struct{}{}
	}
	select {
	case p := <-f.packets:
		b.Packets, b.File = p, "feed"
		f.open = true
		return nil
	case <-f.ctx.Done():
		return io.EOF
	}
}

func (f *feed) Stats() traces.Stats { return traces.Stats{} }
func (f *feed) Close() error        { return nil }

// silentConn is a socket that can be made deaf.
type silentConn struct {
	net.PacketConn
	mu   sync.Mutex
	deaf bool
}

func (c *silentConn) setDeaf(deaf bool) { c.mu.Lock(); c.deaf = deaf; c.mu.Unlock() }

func (c *silentConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		c.mu.Lock()
		deaf := c.deaf
		c.mu.Unlock()
		if err != nil || !deaf {
			return n, from, err
		}
	}
}

// dial returns a client of the meter, for the test itself.
func (l *loopMeter) dial() *client.Client {
	l.t.Helper()
	c, err := client.Dial(l.t.Context(), client.Config{Address: l.address, Community: "w", Timeout: 5 * time.Second})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { c.Close() })
	return c
}
