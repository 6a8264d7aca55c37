package manager

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"rtfm/reader"
	"rtfm/reader/export"
	"rtfm/reader/spool"
)

// Spool is where a meter's collections wait until all places of Exports have them.
type Spool struct {
	Folder string // of the meter alone
	Limit  int64  // octets, 0 for any number
	Drop   bool   // the oldest when it is full; else no collection is made
}

// defaultSpool is that of meters which name none.
var defaultSpool = Spool{Folder: "{name}.spool", Limit: 1 << 30}

// exports reads the list of places.
func (l *loader) exports(n ast.Node, m *Meter) {
	m.Exports = nil
	l.list(n, "exports", func(n ast.Node) {
		if text := l.exportURL(n); text != "" {
			m.Exports = append(m.Exports, text)
		}
	})
}

// exportURL returns the URL that a place comes to: its other keys are the URL's options.
func (l *loader) exportURL(n ast.Node) string {
	var text, user string
	var options []string
	keys := map[string]bool{}
	for _, v := range l.pairs(n, "a place of exports") {
		name, _ := scalar(v.Key)
		value, ok := scalar(v.Value)
		if keys[name] {
			l.errorf(v.Key, "%q stands here twice", name)
			return ""
		}
		keys[name] = true
		switch {
		case name == "password":
			l.mapping(v.Value, "password", []key{{"file", func(n ast.Node) {
				var file string
				if l.text(&file, oneWord(4096))(n); file != "" {
					options = append(options, "password-file="+url.QueryEscape(l.path(file)))
				}
			}}})
		case !ok:
			l.errorf(v.Value, "%s: want a text or a number", name)
		case name == "url":
			text = value
		case name == "user":
			user = value
		default:
			options = append(options, name+"="+url.QueryEscape(value))
		}
	}
	if text == "" {
		l.errorf(n, `a place of exports needs a "url"`)
		return ""
	}
	if before, after, ok := strings.Cut(text, "://"); ok && user != "" {
		text = before + "://" + url.PathEscape(user) + "@" + after
	}
	if len(options) > 0 {
		mark := "?"
		if strings.Contains(text, "?") {
			mark = "&"
		}
		text += mark + strings.Join(options, "&")
	}
	p, err := export.ParsePlace(text, l.schemes)
	if err == nil {
		err = p.Check(context.Background(), false)
	}
	if err != nil {
		l.errorf(n, "%v", err)
		return ""
	}
	return text
}

// spool reads where collections wait.
func (l *loader) spool(n ast.Node, m *Meter) {
	full := "wait"
	l.mapping(n, "spool", []key{
		{"folder", l.text(&m.Spool.Folder, oneWord(4096))},
		{"limit", func(n ast.Node) {
			text, _ := scalar(n)
			limit, err := octets(text)
			if err != nil {
				l.errorf(n, "%v", err)
			}
			m.Spool.Limit = limit
		}},
		{"full", l.oneOf(&full, "wait", "drop")},
	})
	m.Spool.Drop = full == "drop"
}

// octets reads a size, as 20GiB.
func octets(text string) (int64, error) {
	number, bits := text, 0
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if n, ok := strings.CutSuffix(text, unit); ok {
			number, bits = n, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>bits {
		return 0, fmt.Errorf("%q is no size, as 500MiB or 20GiB are", text)
	}
	return n << bits, nil
}

// finishExports puts the meter's name where {name} stands. A folder without it has one for
// each meter.
func (m *Meter) finishExports(path func(string) string) {
	name := fileName(m.Name)
	exports := m.Exports
	m.Exports = nil
	for _, text := range exports {
		m.Exports = append(m.Exports, strings.ReplaceAll(text, "{name}", name))
	}
	if m.Spool.Folder != "" && !strings.Contains(m.Spool.Folder, "{name}") {
		m.Spool.Folder = filepath.Join(m.Spool.Folder, "{name}")
	}
	m.Spool.Folder = path(strings.ReplaceAll(m.Spool.Folder, "{name}", name))
}

// CheckExports reaches for all places that collections of the meters go to, each once, and
// returns what is wrong with them.
func (c *Config) CheckExports(ctx context.Context, schemes []export.Scheme) error {
	var errs []error
	done := map[string]bool{}
	for _, m := range c.Meters {
		for _, text := range m.Exports {
			if done[text] {
				continue
			}
			done[text] = true
			ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
			p, err := export.ParsePlace(text, schemes)
			if err == nil {
				err = p.Check(ctx, true)
			}
			cancel()
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// export opens the meter's spool, given what is known of its flow data file, and begins to
// send what is in it.
func (k *keeper) export(known *reader.State) error {
	if len(k.meter.Exports) == 0 {
		return nil
	}
	var places []export.Place
	for _, text := range k.meter.Exports {
		p, err := export.ParsePlace(text, k.schemes)
		if err != nil {
			return err
		}
		places = append(places, p)
	}
	s, err := spool.Open(k.meter.Spool.Folder, export.SpoolConfig(k.meter.Spool.Limit, k.meter.Spool.Drop))
	if err != nil {
		return err
	}
	if k.exports, err = export.Start(s, places, k.schemes, k.notice); err == nil {
		k.tellExports()
		err = reader.Settle(s, known)
	}
	if err != nil {
		k.endExports()
		s.Close()
	}
	return err
}

// endExports ends the sending.
func (k *keeper) endExports() {
	if k.exports == nil {
		return
	}
	k.exports.Stop()
	k.exports.Spool.Close()
	k.exports = nil
	k.tellExports()
}

// notice logs what an export tells.
func (k *keeper) notice(place string, n export.Notice) {
	switch log := k.log.With("place", place); {
	case n.Note != "":
		log.Info("export", "note", n.Note)
	case n.Err == nil:
		log.Info("export goes on", "waiting", n.Waiting)
	case n.Stopped:
		log.Error("export stopped", "error", n.Err, "waiting", n.Waiting)
	default:
		log.Warn("export fails, and is tried again", "error", n.Err, "waiting", n.Waiting)
	}
}

// deliver waits, when all collections were made, for those that were not sent yet.
func (k *keeper) deliver() {
	if k.exports == nil {
		return
	}
	if unsent := k.exports.Finish(context.Background(), min(k.grace, exportGrace)); unsent > 0 {
		k.log.Warn("collections are still in the spool; the next start sends them, or rtfm flows spool --send", "collections", unsent, "folder", k.meter.Spool.Folder)
	}
}

// exportGrace is the time for places that do not answer when the manager ends.
const exportGrace = 10 * time.Second

// tellExports tells who watches where collections go to.
func (k *keeper) tellExports() {
	if k.watch != nil {
		k.watch.Exports(k.exports)
	}
}
