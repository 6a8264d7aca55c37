package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rtfm/reader/live"
)

const (
	// patience is how long a viewer may take for what it is sent at once, an interval.
	patience = 10 * time.Second
	// pulse is how often something is sent, so that those who have gone are noticed.
	pulse = 15 * time.Second
	// portion is how many intervals are taken out of a history at a time: a viewer
	// that is slow keeps no more than these.
	portion = 16
)

// statusJSON is the status of a source as the page gets it.
type statusJSON struct {
	State  live.State `json:"state"`
	Text   string     `json:"text"`
	Missed uint64     `json:"missed"`
}

// events sends what a source has and will have: an event an interval, and one for each
// change of its status. A viewer that comes again tells which interval it had last.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseUint(r.PathValue("source"), 10, 31)
	if err != nil || int(n) >= len(p.cfg.Sources) {
		http.NotFound(w, r)
		return
	}
	if p.streams.Add(1) > MostStreams {
		p.streams.Add(-1)
		http.Error(w, fmt.Sprintf("there are %d viewers, and no more at a time", MostStreams), http.StatusServiceUnavailable)
		return
	}
	defer p.streams.Add(-1)
	defer keep(r)()
	s := stream{
		w: w, out: http.NewResponseController(w), patience: p.patience,
		history: p.cfg.Sources[n].History, run: p.run, last: p.resume(r.Header.Get("Last-Event-ID")),
		gzip: acceptsGzip(r.Header.Get("Accept-Encoding")),
	}
	if err := s.serve(r); errors.Is(err, errSlow) {
		p.cut.Add(1)
	}
}

// resume returns the number of the interval that a viewer had last, 0 if it had none of
// this Page's.
func (p *Page) resume(id string) uint64 {
	number, ok := strings.CutPrefix(id, p.run+"-")
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// acceptsGzip reports whether a request's Accept-Encoding has gzip.
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q, ok := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			return !ok || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// errSlow is for a viewer that does not take what it is sent.
var errSlow = errors.New("the viewer is too slow")

// stream is what a viewer is sent. With gzip it is one text in gzip's format (RFC 1952)
// that never ends. Intervals come packed from the history, the same octets for all
// viewers; the little between them goes in blocks that are stored as they are.
type stream struct {
	w        http.ResponseWriter
	out      *http.ResponseController
	patience time.Duration
	history  *live.History
	run      string
	last     uint64 // the interval that it has
	status   live.Status
	gzip     bool
	next     []byte // what is to be sent
}

// serve sends until the viewer goes or is too slow.
func (s *stream) serve(r *http.Request) error {
	s.w.Header().Set("Content-Type", "text/event-stream")
	if s.gzip {
		s.w.Header().Set("Content-Encoding", "gzip")
		s.next = append(s.next, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)
	}
	ticks := time.NewTicker(pulse)
	defer ticks.Stop()
	for {
		news, changed := s.history.Next(s.last, portion)
		if err := s.sendNews(&news); err != nil {
			return err
		}
		if len(news.Intervals) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-ticks.C:
			s.text(":\n\n")
			if err := s.send(); err != nil {
				return err
			}
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
}

// sendNews sends the intervals, and the status if it has changed.
func (s *stream) sendNews(news *live.News) error {
	if news.Status != s.status || news.Missed > 0 {
		s.status = news.Status
		text, err := json.Marshal(statusJSON{news.Status.State, news.Status.Text, news.Missed})
		if err != nil {
			return err
		}
		s.text("event: status\ndata: " + string(text) + "\n\n")
		if err := s.send(); err != nil {
			return err
		}
	}
	for _, i := range news.Intervals {
		s.text(fmt.Sprintf("id: %s-%d\nevent: interval\ndata: ", s.run, i.Number))
		if s.gzip {
			s.next = append(s.next, i.Deflated()...)
		} else {
			s.next = i.AppendJSON(s.next)
		}
		s.text("\n\n")
		if err := s.send(); err != nil {
			return err
		}
		s.last = i.Number
	}
	return nil
}

// text has a text sent next.
func (s *stream) text(text string) {
	for s.gzip && len(text) > 0 {
		n := min(len(text), 1<<16-1)
		s.next = append(s.next, 0, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8)) // RFC 1951 section 3.2.4
		s.next = append(s.next, text[:n]...)
		text = text[n:]
	}
	s.next = append(s.next, text...)
}

// send sends what is next before patience ends.
func (s *stream) send() error {
	if s.gzip {
		s.next = append(s.next, 0, 0, 0, 0xff, 0xff) // all until here is to be shown now
	}
	end := time.Now().Add(s.patience)
	err := s.out.SetWriteDeadline(end)
	if err == nil {
		_, err = s.w.Write(s.next)
	}
	if err == nil {
		err = s.out.Flush()
	}
	s.next = s.next[:0]
	if err != nil && !time.Now().Before(end) {
		return errSlow
	}
	return err
}
