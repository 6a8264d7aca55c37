package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"rtfm/reader/flowfile"
	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// flowsReading reads flow data files, one after the other, for the commands that answer
// questions about them.
type flowsReading struct {
	names  []string
	wanted []attr.Attr // that flows must have saved
	total  bool        // what flows counted in the intervals is not asked for
	filter *query.Expr // nil for all flows
	stdin  io.Reader

	intervals query.Intervals
	seen      query.Seen // of the file at hand
}

// damage is what ended the reading of a file early. What was whole has been read.
type damage struct{ err error }

func (d *damage) Error() string { return d.err.Error() }
func (d *damage) Unwrap() error { return d.err }

// check finds names that do not fit.
func (f *flowsReading) check() error {
	if len(f.names) == 0 {
		return errors.New(`no flow data file given ("-" is standard input)`)
	}
	if f.total && f.filter != nil && f.filter.Deltas() {
		return errors.New("--total takes what flows have counted altogether, and names with Delta what intervals added: leave either out")
	}
	return readOnce(f.names...)
}

// read passes all collections on.
func (f *flowsReading) read(ctx context.Context, to record.Sink, warn io.Writer) error {
	return f.each(ctx, warn, func(_ *flowfile.Head, from record.From) error {
		_, err := record.Copy(to, from)
		return err
	})
}

// each calls do with all collections and what their file has told. A damaged file does
// not keep it from the next one; the error is a *damage then.
func (f *flowsReading) each(ctx context.Context, warn io.Writer, do func(*flowfile.Head, record.From) error) error {
	var damaged error
	for _, name := range f.names {
		err := f.file(ctx, name, do)
		var d *damage
		switch {
		case errors.As(err, &d):
			fmt.Fprintf(warn, "rtfm: %s: %v%s\n", name, err, notFlows(err))
			damaged = err
		case err != nil:
			return err
		}
	}
	return damaged
}

// file calls do with those of a file.
func (f *flowsReading) file(ctx context.Context, name string, do func(*flowfile.Head, record.From) error) error {
	in, err := openFlows(name, f.stdin)
	if err != nil {
		return err
	}
	defer in.Close()
	all := flowfile.NewCollections(in)
	f.seen = query.Seen{}
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		from, err := all.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			return &damage{err}
		}
		if columns := all.Columns(); columns != nil {
			if err := query.CheckColumns(f.wanted, columns); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := query.CheckIdentity(columns); err != nil && n > 1 {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if !f.total {
			from = f.intervals.From(from, &f.seen)
		}
		from = &watched{From: from, ctx: ctx}
		var refused *refusal
		if err := do(all.Head(), from); ctx.Err() != nil {
			return ctx.Err()
		} else if query.IsRefusal(err) || errors.As(err, &refused) {
			return fmt.Errorf("%s: %w", name, err)
		} else if err != nil {
			return &damage{err}
		}
	}
	if all.Columns() == nil {
		if err := f.seen.Check(f.wanted); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// refusal is an error that is not of damage.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

// flowsStatus returns the error with the exit status that damage has.
func flowsStatus(err error) error {
	var d *damage
	if errors.As(err, &d) {
		return &exitError{status: StatusDamaged} // it was told
	}
	return err
}

// notFlows returns what to add to the error of a file that is no flow data.
func notFlows(err error) string {
	if errors.Is(err, flowfile.ErrForm) {
		return "; traces are metered by rtfm run"
	}
	return ""
}
