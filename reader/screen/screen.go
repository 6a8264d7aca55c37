package screen

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"

	"rtfm/reader/live"
)

// Run shows a history on the terminal until a key ends it, or ctx is done.
func Run(ctx context.Context, m *Model, h *live.History) error {
	s, err := tcell.NewScreen()
	if err != nil {
		return err
	}
	if err := s.Init(); err != nil {
		return err
	}
	defer s.Fini()
	return run(ctx, s, m, h)
}

// run is Run on a terminal that is ready.
func run(ctx context.Context, s tcell.Screen, m *Model, h *live.History) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, stop := make(chan tcell.Event, 16), make(chan struct{})
	defer close(stop)
	go s.ChannelEvents(events, stop)
	ticks := time.NewTicker(time.Second) // for the age of what is shown
	defer ticks.Stop()
	number := uint64(0)
	for {
		news, changed := h.Look(number)
		m.Add(news)
		if n := len(news.Intervals); n > 0 {
			number = news.Intervals[n-1].Number
		}
		draw(s, m)
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case text := <-m.answer:
			m.answered(text)
		case <-ticks.C:
		case e, open := <-events:
			if !open || !handle(s, m, e) {
				return nil
			}
		}
	}
}

// keyNames are those that a Model knows, of keys that are no characters.
var keyNames = map[tcell.Key]string{
	tcell.KeyEnter: "Enter", tcell.KeyEscape: "Escape", tcell.KeyTab: "Tab",
	tcell.KeyBackspace: "Backspace", tcell.KeyBackspace2: "Backspace",
	tcell.KeyDown: "Down", tcell.KeyUp: "Up", tcell.KeyPgDn: "PageDown", tcell.KeyPgUp: "PageUp", tcell.KeyHome: "Home",
}

// handle does what an event asks for, false if that is the end.
func handle(s tcell.Screen, m *Model, e tcell.Event) bool {
	switch e := e.(type) {
	case *tcell.EventResize:
		s.Sync()
	case *tcell.EventKey:
		switch name, named := keyNames[e.Key()]; {
		case named:
			return m.Key(name)
		case e.Key() == tcell.KeyCtrlC:
			return false
		case e.Key() == tcell.KeyRune:
			if e.Modifiers()&tcell.ModAlt != 0 { // as Escape just before it looks
				m.Key("Escape")
			}
			return m.Key(string(e.Rune()))
		}
	}
	return true
}

// draw draws the lines of the model. Colours only repeat what the text says.
func draw(s tcell.Screen, m *Model) {
	width, height := s.Size()
	s.Clear()
	lines := m.Lines(width, height)
	state, loss := m.Alarm()
	colours := s.Colors() >= 8 && os.Getenv("NO_COLOR") == ""
	for y, line := range lines {
		style := tcell.StyleDefault
		switch y {
		case 0, height - 1:
			style = style.Reverse(true)
			line += strings.Repeat(" ", max(width-uniseg.StringWidth(line), 0))
		case 1, m.head: // the sums, and the table's header
			style = style.Bold(true)
		}
		if colours && (y == 0 && state || y == 1 && loss) {
			style = style.Foreground(tcell.ColorRed)
		}
		s.PutStrStyled(0, y, line, style)
	}
	s.Show()
}
