package feature

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/reader/feed"
	records "rtfm/traces/feed"
)

// testQueue is the octets of queues in tests.
const testQueue = 1 << 18

// bench is a Table with a scorer at a path.
type bench struct {
	*Table
	m      *feed.Meter
	scorer *Scorer
	told   []string
	notes  chan string
}

func newBench(t *testing.T, path string, waits bool) *bench {
	b := &bench{m: &feed.Meter{Domain: 1}, notes: make(chan string, 100)}
	b.scorer = NewScorer(path, 3, waits, func(text string) { b.notes <- text })
	b.scorer.most = testQueue
	b.Table = New(Config{First: 3, MaxFlows: 1e6, Rows: []Rows{b.scorer}, Scorer: b.scorer, Labelled: func(_ *feed.Meter, id uint64, l Label) error {
		b.told = append(b.told, fmt.Sprint(id, " ", l.Name, " ", l.Score))
		return nil
	}})
	t.Cleanup(b.scorer.stop)
	return b
}

// begin has a flow with three packets, which has a row.
func (b *bench) begin(id uint64) {
	b.New(b.m, newFlow(id))
	for i := range int64(3) {
		b.Packet(b.m, &records.Packet{Flow: id, Time: 1e15 + i, Octets: 100})
	}
}

func (b *bench) end(id uint64) { b.End(b.m, &records.End{New: *newFlow(id), Last: 1e15 + 2}) }

// listen returns a socket where scorers listen.
func listen(t *testing.T) (*net.UnixListener, string) {
	path := filepath.Join(t.TempDir(), "scorer")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, path
}

// serve answers each row of one connection with what answer returns, and returns how
// many there were. It stops when more is false.
func serve(t *testing.T, l *net.UnixListener, answer func(id uint64) (text string, more bool)) (rows int) {
	c, err := l.Accept()
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close()
	head := make([]byte, 10)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Error(err)
		return 0
	}
	if _, err := io.CopyN(io.Discard, c, int64(binary.LittleEndian.Uint16(head[8:]))); err != nil {
		t.Error(err)
		return 0
	}
	row := make([]byte, rowLen(columns(3)))
	for {
		if _, err := io.ReadFull(c, row); err != nil {
			if err != io.EOF {
				t.Error("the last row: ", err)
			}
			return rows
		}
		rows++
		text, more := answer(binary.LittleEndian.Uint64(row))
		if _, err := io.WriteString(c, text); err != nil || !more {
			return rows
		}
	}
}

func answered(id uint64, rest string) string {
	return fmt.Sprintf(`{"FlowID":"%016x",%s}`+"\n", id, rest)
}

// TestScorer: each flow has its label by the time it has ended, where answers are waited
// for; the label is there until the next flow ends.
func TestScorer(t *testing.T) {
	l, path := listen(t)
	rows := make(chan int)
	go func() {
		rows <- serve(t, l, func(id uint64) (string, bool) {
			return answered(id, fmt.Sprintf(`"Label":"n%d","Score":%v,"Domain":1`, id, float64(id)/2)), true
		})
	}()
	b := newBench(t, path, true)
	for id := uint64(1); id <= 100; id++ {
		b.begin(id)
		b.end(id)
		if label, ok := b.Label(b.m, id); !ok || label != (Label{fmt.Sprint("n", id), float64(id) / 2}) {
			t.Fatalf("flow %d has label %v", id, label)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if n := <-rows; n != 200 {
		t.Errorf("%d rows, want 200", n)
	}
	if c := b.scorer.Counts(); c != (ScorerCounts{Sent: 200, Answers: 200, Connections: 1}) {
		t.Errorf("%+v", c)
	}
	if len(b.told) != 200 || b.told[9] != "5 n5 2.5" {
		t.Errorf("told %d labels", len(b.told))
	}
}

// TestNonsense: answers that cannot be read, or are for nobody, are counted, and those
// between them are taken.
func TestNonsense(t *testing.T) {
	l, path := listen(t)
	go serve(t, l, func(id uint64) (string, bool) {
		return strings.Join([]string{
			"\n", "{}\n", "\x00\xff\n", `{"FlowID":1,"Label":"x","Score":1}` + "\n", `{"FlowID":"1","Label":"x","Score":1}` + "\n",
			answered(id, `"Label":"","Score":1`), answered(id, `"Label":"a\nb","Score":1`), answered(id, `"Label":"x","Score":1e999`),
			answered(id, `"Label":"`+strings.Repeat("x", 65)+`"`), answered(id, `"Label":7`),
			answered(12345, `"Label":"x","Score":1`), answered(id, `"Label":"x","Score":1,"Domain":2`),
			answered(id, `"Label":"dns","Score":0.5`),
			strings.Repeat("x", 10000),
		}, ""), false
	})
	b := newBench(t, path, true)
	b.begin(1)
	b.scorer.mu.Lock()
	b.scorer.wait(func() bool { return b.scorer.counts.Nonsense == 11 })
	b.scorer.mu.Unlock()
	b.Flush()
	if label, ok := b.Label(b.m, 1); !ok || label != (Label{"dns", 0.5}) {
		t.Errorf("label %v", label)
	}
	if c := b.scorer.Counts(); c.Answers != 13 || c.Nonsense != 11 || c.Unknown != 2 {
		t.Errorf("%+v", c)
	}
}

// TestAbsent: rows that nobody takes are kept as far as there is room, then dropped, and
// nobody waits; all are accounted for, and what was kept is sent when the scorer comes.
func TestAbsent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scorer")
	b := newBench(t, path, false)
	if text := <-b.notes; !strings.Contains(text, "rows wait") {
		t.Errorf("told %q", text)
	}
	fits := testQueue / rowLen(columns(3))
	for id := range uint64(fits + 10) {
		b.begin(id + 1)
	}
	if c := b.scorer.Counts(); c != (ScorerCounts{Dropped: 10}) {
		t.Errorf("%+v", c)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rows := make(chan int)
	go func() { rows <- serve(t, l, func(uint64) (string, bool) { return "", true }) }()
	if text := <-b.notes; text != "is there" {
		t.Errorf("told %q", text)
	}
	b.Close()
	if n := <-rows; n != fits {
		t.Errorf("%d rows, want %d", n, fits)
	}
	if c := b.scorer.Counts(); c != (ScorerCounts{Sent: uint64(fits), Dropped: 10, Connections: 1}) {
		t.Errorf("%+v", c)
	}
}

// TestDies: a scorer that goes away is looked for again; it has whole rows only, and
// nobody waits for it meanwhile.
func TestDies(t *testing.T) {
	l, path := listen(t)
	died := make(chan int)
	go func() {
		died <- serve(t, l, func(uint64) (string, bool) { return "", false })
	}()
	b := newBench(t, path, false)
	b.begin(1)
	if n := <-died; n != 1 {
		t.Errorf("%d rows before it died", n)
	}
	for text := range b.notes {
		if text == "has gone" {
			break
		}
	}
	b.begin(2)
	go func() {
		first := true
		died <- serve(t, l, func(id uint64) (string, bool) {
			if first && id != 2 {
				t.Errorf("row of flow %d", id)
			}
			first = false
			return answered(id, `"Label":"two","Score":1`), true
		})
	}()
	b.scorer.mu.Lock()
	b.scorer.wait(func() bool { return len(b.scorer.answers) == 1 })
	b.scorer.mu.Unlock()
	b.end(1)
	if label, ok := b.Label(b.m, 2); !ok || label.Name != "two" {
		t.Errorf("label %v", label)
	}
	b.end(2)
	b.Close()
	if n := <-died; n != 3 {
		t.Errorf("%d rows after it has come again", n)
	}
}

// TestStuck: a scorer that does not read keeps nobody waiting, not at the end either.
func TestStuck(t *testing.T) {
	l, path := listen(t)
	b := newBench(t, path, false)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for id := range uint64(2*testQueue/rowLen(columns(3)) + 1000) {
		b.begin(id + 1)
		b.end(id + 1)
	}
	n := b.scorer.Counts()
	if n.Dropped == 0 {
		t.Errorf("%+v", n)
	}
	b.scorer.stop() // as Close does after patience
	b.Close()
	if n := b.scorer.Counts(); n.Sent+n.Dropped != b.Counts().Rows {
		t.Errorf("%+v, of %d rows", n, b.Counts().Rows)
	}
}

// FuzzAnswer: whatever a program answers, a label that is taken can be shown.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(answered(1, `"Label":"dns","Score":0.5`)))
	f.Add([]byte(`{"FlowID":"00000000000000zz"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		a, err := parseAnswer(line)
		if err == nil && (a.Name == "" || len(a.Name) > maxLabel || bytes.ContainsAny([]byte(a.Name), "\n\t\x00\x1b")) {
			t.Errorf("label %q", a.Name)
		}
	})
}
