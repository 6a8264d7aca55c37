package cmd

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/schedule"
)

// windowFiles are the traces that a conversion writes: one, or one for each window of a
// schedule.
type windowFiles struct {
	pattern string // of their names
	snap    uint32
	apart   bool   // each window has its own
	about   string // what each says it is, if anything
	sample  *sampleOptions

	file   *format.File
	window schedule.Window
	names  map[string]bool // that were written
	notes  []string
	marked bool // a window has begun
}

// open begins the trace, if there is to be one.
func (w *windowFiles) open() (err error) {
	if w.sample.wanted() {
		w.about = w.sample.about()
	}
	if w.apart = w.sample.schedule.Windows > 0 && strings.Contains(w.pattern, "%"); w.apart {
		w.names = make(map[string]bool)
		_, err := windowName(w.pattern, 0)
		return err
	}
	return w.create(w.pattern)
}

// create begins a trace of this name.
func (w *windowFiles) create(name string) (err error) {
	if w.file, err = format.Create(name, w.snap); err == nil && w.about != "" {
		w.file.About(w.about)
	}
	return err
}

// convert writes the packets of src.
func (w *windowFiles) convert(ctx context.Context, src traces.Source, c format.Conversion) (format.Converted, error) {
	c.Writer = w.writer
	if w.file == nil {
		return format.Convert(ctx, nil, src, c)
	}
	if !w.sample.wanted() {
		c.Writer = nil
	}
	return format.Convert(ctx, w.file.Writer, src, c)
}

// writer returns where a packet goes, which the selector took last.
func (w *windowFiles) writer(p *traces.Packet) (*format.Writer, error) {
	if w.sample.schedule.Windows == 0 {
		return w.file.Writer, nil
	}
	now := w.sample.selector.Window()
	if w.marked && now == w.window {
		return w.file.Writer, nil
	}
	w.window, w.marked = now, true
	if w.apart {
		name, err := windowName(w.pattern, now.From)
		if err == nil && w.names[name] {
			err = fmt.Errorf("%s: two windows have this name: add %%Y%%m%%d-%%H%%M%%S or %%s, the seconds since 1970", name)
		}
		if err == nil {
			err = w.commit()
		}
		if err == nil {
			err = w.create(name)
		}
		if err != nil {
			return nil, err
		}
		w.names[name] = true
	}
	w.file.Comment(fmt.Sprintf("rtfm window %s/%s", traces.TimeText(now.From), traces.TimeText(now.To)))
	return w.file.Writer, nil
}

// commit ends the trace under way, if there is one.
func (w *windowFiles) commit() error {
	if w.file == nil {
		return nil
	}
	for _, note := range w.file.Notes() {
		if !strings.Contains(strings.Join(w.notes, "\n"), note) {
			w.notes = append(w.notes, note)
		}
	}
	return w.file.Commit()
}

// end ends the last trace, which may not be whole, and returns the name that it has.
func (w *windowFiles) end(whole bool) (string, error) {
	if whole || w.file == nil {
		return w.pattern, w.commit()
	}
	w.notes = append(w.notes, w.file.Notes()...)
	return w.file.CommitPart()
}

// abort abandons the trace under way.
func (w *windowFiles) abort() {
	if w.file != nil {
		w.file.Abort()
	}
}

// windowName returns the name of the trace of a window that begins at a time: pattern, with
// what strftime makes of some of its conversions, in UTC.
func windowName(pattern string, from int64) (string, error) {
	layouts := map[byte]string{'Y': "2006", 'm': "01", 'd': "02", 'j': "002", 'H': "15", 'M': "04", 'S': "05", 'F': "2006-01-02"}
	at := time.Unix(0, from).UTC()
	var name strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' {
			name.WriteByte(pattern[i])
			continue
		}
		i++
		switch {
		case i < len(pattern) && pattern[i] == '%':
			name.WriteByte('%')
		case i < len(pattern) && pattern[i] == 's':
			name.WriteString(strconv.FormatInt(at.Unix(), 10))
		case i < len(pattern) && layouts[pattern[i]] != "":
			name.WriteString(at.Format(layouts[pattern[i]]))
		default:
			return "", fmt.Errorf("%s: %q is no part of a window's time: want %%s, the seconds since 1970, or %%Y, %%m, %%d, %%H, %%M, %%S, %%j or %%F, or %%%% for %%", pattern, pattern[i-1:min(i+1, len(pattern))])
		}
	}
	return name.String(), nil
}
