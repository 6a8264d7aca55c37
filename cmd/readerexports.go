package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"rtfm/reader"
	"rtfm/reader/export"
)

// recent returns the name of the file in the spool's folder that a reader without a flow
// data file has. The folder is made.
func (o *exportOptions) recent() (string, error) {
	return filepath.Join(o.folder, "recent.jsonl"), os.MkdirAll(o.folder, 0o700)
}

// openReader opens the spool of a reader, given what is known of its flow data file, and
// begins to send what is in it.
func (o *exportOptions) openReader(log *slog.Logger, known *reader.State) (*exports, error) {
	x, err := o.open(func(place string, n export.Notice) { logNotice(log, place, n) })
	if err != nil {
		return nil, err
	}
	x.keep = true
	if err := reader.Settle(x.Spool, known); err != nil {
		x.Stop()
		x.Spool.Close()
		return nil, err
	}
	return x, nil
}

// ended waits for what is still to be sent when collections have ended with an error, or
// none.
func (x *exports) ended(ctx context.Context, err error) error {
	defer finishing(ctx)()
	unsent := x.finish(context.WithoutCancel(ctx))
	switch {
	case unsent == nil:
		return err
	case err == nil:
		return unsent
	}
	return fmt.Errorf("%w; %w", err, unsent)
}

// logNotice logs what an export tells.
func logNotice(log *slog.Logger, place string, n export.Notice) {
	switch {
	case n.Note != "":
		log.Info("export", "place", place, "note", n.Note)
	case n.Err == nil:
		log.Info("export goes on", "place", place, "waiting", n.Waiting)
	case n.Stopped:
		log.Error("export stopped", "place", place, "error", n.Err, "waiting", n.Waiting)
	default:
		log.Warn("export fails, and is tried again", "place", place, "error", n.Err, "waiting", n.Waiting)
	}
}
