// Package screen shows a live view on a terminal.
package screen

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rtfm/reader/live"
	"rtfm/reader/table"
)

// Model is what is shown, and what keys have changed of it. It knows no terminal.
type Model struct {
	Name    string // of the source
	Rows    int    // at most, 0 for as many as there is room for
	Look    live.Look
	Numeric bool   // numbers are shown for names
	Filter  string // only flows for which it holds are shown
	news    live.News
	at      *live.Interval // that is shown
	latest  *live.Interval
	rates   []float64 // bits a second of the latest intervals
	ruleSet int       // the one that is shown
	paused  bool
	help    bool
	columns bool   // they are chosen
	typing  bool   // a filter
	typed   string // of it
	fault   string // of the filter
	head    int    // the line of the table's header
	missed  uint64
	keys    []string      // of the rows that are shown
	note    string        // what became of packets that were asked for
	answer  <-chan string // that will be, nil if none were

	// SetFilter has the source show only flows for which an expression holds, SetNumeric
	// has it show numbers; nil if it cannot.
	SetFilter  func(expr string) error
	SetNumeric func(bool)
	// GetPackets gets the packets of a flow, a row as live.Section.Row returns it, and
	// returns what became of that; nil if there is no store of them.
	GetPackets func(row []byte) string
	// Now is the clock, for the age of what is shown.
	Now func() time.Time
}

// most is how many intervals the line of rates has.
const most = 120

// Add takes what is new.
func (m *Model) Add(n live.News) {
	m.news = n
	m.missed += n.Missed
	for _, i := range n.Intervals {
		m.latest = i
		if s := m.section(i); s != nil {
			bits, _ := s.Rates(i.Length())
			m.rates = append(m.rates, bits)
		}
	}
	if len(m.rates) > most {
		m.rates = slices.Clone(m.rates[len(m.rates)-most:])
	}
	if !m.paused && m.latest != nil {
		m.at = m.latest
	}
}

// section returns the one that is shown of an interval; the first if that one has gone.
func (m *Model) section(i *live.Interval) *live.Section {
	if len(i.Sections) == 0 {
		return nil
	}
	if s := i.Section(m.ruleSet); s != nil {
		return s
	}
	m.ruleSet = i.Sections[0].Number
	return &i.Sections[0]
}

// Key does what a key asks for; it returns false for the one that ends the screen. Keys
// that are no characters have names: Enter, Escape, Backspace.
func (m *Model) Key(key string) bool {
	switch {
	case m.typing:
		m.typeKey(key)
		return true
	case m.columns:
		m.columnKey(key)
		return true
	}
	switch key {
	case "q":
		return false
	case "?":
		m.help = !m.help
	case "s":
		at := slices.Index(live.Sorts, cmp.Or(m.Look.Sort, live.Rate))
		m.Look.Sort = live.Sorts[(at+1)%len(live.Sorts)]
	case "r":
		m.Look.Counts = !m.Look.Counts
	case " ":
		if m.paused = !m.paused; !m.paused {
			m.at = m.latest
		}
	case "h":
		if m.Look.Held != nil {
			m.Look.Held = nil
		} else {
			m.Look.Held = slices.Clone(m.keys)
		}
	case "n":
		if m.SetNumeric != nil {
			m.Numeric = !m.Numeric
			m.SetNumeric(m.Numeric)
			m.Look.Held = nil
		}
	case "c":
		m.columns = true
	case "p":
		m.getPackets()
	case "Down", "Up", "PageDown", "PageUp", "Home":
		m.scroll(key)
	case "Tab":
		m.nextRuleSet()
	case "/":
		if m.SetFilter != nil {
			m.typing, m.typed, m.fault = true, m.Filter, ""
		}
	}
	return true
}

// typeKey takes a key of a filter that is typed.
func (m *Model) typeKey(key string) {
	switch key {
	case "Escape":
		m.typing, m.fault = false, ""
	case "Enter":
		if err := m.SetFilter(m.typed); err != nil {
			m.fault = strings.SplitN(err.Error(), "\n", 2)[0]
			return
		}
		m.typing, m.Filter, m.fault = false, m.typed, ""
	case "Backspace":
		if r := []rune(m.typed); len(r) > 0 {
			m.typed = string(r[:len(r)-1])
		}
	default:
		if len([]rune(key)) == 1 {
			m.typed += key
		}
	}
}

// scroll moves the rows that are shown.
func (m *Model) scroll(key string) {
	if m.at == nil {
		return
	}
	by := map[string]int{"Down": 1, "Up": -1, "PageDown": len(m.keys), "PageUp": -len(m.keys), "Home": -live.MostRows}[key]
	if s := m.section(m.at); s != nil {
		m.Look.Above = max(min(m.Look.Above+by, len(s.Table.Rows)-1), 0)
	}
}

// nextRuleSet shows the next one.
func (m *Model) nextRuleSet() {
	if m.at == nil || len(m.at.Sections) == 0 {
		return
	}
	at := slices.IndexFunc(m.at.Sections, func(s live.Section) bool { return s.Number == m.ruleSet })
	m.ruleSet = m.at.Sections[(at+1)%len(m.at.Sections)].Number
	m.rates, m.Look.Held, m.Look.Hidden, m.Look.Above = nil, nil, nil, 0
}

// Lines returns the screen, so many lines of so many columns.
func (m *Model) Lines(width, height int) []string {
	lines := []string{m.state(), m.totals(width), m.shown()}
	for _, text := range []string{m.fault, m.note, table.Visible(m.news.Status.Text)} {
		if text != "" {
			lines = append(lines, text)
		}
	}
	m.head = len(lines)
	switch {
	case m.help:
		lines = append(lines, help...)
		if m.GetPackets != nil {
			lines = append(lines, "p      write the packets of the first row that is shown to a file")
		}
	case m.columns:
		lines = append(lines, m.columnLines()...)
	default:
		lines = append(lines, m.rows(width, height-len(lines)-1)...)
	}
	for len(lines) < height-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:max(height-1, 0)], foot(width))
	for i := range lines {
		lines[i] = table.Cut(lines[i], width)
	}
	return lines
}

// shown is the third line: what is shown of the flows, and in which order.
func (m *Model) shown() string {
	if m.typing {
		return "filter: " + m.typed + "_"
	}
	text := "rates"
	if m.Look.Counts {
		text = "sums"
	}
	text += ", by " + strings.ToLower(cmp.Or(m.Look.Sort, live.Rate))
	if m.Look.Above > 0 {
		text += fmt.Sprintf(", from row %d", m.Look.Above+1)
	}
	if n := len(m.Look.Hidden); n > 0 {
		text += fmt.Sprintf(", %d columns hidden", n)
	}
	if m.GetPackets != nil {
		text += ", p packets of the first row"
	}
	if m.Filter != "" {
		text += ", only flows with " + table.Visible(m.Filter)
	}
	return text
}

// foot is the last line.
func foot(width int) string {
	for _, text := range []string{
		"s sort  r rate/sum  / filter  space pause  h hold  n names  c columns  ? help  q quit",
		"s sort  r sums  / filter  space pause  h hold  n names  c cols  ? help  q quit",
		"s sort  r sums  / filter  space pause  c columns  ? help  q quit",
		"s sort  / filter  ? help  q quit",
	} {
		if len(text) <= width {
			return text
		}
	}
	return "? help  q quit"
}

// Alarm reports whether the first line, and whether the second, tells of something that
// is wrong.
func (m *Model) Alarm() (state, loss bool) {
	st := m.news.Status
	state = st.State == live.Away || st.State == live.Ended && st.Text != ""
	if m.at != nil {
		l := m.at.Loss
		loss = l.Lost > 0 || l.Uncounted > 0 || l.Stopped > 0 || l.Unknown > 0
	}
	return state, loss
}

var help = []string{
	"s      sort by the next of: all, to, from, packets",
	"r      rates, or what was counted in the interval",
	"/      show only flows with what you type, an expression of SRL, such as",
	"       DestTransAddress == 443 && ToOctets > 1000; Enter takes it, Escape leaves it",
	"space  pause: the screen stands still, data go on",
	"h      hold rows where they are",
	"n      names, or numbers",
	"c      choose columns",
	"Tab    the next ruleset",
	"Down, Up, PageDown, PageUp, Home: rows further down, of the 500 that are kept",
	"?      leave this",
	"q      quit",
}

// state is the first line: whose flows, of when, and whether something is wrong.
func (m *Model) state() string {
	parts := []string{"rtfm top " + table.Visible(m.Name)}
	switch st := m.news.Status.State; st {
	case live.Away:
		parts = append(parts, "THE METER DOES NOT ANSWER")
	case live.Starting:
		parts = append(parts, "waiting for the first interval")
	case live.Restarted, live.Ended:
		parts = append(parts, string(st))
	}
	if m.paused {
		parts = append(parts, "PAUSED")
	}
	if m.Look.Held != nil {
		parts = append(parts, "rows held")
	}
	if m.missed > 0 {
		parts = append(parts, fmt.Sprintf("%d intervals missed", m.missed))
	}
	if m.at != nil {
		if s := m.section(m.at); s != nil && len(m.at.Sections) > 1 {
			parts = append(parts, table.Visible(s.Name))
		}
		to := time.Unix(0, m.at.To)
		text := to.UTC().Format("15:04:05") + " UTC"
		if m.Now != nil {
			if age := m.Now().Sub(to); age > 0 && age < 24*time.Hour {
				text += fmt.Sprintf(", %d s ago", int(age.Seconds()))
			}
		}
		parts = append(parts, text, "interval "+table.Duration.Show(table.Int(m.at.Length())))
	}
	return strings.Join(parts, "  ")
}

// totals is the second line: what all flows come to, and what is missing from them.
func (m *Model) totals(width int) string {
	if m.at == nil {
		return ""
	}
	l := m.at.Loss
	text := ""
	if s := m.section(m.at); s != nil {
		bits, packets := s.Rates(m.at.Length())
		text = fmt.Sprintf("%s  %s  %d flows  ", table.BitRate.Show(table.Float(bits)), table.PacketRate.Show(table.Float(packets)), s.Flows())
	}
	text += fmt.Sprintf("lost %d  uncounted %d", l.Lost, l.Uncounted)
	if l.Stopped > 0 {
		text += fmt.Sprintf("  stopped %d", l.Stopped)
	}
	if l.Unknown > 0 {
		text += fmt.Sprintf("  flows not known %d", l.Unknown)
	}
	if room := width - len(text) - 2; room >= 8 && len(m.rates) > 1 {
		text += "  " + spark(m.rates[max(0, len(m.rates)-room):])
	}
	return text
}

// bars are the characters of a line of rates, from nothing to the most.
var bars = []rune(" ▁▂▃▄▅▆▇█")

// spark draws rates as characters.
func spark(rates []float64) string {
	top := slices.Max(rates)
	var b strings.Builder
	for _, r := range rates {
		at := 0
		if top > 0 && r > 0 {
			at = 1 + int(r/top*float64(len(bars)-2)+0.5)
		}
		b.WriteRune(bars[min(at, len(bars)-1)])
	}
	return b.String()
}

// rows are the table, in so many lines.
func (m *Model) rows(width, height int) []string {
	if m.at == nil {
		return nil
	}
	s := m.section(m.at)
	if s == nil {
		return []string{"no ruleset runs"}
	}
	// Beside the rows there are the header, which may take more than one line, the
	// others and the total.
	most := max(height-3, 1)
	if m.Rows > 0 {
		most = min(most, m.Rows)
	}
	for rows := most; ; rows-- {
		look := m.Look
		look.Rows = rows
		t, keys := s.Shown(m.at.Length(), look)
		var b bytes.Buffer
		t.Text(&b, table.Options{Width: width})
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) <= height || rows == 1 {
			m.keys = keys
			return lines
		}
	}
}
