package control

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"rtfm/meter/export"
	"rtfm/meter/feed"
	"rtfm/mib"
	"rtfm/traces"
	records "rtfm/traces/feed"
)

// receiver counts what comes to an address of its own.
type receiver struct {
	address string
	mu      sync.Mutex
	fresh   int               // NEWs
	told    map[uint64]uint64 // PACKETs of flows
	ends    map[uint64]records.End
}

func newReceiver(t *testing.T) *receiver {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &receiver{address: l.Addr().String(), told: make(map[uint64]uint64), ends: make(map[uint64]records.End)}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var reader records.Reader
		for room := []byte(nil); ; {
			message, err := records.ReadMessage(conn, room)
			if err != nil {
				if err != io.EOF {
					t.Error(err)
				}
				return
			}
			r.mu.Lock()
			if err := reader.Message(message, r); err != nil {
				t.Error(err)
			}
			r.mu.Unlock()
			room = message
		}
	}()
	return r
}

func (r *receiver) Begin(uint32)             {}
func (r *receiver) Shape(*records.Shape)     {}
func (r *receiver) New(*records.New)         { r.fresh++ }
func (r *receiver) Packet(p *records.Packet) { r.told[p.Flow]++ }
func (r *receiver) End(e *records.End)       { r.ends[e.Flow] = *e }
func (r *receiver) Stats(*records.Stats)     {}
func (r *receiver) Missing(n uint32)         { panic(fmt.Sprint(n, " records are missing")) }

// has waits until so many flows have begun, and ended.
func (r *receiver) has(t *testing.T, fresh, ended int) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		f, e := r.fresh, len(r.ends)
		r.mu.Unlock()
		if f == fresh && e == ended {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%d flows have begun and %d ended, want %d and %d", f, e, fresh, ended)
		}
	}
}

// TestFeedTurns gives a live meter with many flows another feed, and none: each ends with
// all of its flows, a part at a time, and the other tells of the packets behind it.
func TestFeedTurns(t *testing.T) {
	const flows = 3 * leaveRows
	cfg := Config{Live: true, Feed: FeedConfig{Open: func(f mib.Feed) (feed.Config, export.Config, error) {
		url, err := records.ParseURL(f.URL)
		told := feed.Config{Form: records.Form{Frames: true}, MTU: f.MTU, Delay: time.Millisecond, Idle: time.Hour, First: f.First, RuleSet: f.Rules}
		return told, export.Config{To: url, Queue: 64 << 20, MTU: f.MTU, Patience: time.Second}, err
	}}}
	cfg.MaxFlows = 2 * flows
	r := newRig(t, cfg)
	var batch []traces.Packet
	for i := range flows {
		p := to(i, 0)
		p.Time = time.Now().UnixNano()
		batch = append(batch, p)
	}
	r.set(identified(2) + runTask(1, 2, 0, 0))
	set := func(url string) {
		control := r.m.Control()
		r.m.Do(func() { control.Feed.URL = url; r.m.Settle() })
	}
	first, second := newReceiver(t), newReceiver(t)
	<-r.src.waiting // it runs
	r.src.waiting <- struct{}{}
	set("tcp://" + first.address)
	r.feed(batch...)
	first.has(t, flows, 0)
	set("tcp://" + second.address)
	r.m.Do(func() {
		if !r.m.feeds.leaving {
			t.Error("the first feed has ended at once")
		}
	})
	for range flows/leaveRows + 2 { // each batch ends a part, or the clock does
		r.feed()
	}
	r.feed(batch...)
	first.has(t, flows, flows)
	second.has(t, flows, 0)
	set("")
	for range flows/leaveRows + 2 {
		r.feed()
	}
	second.has(t, flows, flows)
	for _, rec := range []*receiver{first, second} {
		for id, e := range rec.ends {
			if e.Told != 1 || e.PDUs != [2]uint64{1, 0} || rec.told[id] != 1 {
				t.Fatalf("%d packets were told of a flow with END %+v", rec.told[id], e)
			}
		}
	}
}
