package screen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"

	"rtfm/reader/live"
	"rtfm/reader/table"
)

// interval returns one of n flows, of which the i-th has counted (i+1)*1000 octets to
// and 10 from its dest, in a second.
func interval(n, others int) *live.Interval {
	t := &table.Table{NumOthers: others}
	for _, name := range []string{"SourcePeerAddress", "DestPeerAddress"} {
		t.Columns = append(t.Columns, table.Column{Name: name, Title: name[:4]})
	}
	for _, name := range []string{"ToPDUs", "FromPDUs", "PDUs", "ToOctets", "FromOctets", "Octets"} {
		t.Columns = append(t.Columns, table.Column{Name: name, Kind: table.Count})
	}
	sums := func(pdus, to, from uint64) []table.Value {
		return []table.Value{table.Uint(pdus), table.Uint(0), table.Uint(pdus), table.Uint(to), table.Uint(from), table.Uint(to + from)}
	}
	to := uint64(0)
	for i := range n {
		t.Rows = append(t.Rows, append([]table.Value{table.String(fmt.Sprint("host", i)), table.String("b")}, sums(uint64(n-i), uint64(i+1)*1000, 10)...))
		to += uint64(i+1) * 1000
	}
	t.Others = append(make([]table.Value, 2), sums(0, 500, 0)...)
	t.Total = append(make([]table.Value, 2), sums(uint64(n*(n+1)/2), to+500, uint64(10*n))...)
	i := &live.Interval{Sections: []live.Section{{Number: 2, Name: "flows", Table: t}}, Loss: live.Loss{Lost: 7, Uncounted: 8}}
	i.From, i.To = 1e18, 1e18+1e9
	return i
}

// model returns one that shows an interval.
func model(i *live.Interval) *Model {
	m := &Model{Name: "gw1"}
	m.Add(live.News{Intervals: []*live.Interval{i}, Status: live.Status{State: live.Running}})
	return m
}

// shows wants these texts in the lines of a model.
func shows(t *testing.T, m *Model, texts ...string) {
	t.Helper()
	all := strings.Join(m.Lines(80, 24), "\n")
	for _, text := range texts {
		if !strings.Contains(all, text) {
			t.Errorf("no %q in\n%s", text, all)
		}
	}
}

// TestLines fits any size, and always tells what was lost.
func TestLines(t *testing.T) {
	for _, flows := range []int{0, 1, 5, 500} {
		m := model(interval(flows, 3))
		for _, width := range []int{20, 40, 80, 200} {
			for _, height := range []int{4, 10, 24, 60} {
				lines := m.Lines(width, height)
				if len(lines) != height {
					t.Errorf("%d flows: %d lines on %d", flows, len(lines), height)
				}
				for _, line := range lines {
					if uniseg.StringWidth(line) > width {
						t.Errorf("%d flows: wider than %d: %q", flows, width, line)
					}
				}
			}
		}
		shows(t, m, "lost 7", "uncounted 8", fmt.Sprint(flows+3, " flows"))
	}
}

// TestSums: what is not shown stands among the others, so that all add up.
func TestSums(t *testing.T) {
	s := &interval(100, 3).Sections[0]
	for _, rows := range []int{0, 1, 10, 100, 200} {
		for _, sort := range live.Sorts {
			shown, keys := s.Shown(1e9, live.Look{Rows: rows, Sort: sort, Counts: true})
			at := len(shown.Columns) - 3 // All
			sum := 0.0
			for _, row := range append(shown.Rows, shown.Others) {
				n := 0.0
				fmt.Sscan(row[at].Exact(), &n)
				sum += n
			}
			if want := shown.Total[at].Exact(); fmt.Sprint(uint64(sum)) != want || shown.NumOthers != 103-len(keys) {
				t.Errorf("%d rows by %s: %v, want %s; %d others", rows, sort, sum, want, shown.NumOthers)
			}
		}
	}
}

// TestKeys presses each.
func TestKeys(t *testing.T) {
	m := model(interval(50, 0))
	m.Lines(80, 24)
	shows(t, m, "host49", "kbit/s")
	m.Key("r")
	shows(t, m, "50.0 kB")
	m.Key("r")
	for range 3 {
		m.Key("s") // to, from, packets
	}
	shows(t, m, "host0 ")
	m.Key("s")
	m.Lines(80, 24)
	m.Key("h")
	first := m.Lines(80, 24)[4]
	again := interval(50, 0)
	again.Sections[0].Table.Rows[0][5] = table.Uint(1e9) // host0 counts most now
	m.Add(live.News{Intervals: []*live.Interval{again}, Status: live.Status{State: live.Running}})
	if now := m.Lines(80, 24)[4]; now != first || !strings.Contains(m.Lines(80, 24)[0], "rows held") {
		t.Errorf("held: %q, then %q", first, now)
	}
	m.Key("h")
	if now := m.Lines(80, 24)[4]; !strings.HasPrefix(now, "host49") {
		t.Errorf("not held: %q", now) // its Octets are what counts, not those to the dest
	}
	m.Key(" ")
	shows(t, m, "PAUSED")
	m.Add(live.News{Intervals: []*live.Interval{interval(1, 0)}, Status: live.Status{State: live.Running}})
	shows(t, m, "50 flows")
	m.Key(" ")
	shows(t, m, "1 flows")
	m.Key("?")
	shows(t, m, "expression of SRL")
	if m.Key("q") {
		t.Error("q does not end it")
	}
}

// TestColumns hides some, and shows them again.
func TestColumns(t *testing.T) {
	m := model(interval(50, 0))
	lacks := func(text string) {
		t.Helper()
		if all := strings.Join(m.Lines(80, 24), "\n"); strings.Contains(all, text) {
			t.Errorf("%q is there:\n%s", text, all)
		}
	}
	m.Key("c")
	shows(t, m, "1  [x] SourcePeerAddress", "2  [x] DestPeerAddress", "3  [x] To", "6  [x] Percent")
	m.Key("1")
	m.Key("5")
	m.Key("Z")
	m.Key("7")
	shows(t, m, "1  [ ] SourcePeerAddress", "5  [ ] Packets")
	m.Key("q")
	shows(t, m, "Dest ", "To ", "All ", "2 columns hidden")
	lacks("Sour ")
	lacks("Packets")
	for _, key := range []string{"c", "1", "Enter"} {
		m.Key(key)
	}
	shows(t, m, "Sour ", "1 columns hidden")
	for _, key := range []string{"c", "0", "c"} {
		m.Key(key)
	}
	shows(t, m, "Sour ", "Packets")
	lacks("hidden")
}

// TestScroll shows rows further down, and no fewer than one.
func TestScroll(t *testing.T) {
	m := model(interval(50, 0))
	for _, tt := range []struct{ key, first, line string }{
		{"Down", "host48 ", "from row 2"}, {"PageDown", "host31 ", "from row 19"}, {"PageUp", "host48 ", "from row 2"},
		{"Up", "host49 ", ""}, {"Up", "host49 ", ""}, {"PageDown", "host32 ", "from row 18"}, {"Home", "host49 ", ""},
	} {
		m.Lines(80, 24)
		m.Key(tt.key)
		if lines := m.Lines(80, 24); !strings.HasPrefix(lines[4], tt.first) || !strings.Contains(lines[2], tt.line) {
			t.Errorf("%s: %q, %q", tt.key, lines[2], lines[4])
		}
	}
	for range 60 {
		m.Key("Down")
	}
	shows(t, m, "host0 ", "49 others", "total")
}

// TestFoot fits the screen.
func TestFoot(t *testing.T) {
	for _, width := range []int{20, 40, 70, 80, 100} {
		if text := foot(width); len(text) > width || !strings.Contains(text, "q quit") {
			t.Errorf("%d: %q", width, text)
		}
	}
	if !strings.Contains(foot(80), "n names") {
		t.Error(foot(80))
	}
}

// TestHeld: the percentiles beside a row do not make it another one.
func TestHeld(t *testing.T) {
	row := func(median uint64) *live.Section {
		i := interval(3, 0)
		s := &i.Sections[0]
		s.Table.Columns = slices.Insert(s.Table.Columns, 2, table.Column{Name: "ToPacketSizeP50", Kind: table.Count})
		for k := range s.Table.Rows {
			s.Table.Rows[k] = slices.Insert(s.Table.Rows[k], 2, table.Uint(median))
		}
		return s
	}
	_, before := row(1).Shown(1e9, live.Look{})
	_, now := row(2).Shown(1e9, live.Look{})
	if !slices.Equal(before, now) {
		t.Errorf("%q, then %q", before, now)
	}
}

// TestFilterKeys types a filter, a wrong one first.
func TestFilterKeys(t *testing.T) {
	m := model(interval(3, 0))
	got := ""
	m.SetFilter = func(text string) error {
		if !strings.Contains(text, "==") {
			return errors.New("want an expression")
		}
		got = text
		return nil
	}
	for _, key := range []string{"/", "q", "Enter"} {
		m.Key(key)
	}
	shows(t, m, "filter: q_", "want an expression")
	for _, key := range []string{"Backspace", "a", "=", "=", "1", "Enter"} {
		m.Key(key)
	}
	shows(t, m, "only flows with a==1")
	if got != "a==1" {
		t.Errorf("the filter is %q", got)
	}
	m.Key("/")
	m.Key("x")
	m.Key("Escape")
	if shows(t, m, "only flows with a==1"); m.typing {
		t.Error("Escape does not leave it")
	}
}

// TestNames shows control characters and marks of direction as what they are.
func TestNames(t *testing.T) {
	i := interval(1, 0)
	i.Sections[0].Table.Rows[0][0] = table.String("a\x1b[2J\u202eb")
	m := model(i)
	m.Name = "gw\x07"
	text := strings.Join(m.Lines(80, 24), "\n")
	if strings.ContainsAny(text, "\x1b\x07\u202e") || !strings.Contains(text, `\x1b[2J\u202eb`) || !strings.Contains(text, `gw\a`) {
		t.Errorf("%q", text)
	}
}

// TestRun draws on a terminal, redraws for what is new and for another size, and ends.
func TestRun(t *testing.T) {
	s := tcell.NewSimulationScreen("UTF-8")
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	s.SetSize(80, 24)
	h := live.NewHistory()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, s, &Model{Name: "gw1"}, h) }()
	// wait waits until the screen has a text.
	wait := func(text string) {
		t.Helper()
		for ctx.Err() == nil {
			var b strings.Builder
			width, height := s.Size()
			for i := range width * height {
				text, _, _ := s.Get(i%width, i/width)
				b.WriteString(text)
			}
			if strings.Contains(b.String(), text) {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("no %q on the screen", text)
	}
	wait("waiting for the first interval")
	h.Put(interval(5, 0))
	wait("5 flows")
	s.SetSize(60, 10)
	s.InjectKey(tcell.KeyRune, 'r', tcell.ModNone)
	wait("5,010 B")
	h.Tell(live.Status{State: live.Away, Text: "no answer"})
	wait("THE METER DOES NOT ANSWER")
	s.InjectKey(tcell.KeyRune, 'q', tcell.ModNone)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
