package control

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"rtfm/meter/export"
	"rtfm/meter/feed"
	"rtfm/mib"
	records "rtfm/traces/feed"
)

// toldRecords counts the records of a feed. It is a records.Handler.
type toldRecords struct{ news, packets, ends, missing int }

func (n *toldRecords) Begin(uint32)           {}
func (n *toldRecords) Shape(*records.Shape)   {}
func (n *toldRecords) New(*records.New)       { n.news++ }
func (n *toldRecords) Packet(*records.Packet) { n.packets++ }
func (n *toldRecords) End(*records.End)       { n.ends++ }
func (n *toldRecords) Stats(*records.Stats)   {}
func (n *toldRecords) Missing(uint32)         { n.missing++ }

// toldIn returns what is in a file of a feed.
func toldIn(t *testing.T, file *bytes.Buffer) (n toldRecords) {
	t.Helper()
	r, room := records.Reader{Ordered: true}, make([]byte, 1<<16)
	for file.Len() > 0 {
		b, err := records.ReadMessage(file, room)
		if err == nil {
			err = r.Message(b, &n)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestFeed has a manager set another feed while packets come, and one that cannot be: the
// first one ends, each packet is in one of them, flows are found by their identifiers,
// and the end of Run is that of the feed.
func TestFeed(t *testing.T) {
	files := map[string]*bytes.Buffer{"tcp://a": new(bytes.Buffer), "tcp://b": new(bytes.Buffer), "tcp://d": new(bytes.Buffer)}
	feeds := FeedConfig{First: mib.DefaultFeed(), Open: func(f mib.Feed) (c feed.Config, to export.Config, err error) {
		if files[f.URL] == nil {
			return c, to, errors.New("there is no such place")
		}
		c = feed.Config{MTU: f.MTU, Delay: time.Hour, Idle: time.Hour}
		return c, export.Config{To: records.URL{Network: "file"}, File: files[f.URL], MTU: f.MTU, Waits: true}, nil
	}}
	feeds.First.URL = "tcp://a"
	r := newRig(t, Config{Feed: feeds})
	r.set(pairs(2) + runTask(1, 2, 0, 0))
	r.feed(many(1, 100, 0)...)
	status := func() (s mib.FeedStatus) {
		r.m.Do(func() { s = r.m.FeedStatus() })
		return s
	}
	if s := status(); s.Flows != 99 {
		t.Errorf("%+v", s)
	}
	r.m.Do(func() {
		n := 0
		for id := uint64(0); ; n++ {
			p := r.m.NextFeedFlow(id)
			if p.Row == 0 {
				break
			}
			id = p.ID + 1
		}
		if n != 99 {
			t.Errorf("%d flows are found by their identifiers", n)
		}
	})
	r.set("rtfmFeedURL.0=h7463703a2f2f62") // tcp://b
	r.feed(many(50, 200, 1)...)
	r.set("rtfmFeedURL.0=h7463703a2f2f63") // tcp://c
	if s := status(); s.State != mib.FeedFailed || s.Error != "there is no such place" {
		t.Errorf("%+v", s)
	}
	r.feed(many(1, 10, 2)...)
	r.set("rtfmFeedURL.0=h7463703a2f2f64") // tcp://d
	r.feed(many(1, 20, 3)...)
	<-r.src.waiting
	close(r.src.batches)
	r.await(mib.TraceEnded)
	r.set("rtfmTraceCollected.0=u1")
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	for url, flows := range map[string]int{"tcp://a": 99, "tcp://b": 150, "tcp://d": 19} {
		if told := toldIn(t, files[url]); told != (toldRecords{flows, flows, flows, 0}) {
			t.Errorf("%s is told of %+v", url, told)
		}
	}
	if n := r.m.FeedCounts(); n.DroppedRecords > 0 || n.Messages == 0 {
		t.Errorf("%+v", n)
	}
	r.src = newPiped() // for the cleanup
	r.src.waiting <- struct{}{}
}
