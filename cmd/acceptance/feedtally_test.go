package acceptance

import (
	"bytes"
	"os"
	"testing"

	"rtfm/traces/feed"
)

// feedTally counts the records of a feed. It is a feed.Handler.
type feedTally struct {
	before                 uint32
	news, packets, ends    int
	octets                 uint64
	missing, told, counted uint64
}

func (t *feedTally) Begin(before uint32)    { t.before = before }
func (t *feedTally) Shape(*feed.Shape)      {}
func (t *feedTally) New(*feed.New)          { t.news++ }
func (t *feedTally) Packet(p *feed.Packet)  { t.packets++; t.octets += uint64(p.Octets) }
func (t *feedTally) Stats(*feed.Stats)      {}
func (t *feedTally) Missing(records uint32) { t.missing += uint64(records) }
func (t *feedTally) End(e *feed.End) {
	t.ends++
	t.told += e.Told
	t.counted += e.PDUs[0] + e.PDUs[1]
}

// feedTallyOf returns what is in a file of a feed, which may still be written.
func feedTallyOf(t *testing.T, file string) (n feedTally) {
	t.Helper()
	from, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return n
	}
	if err != nil {
		t.Fatal(err)
	}
	r, in, room := feed.Reader{Ordered: true}, bytes.NewReader(from), make([]byte, 1<<16)
	for {
		b, err := feed.ReadMessage(in, room)
		if err != nil {
			return n // at the end, or in a message that is being written
		}
		if err := r.Message(b, &n); err != nil {
			t.Fatal(err)
		}
	}
}
