package acceptance

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/agentx"
	"rtfm/mib/agentx/agentxtest"
	"rtfm/mib/smi"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// endless is a Source that gives the same packets again and again, each time
// later.
type endless struct {
	packets []traces.Packet
	later   int64
	ctx     context.Context
}

// ReadBatch implements traces.Source.
func (s *endless) ReadBatch(b *traces.Batch) error {
	if s.ctx.Err() != nil {
		return io.EOF
	}
	b.File = "endless"
	b.Packets = append(b.Packets[:0], s.packets...)
	for i := range b.Packets {
		b.Packets[i].Time += s.later
	}
	s.later += int64(time.Millisecond)
	return nil
}

// Stats implements traces.Source.
func (s *endless) Stats() traces.Stats { return traces.Stats{} }

// Close implements traces.Source.
func (s *endless) Close() error { return nil }

// meterEndless runs a meter over endless packets until the test ends.
func meterEndless(t testing.TB) *control.Meter {
	ctx, stop := context.WithCancel(context.Background())
	c := control.New(control.Config{Config: meter.Config{MaxFlows: 100_000}})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx, &endless{packets: tracetest.Mix(256), ctx: ctx}, func(err error) { t.Error(err) }); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(wg.Wait)
	t.Cleanup(stop)
	return c
}

// runAgent runs a subagent for a meter until the test ends.
func runAgent(t testing.TB, c *control.Meter, address string) {
	a, err := agentx.New(agentx.Config{Address: address, Subtrees: mib.Subtrees()}, mib.New(c))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { a.Run(ctx) })
	t.Cleanup(wg.Wait)
	t.Cleanup(stop)
}

// packets returns how many packets a meter has counted.
func packets(c *control.Meter) (n uint64) {
	c.Do(func() { n = c.Counts().Packets })
	return n
}

func integer(name string, value int32) (vb smi.VarBind) {
	vb.Name, _ = smi.ParseOID(name)
	vb.Value.SetInt(value)
	return vb
}

// TestVanishedManager has a master end the session between TestSet and
// CommitSet, and between CommitSet and CleanupSet: nothing of the Set is left.
func TestVanishedManager(t *testing.T) {
	master := agentxtest.Listen(t)
	c := meterEndless(t)
	runAgent(t, c, master.Address())
	set := []smi.VarBind{integer(flowMIB+".1.5.0", 33), integer(flowMIB+".1.1.1.5.2", 5), integer(flowMIB+".1.3.1.6.4", 5)}
	for _, committed := range []bool{false, true, false} {
		s := master.Accept()
		s.Registered(len(mib.Subtrees()))
		if r := s.Do(agentx.PDU{Header: agentx.Header{Type: agentx.TestSet, TransactionID: 7}, Vars: set}); r.Error != agentx.NoError {
			t.Fatal(r.Error)
		}
		if committed {
			if r := s.Do(agentx.PDU{Header: agentx.Header{Type: agentx.CommitSet, TransactionID: 7}}); r.Error != agentx.NoError {
				t.Fatal(r.Error)
			}
		}
		s.Drop()
		s.Ended()
	}
	// The session that follows begins when the one before is done with.
	master.Accept().Registered(len(mib.Subtrees()))
	c.Do(func() {
		ctl := c.Control()
		if ctl.FloodMark != 95 || ctl.RuleSets.Len() != 1 || ctl.Readers.Len() != 0 {
			t.Errorf("left: FloodMark %d, %d rulesets, %d readers", ctl.FloodMark, ctl.RuleSets.Len(), ctl.Readers.Len())
		}
	})
}

// TestHostileMaster has masters misbehave in every way that could hold up the
// meter: packets go on being counted.
func TestHostileMaster(t *testing.T) {
	t.Parallel()
	for name, behave := range map[string]func(t *testing.T, conn net.Conn, stop <-chan struct{}){
		"never answers": func(t *testing.T, conn net.Conn, stop <-chan struct{}) { <-stop },
		"sends nonsense": func(t *testing.T, conn net.Conn, stop <-chan struct{}) {
			for {
				if _, err := conn.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		},
		"asks and never reads": func(t *testing.T, conn net.Conn, stop <-chan struct{}) {
			b, err := agentx.ReadPDU(conn, nil)
			var open agentx.PDU
			if err == nil {
				err = open.Decode(b)
			}
			if err != nil {
				return
			}
			open.Type, open.SessionID = agentx.Response, 9
			if _, err := conn.Write(open.Append(nil)); err != nil {
				return
			}
			start, _ := smi.ParseOID(flowMIB)
			ask := agentx.PDU{Header: agentx.Header{Type: agentx.GetBulk, Flags: agentx.NetworkByteOrder, SessionID: 9}, MaxRepetitions: 65535}
			for range 100 {
				ask.Ranges = append(ask.Ranges, smi.Range{Start: start})
			}
			b = ask.Append(nil)
			for {
				select {
				case <-stop:
					return
				default:
				}
				conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
				if _, err := conn.Write(b); err != nil && !isTimeout(err) {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("unix", filepath.Join(t.TempDir(), "master"))
			if err != nil {
				t.Fatal(err)
			}
			stop := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					wg.Go(func() {
						defer conn.Close()
						behave(t, conn, stop)
					})
				}
			})
			defer wg.Wait()
			defer l.Close()
			defer close(stop)
			c := meterEndless(t)
			runAgent(t, c, "unix:"+l.Addr().String())
			for range 10 {
				before := packets(c)
				for deadline := time.Now().Add(10 * time.Second); packets(c) == before; time.Sleep(5 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatal("metering stands still")
					}
				}
				time.Sleep(50 * time.Millisecond) // for the master to do more
			}
		})
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}
