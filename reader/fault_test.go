package reader

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rtfm/ruleset/attr"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib/client"
	"rtfm/reader/flowfile"
	"rtfm/ruleset"
	"rtfm/traces"
)

// fault is what a proxy does with one datagram.
type fault func(r *rand.Rand, b []byte, send func([]byte))

func pass(_ *rand.Rand, b []byte, send func([]byte)) { send(b) }

// The faults of a network, each of one datagram in three.
var faults = map[string]fault{
	"loss": func(r *rand.Rand, b []byte, send func([]byte)) {
		if r.IntN(3) > 0 {
			send(b)
		}
	},
	"twice": func(r *rand.Rand, b []byte, send func([]byte)) {
		send(b)
		if r.IntN(3) == 0 {
			send(b)
		}
	},
	"late": func(r *rand.Rand, b []byte, send func([]byte)) {
		if r.IntN(3) > 0 {
			send(b)
			return
		}
		time.AfterFunc(time.Duration(r.IntN(150))*time.Millisecond, func() { send(b) })
	},
	"cut": func(r *rand.Rand, b []byte, send func([]byte)) {
		if r.IntN(3) == 0 {
			b = b[:r.IntN(len(b))]
		}
		send(b)
	},
	"noise": func(r *rand.Rand, b []byte, send func([]byte)) {
		if r.IntN(3) == 0 {
			junk := make([]byte, r.IntN(200))
			for i := range junk {
				junk[i] = byte(r.Uint32())
			}
			send(junk)
		}
		send(b)
	},
}

// proxy passes datagrams between one client and a meter, with faults.
func proxy(t *testing.T, to string, there, back fault) string {
	t.Helper()
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close(); server.Close() })
	var mu sync.Mutex
	var peer net.Addr
	go func() {
		r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, 1<<16)
		for {
			n, from, err := front.ReadFrom(b)
			if err != nil {
				return
			}
			mu.Lock()
			peer = from
			mu.Unlock()
			there(r, append([]byte(nil), b[:n]...), func(b []byte) { server.Write(b) })
		}
	}()
	go func() {
		r, b := rand.New(rand.NewPCG(3, 4)), make([]byte, 1<<16)
		for {
			n, err := server.Read(b)
			if err != nil {
				return
			}
			back(r, append([]byte(nil), b[:n]...), func(b []byte) {
				mu.Lock()
				defer mu.Unlock()
				front.WriteTo(b, peer)
			})
		}
	}()
	return front.LocalAddr().String()
}

// stepped is a source that hands out batches as the test says.
type stepped struct {
	traces.Source
	batches chan []traces.Packet
	stop    <-chan struct{}
}

func (s *stepped) ReadBatch(b *traces.Batch) error {
	select {
	case p := <-s.batches:
		b.Packets = append(b.Packets[:0], p...)
		return nil
	case <-s.stop:
		return io.EOF
	}
}
func (s *stepped) Stats() traces.Stats { return traces.Stats{} }

// sums reads a flow data file and returns the packets of all flows together:
// the last record of each flow counts. It fails if a collection has a flow
// twice.
func sums(t *testing.T, path string) uint64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	last := make(map[string]uint64)
	seen := make(map[string]bool)
	for r := flowfile.NewReader(f); ; {
		rec, err := r.Next()
		if err != nil {
			break
		}
		switch rec.Kind {
		case flowfile.KindTime:
			clear(seen)
		case flowfile.KindIncomplete:
			t.Errorf("line %d: an incomplete collection", rec.Line)
		case flowfile.KindFlow:
			index, _ := rec.Uint(attr.FlowIndex)
			first, _ := rec.Uint(attr.FirstTime)
			to, _ := rec.Uint(attr.ToPDUs)
			from, _ := rec.Uint(attr.FromPDUs)
			if id := strconv.FormatUint(index, 10); seen[id] {
				t.Errorf("line %d: flow %d comes twice", rec.Line, index)
			} else {
				seen[id] = true
			}
			key := fmt.Sprint(index, " ", first)
			if to+from < last[key] {
				t.Errorf("line %d: the counters of flow %d went back", rec.Line, index)
			}
			last[key] = to + from
		}
	}
	var n uint64
	for _, v := range last {
		n += v
	}
	return n
}

// TestFaults collects through a bad network, from a meter that recovers every
// flow as soon as it may: all packets are in the file in the end.
func TestFaults(t *testing.T) {
	rs := program(t, "all-flows")
	for name := range maps.Keys(faults) {
		for _, way := range []string{"there", "back"} {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				there, back := faults[name], fault(pass)
				if way == "back" {
					there, back = back, there
				}
				const parts = 8
				packets := mix(1200, 1200)
				src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
				path := filepath.Join(t.TempDir(), "flows")
				f, known := open(t, path)
				k := New(testConfig(), f, known)
				good := greedy(t, rs, src, k)
				bad, err := client.Dial(t.Context(), client.Config{
					Address: proxy(t, good.Address(), there, back), Community: "test", Timeout: 60 * time.Millisecond, Retries: 2,
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { bad.Close() })
				failed := 0
				for part := range parts {
					at := packets[part*len(packets)/parts : (part+1)*len(packets)/parts]
					src.batches <- at
					waitFor(t, good, uint64((part+1)*len(packets)/parts))
					_, err := k.Collect(t.Context(), bad, []RuleSet{{Index: 2, Rules: rs}})
					if err != nil && !errors.Is(err, client.ErrNoAnswer) && !errors.Is(err, client.ErrNonsense) {
						t.Fatal(err)
					}
					if err != nil {
						failed++
					}
				}
				for try := 0; ; try++ {
					if _, err := k.Collect(t.Context(), good, []RuleSet{{Index: 2, Rules: rs}}); err == nil {
						break
					} else if try == 3 {
						t.Fatal(err)
					}
				}
				if got := sums(t, path); got != uint64(len(packets)) {
					t.Errorf("the file holds %d packets of %d; %d of %d collections failed", got, len(packets), failed, parts)
				}
				t.Logf("%d of %d collections failed", failed, parts)
			})
		}
	}
}

// greedy starts a meter that recovers flows as soon as k has read them.
func greedy(t *testing.T, rs *ruleset.RuleSet, src traces.Source, k *Collector) *client.Client {
	return metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, func(c *client.Client) error {
		if err := c.SetInactivityTimeout(t.Context(), 0); err != nil {
			return err
		}
		return k.Register(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}})
	})
}

// waitFor waits until the meter has seen so many packets.
func waitFor(t *testing.T, c *client.Client, n uint64) {
	t.Helper()
	for {
		st, err := c.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st.Counts.Packets >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestFullDisk has every write fail for a while, at each place of a
// collection: the meter holds what is not in the file.
func TestFullDisk(t *testing.T) {
	rs := program(t, "all-flows")
	packets := mix(1000, 1000)
	src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
	path := filepath.Join(t.TempDir(), "flows")
	f, known := open(t, path)
	out := &full{File: f}
	k := New(testConfig(), out, known)
	c := greedy(t, rs, src, k)
	sets := []RuleSet{{Index: 2, Rules: rs}}
	const parts = 20
	for part := range parts {
		src.batches <- packets[part*50 : part*50+50]
		waitFor(t, c, uint64(part*50+50))
		out.fails = part%5 != 4
		if _, err := k.Collect(t.Context(), c, sets); (err != nil) != out.fails {
			t.Fatalf("collection %d: %v", part, err)
		}
		if part == 8 { // a new process
			f.Close()
			f, known = open(t, path)
			out = &full{File: f}
			k = New(testConfig(), out, known)
		}
	}
	if got := sums(t, path); got != uint64(len(packets)) {
		t.Errorf("the file holds %d packets of %d", got, len(packets))
	}
	if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "#EndData") != parts/5 {
		t.Errorf("%v: %d collections", err, strings.Count(string(text), "#EndData"))
	}
}

// full is a File on a disk that is full at times.
type full struct {
	*File
	fails bool
}

var errFull = errors.New("no space left on device")

func (f *full) Append(write func(w io.Writer, fresh bool) error) error {
	return f.File.Append(func(w io.Writer, fresh bool) error {
		err := write(w, fresh)
		if f.fails {
			err = errFull
		}
		return err
	})
}
