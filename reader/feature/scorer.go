package feature

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"
)

// Scorer is a program that is told rows and answers what the flows are. It listens on a
// local stream socket. What is sent is the header of an NPY file with no rows, and then
// rows without end. An answer is a line of JSON:
//
//	{"FlowID": "fbfa50272001588e", "Label": "dns", "Score": 0.98}
//
// with "Domain" besides where several meters are heard. It may come at any time, or never.
//
// A Scorer never keeps who has rows waiting, unless it waits: for feeds that are read
// from files, rows wait for room in the queue, and the end of a flow until as many answers
// have come as rows were sent. A program that takes longer than patience for that is
// waited for no longer. While the program is
// not there it is looked for again and again; rows wait in a queue, and when that is full
// they are dropped and counted.
type Scorer struct {
	waits  bool
	path   string
	header []byte
	cols   []column
	rowLen int
	most   int // octets of the queue
	told   func(text string)
	stop   context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	changed *sync.Cond // any of what follows, for who waits
	queue   []byte     // whole rows
	closing bool
	there   bool // the program is
	given   bool // it is waited for no longer
	asked   uint64
	answers []Answer
	counts  ScorerCounts
}

// ScorerCounts are what has become of rows and answers.
type ScorerCounts struct {
	Sent, Dropped uint64 // rows
	// Answers came, of which Nonsense could not be read, or were too many at a time.
	// Unknown ones were for no flow that is followed: it may have ended before.
	Answers, Nonsense, Unknown uint64
	Connections                uint64
}

const (
	maxQueue   = 16 << 20 // octets
	maxAnswers = 1 << 16  // that wait
	patience   = 5 * time.Second
	redial     = 200 * time.Millisecond
)

// NewScorer returns the scorer that listens at path, of rows that list so many packets,
// which waits or does not.
// It is looked for from now on; told is called when it comes and goes.
func NewScorer(path string, first int, waits bool, told func(text string)) *Scorer {
	s := &Scorer{waits: waits, path: path, cols: columns(first), told: told, most: maxQueue, done: make(chan struct{})}
	s.header = headerOf(s.cols, 0)
	s.rowLen = rowLen(s.cols)
	s.changed = sync.NewCond(&s.mu)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.run(ctx)
	return s
}

// Counts returns them.
func (s *Scorer) Counts() ScorerCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Row implements Rows.
func (s *Scorer) Row(r *Row) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := func() bool { return len(s.queue)+s.rowLen > s.most }
	if s.waits && full() {
		s.wait(func() bool { return !full() })
	}
	if full() {
		s.counts.Dropped++
		return nil
	}
	s.queue = appendRow(s.queue, s.cols, r)
	s.asked++
	s.changed.Broadcast()
	return nil
}

// settle waits until as many answers have come as rows were sent.
func (s *Scorer) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait(func() bool { return s.counts.Answers >= s.asked })
}

// wait waits until something is so, or for so long that nothing is waited for any
// longer. The lock is held.
func (s *Scorer) wait(so func() bool) {
	if s.given || so() {
		return
	}
	late := false
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		late = true
		s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer timer.Stop()
	for !late && !so() {
		s.changed.Wait()
	}
	if !so() {
		s.given = true
		s.told("does not answer each row: answers are waited for no longer")
	}
}

// Flush implements Rows. Rows are sent as they come.
func (s *Scorer) Flush() error { return nil }

// Close implements Rows. What is in the queue is sent, and what is answered then is
// taken, if that does not take too long.
func (s *Scorer) Close() error {
	s.mu.Lock()
	s.closing = true
	hopes := s.there || s.waits && !s.given
	s.mu.Unlock()
	s.changed.Broadcast()
	if hopes {
		select {
		case <-s.done:
		case <-time.After(patience):
		}
	}
	s.stop()
	s.changed.Broadcast()
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Dropped += uint64(len(s.queue) / s.rowLen)
	s.queue = nil
	return nil
}

// run connects to the program, again and again.
func (s *Scorer) run(ctx context.Context) {
	defer close(s.done)
	var dialer net.Dialer
	for missing := false; ctx.Err() == nil; {
		conn, err := dialer.DialContext(ctx, "unix", s.path)
		if err != nil {
			if !missing {
				missing = true
				s.told(err.Error() + ": rows wait")
			}
			select {
			case <-ctx.Done():
			case <-time.After(redial):
			}
			continue
		}
		missing = false
		s.setThere(true)
		s.told("is there")
		finished := s.talk(ctx, conn.(*net.UnixConn))
		s.setThere(false)
		if finished {
			return
		}
		s.told("has gone")
	}
}

func (s *Scorer) setThere(there bool) {
	s.mu.Lock()
	s.there = there
	if there {
		s.counts.Connections++
	}
	s.mu.Unlock()
	s.changed.Broadcast()
}

// talk sends rows and reads answers until the connection breaks, or all is said: then
// it returns true.
func (s *Scorer) talk(ctx context.Context, conn *net.UnixConn) bool {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	heard := make(chan struct{})
	broken := false // under the lock
	go func() {
		defer close(heard)
		s.listen(conn)
		s.mu.Lock()
		broken = true
		s.mu.Unlock()
		s.changed.Broadcast()
	}()
	defer func() {
		conn.Close()
		<-heard
	}()
	if _, err := conn.Write(s.header); err != nil {
		return false
	}
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.closing && !broken {
			s.changed.Wait()
		}
		if broken {
			s.mu.Unlock()
			return false
		}
		rows := s.queue
		s.queue = nil
		s.mu.Unlock()
		if len(rows) == 0 { // closing
			if conn.CloseWrite() == nil {
				<-heard
			}
			return true
		}
		s.changed.Broadcast()
		n, err := conn.Write(rows)
		s.sent(rows, n)
		if err != nil {
			return false
		}
	}
}

// sent counts rows of which n octets were sent, and keeps those that were not.
func (s *Scorer) sent(rows []byte, n int) {
	whole := n / s.rowLen
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Sent += uint64(whole)
	if rest := rows[whole*s.rowLen:]; len(rest) > 0 {
		s.queue = append(rest, s.queue...)
		if over := len(s.queue) - s.most; over > 0 {
			n := (over + s.rowLen - 1) / s.rowLen
			s.counts.Dropped += uint64(n)
			s.queue = s.queue[:len(s.queue)-n*s.rowLen]
		}
	}
}

// listen reads answers until there are no more.
func (s *Scorer) listen(conn net.Conn) {
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, maxAnswer), maxAnswer)
	for lines.Scan() {
		a, err := parseAnswer(lines.Bytes())
		s.mu.Lock()
		s.counts.Answers++
		if err != nil || len(s.answers) >= maxAnswers {
			s.counts.Nonsense++
		} else {
			s.answers = append(s.answers, a)
		}
		s.mu.Unlock()
		s.changed.Broadcast()
	}
	if lines.Err() == bufio.ErrTooLong {
		s.mu.Lock()
		s.counts.Nonsense++
		s.mu.Unlock()
	}
}
