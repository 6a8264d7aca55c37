package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"rtfm/reader/live"
)

const (
	// patience is how long a viewer may take for what it is sent at once.
	patience = 10 * time.Second
	// pulse is how often something is sent, so that those who have gone are noticed.
	pulse = 15 * time.Second
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
	last, _ := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	w.Header().Set("Content-Type", "text/event-stream")
	s := stream{w: w, out: http.NewResponseController(w), history: p.cfg.Sources[n].History, last: last}
	if err := s.run(r); errors.Is(err, os.ErrDeadlineExceeded) {
		p.cut.Add(1)
	}
}

// stream is what a viewer is sent.
type stream struct {
	w       http.ResponseWriter
	out     *http.ResponseController
	history *live.History
	last    uint64 // the interval that it has
	status  live.Status
}

// run sends until the viewer goes or is too slow.
func (s *stream) run(r *http.Request) error {
	ticks := time.NewTicker(pulse)
	defer ticks.Stop()
	for {
		news, changed := s.history.Look(s.last)
		if len(news.Intervals) == 0 && news.Status == s.status {
			select {
			case <-changed:
				continue
			case <-ticks.C:
				if err := s.send([]byte(":\n\n")); err != nil {
					return err
				}
				continue
			case <-r.Context().Done():
				return r.Context().Err()
			}
		}
		if err := s.sendNews(&news); err != nil {
			return err
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
		if err := s.send(fmt.Appendf(nil, "event: status\ndata: %s\n\n", text)); err != nil {
			return err
		}
	}
	for _, i := range news.Intervals {
		b := fmt.Appendf(nil, "id: %d\nevent: interval\ndata: ", i.Number)
		b = append(i.AppendJSON(b), "\n\n"...)
		if err := s.send(b); err != nil {
			return err
		}
		s.last = i.Number
	}
	return nil
}

// send sends b before patience ends.
func (s *stream) send(b []byte) error {
	if err := s.out.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.out.Flush()
}
