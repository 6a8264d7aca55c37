package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/export"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// flowsExport sends the collections of flow data files to a place, for
// `rtfm flows convert FILE... URL`.
type flowsExport struct {
	*exports
	in *flowFiles
	// unsent collections were passed over, for nothing more can be sent.
	unsent int
	told   bool // of text
}

// exportRoom is how many MiB of collections wait at most, in TMPDIR.
const exportRoom = 64

// isPlace reports whether an argument is a URL, and no file.
func isPlace(arg string) bool {
	scheme, rest, ok := strings.Cut(arg, ":")
	if _, err := os.Lstat(arg); !ok || err == nil {
		return false
	}
	known := slices.ContainsFunc(exportSchemes, func(s export.Scheme) bool { return s.Name == scheme })
	return known || strings.HasPrefix(rest, "//")
}

// export sends what files have to a place.
func (o *flowsConvertOptions) export(cmd *cobra.Command, names []string, place string) error {
	for _, name := range [...]string{"to", "format", "iso", "flows"} {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s is for files, and %s is none", name, place)
		}
	}
	if err := o.check(names); err != nil {
		return err
	}
	to, err := export.ParsePlace(place, exportSchemes)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "rtfm-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	waiting := exportOptions{folder: folder, limit: exportRoom, grace: o.grace, places: []export.Place{to}}
	stderr := cmd.ErrOrStderr()
	x, err := waiting.open(func(place string, n export.Notice) { printNotice(stderr, place, n) })
	if err != nil {
		return err
	}
	defer x.Spool.Close()
	e := &flowsExport{in: &flowFiles{names: names, stdin: cmd.InOrStdin(), stderr: stderr}, exports: x}
	err = e.in.each(cmd.Context(), func(file *flowFile, from record.From) error { return e.one(cmd.Context(), file, from) })
	if err == nil {
		e.unsent += x.Finish(cmd.Context(), x.grace)
		err = cmd.Context().Err()
	}
	x.Stop()
	if err != nil {
		return err
	}
	x.printSent(stderr)
	if e.unsent > 0 {
		return &exitError{status: StatusUnsent, err: fmt.Errorf("%s: %d collections were not delivered", to, e.unsent)}
	}
	return e.in.status()
}

// one has a collection sent, once there is room for it.
func (e *flowsExport) one(ctx context.Context, file *flowFile, from record.From) error {
	if head := file.all.Head(); head.Form == flowfile.Text && !e.told {
		e.told = true
		fmt.Fprintf(e.in.stderr, "rtfm: note: %s is text, which tells neither Boot nor RuleSet: its rows have another key than those of the same flows in JSON lines\n", file.name)
	}
	if e.unsent > 0 || !e.room(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_, err := record.Copy(nowhere{}, from)
		if err == nil {
			e.unsent++
		}
		return err
	}
	segment, err := e.Spool.Create()
	if err != nil {
		return err
	}
	k := flowfile.Converter{W: segment, Form: flowfile.JSON, Version: flowfile.Release(version())}
	err = k.Write(file.all.Head(), from)
	if err := errors.Join(err, segment.Close()); err != nil {
		return err
	}
	return e.Spool.Seal()
}

// room waits until there is room for a collection. It returns false if nothing more can be
// sent, or nothing was for as long as the grace lasts.
func (e *flowsExport) room(ctx context.Context) bool {
	end := time.NewTimer(e.grace)
	defer end.Stop()
	for e.Spool.Full() {
		changed := e.Spool.Changed()
		if e.Runners[0].Status().Stopped {
			return false
		}
		select {
		case <-changed:
			end.Reset(e.grace)
		case <-time.After(time.Second): // it may have stopped
		case <-end.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// nowhere is a record.Sink.
type nowhere struct{}

func (nowhere) Begin(*record.Collection) error           { return nil }
func (nowhere) Flow(*match.Flow, *record.Counters) error { return nil }
func (nowhere) End(*record.Summary) error                { return nil }
