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
	news    live.News
	at      *live.Interval // that is shown
	latest  *live.Interval
	rates   []float64 // bits a second of the latest intervals
	look    live.Look
	ruleSet int // the one that is shown
	paused  bool
	numeric bool
	help    bool
	typing  bool   // a filter
	typed   string // of it
	filter  string
	fault   string // of the filter
	missed  uint64
	keys    []string // of the rows that are shown

	// Filter has the source show only flows for which an expression holds, Numeric has
	// it show numbers; nil if it cannot.
	Filter  func(expr string) error
	Numeric func(bool)
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
	if m.typing {
		m.typeKey(key)
		return true
	}
	switch key {
	case "q":
		return false
	case "?":
		m.help = !m.help
	case "s":
		at := slices.Index(live.Sorts, cmp.Or(m.look.Sort, live.Rate))
		m.look.Sort = live.Sorts[(at+1)%len(live.Sorts)]
	case "r":
		m.look.Counts = !m.look.Counts
	case " ":
		if m.paused = !m.paused; !m.paused {
			m.at = m.latest
		}
	case "h":
		if m.look.Held != nil {
			m.look.Held = nil
		} else {
			m.look.Held = slices.Clone(m.keys)
		}
	case "n":
		if m.Numeric != nil {
			m.numeric = !m.numeric
			m.Numeric(m.numeric)
			m.look.Held = nil
		}
	case "c":
		m.nextColumns()
	case "Tab":
		m.nextRuleSet()
	case "/":
		if m.Filter != nil {
			m.typing, m.typed, m.fault = true, m.filter, ""
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
		if err := m.Filter(m.typed); err != nil {
			m.fault = strings.SplitN(err.Error(), "\n", 2)[0]
			return
		}
		m.typing, m.filter, m.fault = false, m.typed, ""
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

// nextColumns hides the first attribute that is shown, all but the last one, and then
// shows all again.
func (m *Model) nextColumns() {
	if m.at == nil {
		return
	}
	s := m.section(m.at)
	if s == nil {
		return
	}
	var names []string
	for _, c := range s.Table.Columns {
		if c.Name == "ToPDUs" {
			break
		}
		names = append(names, c.Name)
	}
	if len(m.look.Hidden)+1 >= len(names) {
		m.look.Hidden = nil
		return
	}
	m.look.Hidden = names[:len(m.look.Hidden)+1]
}

// nextRuleSet shows the next one.
func (m *Model) nextRuleSet() {
	if m.at == nil || len(m.at.Sections) == 0 {
		return
	}
	at := slices.IndexFunc(m.at.Sections, func(s live.Section) bool { return s.Number == m.ruleSet })
	m.ruleSet = m.at.Sections[(at+1)%len(m.at.Sections)].Number
	m.rates, m.look.Held, m.look.Hidden = nil, nil, nil
}

// Lines returns the screen, so many lines of so many columns.
func (m *Model) Lines(width, height int) []string {
	lines := []string{m.state(), m.totals(width)}
	switch {
	case m.typing && m.fault != "":
		lines = append(lines, "filter: "+m.typed+"_   "+m.fault)
	case m.typing:
		lines = append(lines, "filter: "+m.typed+"_")
	case m.filter != "":
		lines = append(lines, "only flows with "+m.filter)
	default:
		lines = append(lines, "")
	}
	foot := "s sort  r rate/sum  / filter  space pause  h hold  n names  c columns  ? help  q quit"
	switch {
	case m.help:
		lines = append(lines, help...)
	default:
		lines = append(lines, m.rows(width, height-len(lines)-1)...)
	}
	for len(lines) < height-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:max(height-1, 0)], foot)
	for i := range lines {
		lines[i] = table.Cut(lines[i], width)
	}
	return lines
}

var help = []string{
	"s      sort by the next of: all, to, from, packets",
	"r      rates, or what was counted in the interval",
	"/      show only flows with what you type, an expression of SRL, such as",
	"       DestTransAddress == 443 && ToOctets > 1000; Enter takes it, Escape leaves it",
	"space  pause: the screen stands still, data go on",
	"h      hold rows where they are",
	"n      names, or numbers",
	"c      hide the next attribute; behind the last, show all",
	"Tab    the next ruleset",
	"q      quit",
}

// state is the first line: whose flows, of when, and whether something is wrong.
func (m *Model) state() string {
	parts := []string{"rtfm top " + table.Visible(m.Name)}
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
		parts = append(parts, text)
	}
	switch st := m.news.Status; {
	case st.State == live.Away:
		parts = append(parts, "THE METER DOES NOT ANSWER: "+table.Visible(st.Text))
	case st.State == live.Starting:
		parts = append(parts, "waiting for the first interval")
	case st.State != live.Running:
		parts = append(parts, strings.TrimSpace(string(st.State)+" "+table.Visible(st.Text)))
	case st.Text != "":
		parts = append(parts, table.Visible(st.Text))
	}
	if m.paused {
		parts = append(parts, "PAUSED")
	}
	if m.look.Held != nil {
		parts = append(parts, "rows held")
	}
	if m.missed > 0 {
		parts = append(parts, fmt.Sprintf("%d intervals missed", m.missed))
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
	if l.Unknown > 0 {
		text += fmt.Sprintf("  unknown %d", l.Unknown)
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
	for rows := max(height-3, 1); ; rows-- {
		look := m.look
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
