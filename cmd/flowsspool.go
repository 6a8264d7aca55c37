package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/export"
	"rtfm/reader/spool"
)

const flowsSpoolHelp = `Tell what waits in a spool, the folder where collections are kept until all places of
--export have them: for each place how much waits and since when, what was dropped
because the spool was full, and why nothing more is sent.

This can be asked at any time. With --send what waits is sent now, to the URLs that
it was for; a place that has refused a collection is tried again. --skip passes over
that collection: it will never be there. --forget sends nothing to a place any more.
These three need a spool that no other rtfm has open.

Exit status: 0 if nothing waits, 1 for wrong usage, 5 if collections wait.`

// spoolOptions are the options of `rtfm flows spool`.
type spoolOptions struct {
	send         bool
	skip, forget string
	json         bool
	grace        float64 // seconds
}

func flowsSpoolCommand() *cobra.Command {
	var o spoolOptions
	cmd := &cobra.Command{
		Use:   "spool FOLDER",
		Short: "Tell what waits to be exported, and send it",
		Long:  flowsSpoolHelp,
		Example: `  rtfm flows spool /var/lib/rtfm/spool
  rtfm flows spool --send rtfm.spool`,
		RunE: func(cmd *cobra.Command, folders []string) error { return o.run(cmd, folders) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.send, "send", false, "send what waits")
	f.StringVar(&o.skip, "skip", "", "pass over the collection that the place with this `NAME` has refused")
	f.StringVar(&o.forget, "forget", "", "send nothing more to the place with this `NAME`")
	f.Var(newSeconds(&o.grace, 10, 0, maxSeconds), "export-grace", "with --send, wait so many `SECONDS` for places that do not answer")
	f.BoolVar(&o.json, "json", false, "write a JSON object")
	return cmd
}

func (o *spoolOptions) run(cmd *cobra.Command, folders []string) error {
	if len(folders) != 1 {
		return errors.New("want one FOLDER, that of the spool")
	}
	folder := folders[0]
	if info, err := os.Stat(folder); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s: a spool is a folder", folder)
	}
	if o.send || o.skip != "" || o.forget != "" {
		if err := o.change(cmd, folder); err != nil {
			return err
		}
	}
	st, err := spool.Look(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil // all was sent
	} else if err != nil {
		return err
	}
	write := writeSpool
	if o.json {
		write = writeSpoolJSON
	}
	if err := write(cmd.OutOrStdout(), folder, st); err != nil {
		return err
	}
	for _, out := range st.Outlets {
		if out.Waiting > 0 {
			return &exitError{status: StatusUnsent}
		}
	}
	return nil
}

// change does what is asked for with a spool that nobody else has.
func (o *spoolOptions) change(cmd *cobra.Command, folder string) error {
	s, err := spool.Open(folder, spool.Config{})
	if errors.Is(err, spool.ErrInUse) {
		return fmt.Errorf("%w; it sends what waits itself, and tries what was refused again when it is started", err)
	} else if err != nil {
		return err
	}
	defer s.Close()
	if o.forget != "" {
		if err := s.Forget(o.forget); err != nil {
			return err
		}
	}
	if o.skip != "" {
		if err := skip(s, o.skip); err != nil {
			return err
		}
	}
	if o.send {
		return sendSpool(cmd.Context(), s, seconds(o.grace), cmd.ErrOrStderr())
	}
	return nil
}

// skip passes over what an outlet has refused.
func skip(s *spool.Spool, name string) error {
	for _, out := range s.All() {
		switch {
		case out.Name() != name:
		case out.Stopped() == "":
			return fmt.Errorf("%s: it has refused nothing, so there is nothing to skip", name)
		default:
			return out.Skip()
		}
	}
	return fmt.Errorf("%s: there is no outlet %s; without --skip all are told", s.Folder(), name)
}

// sendSpool sends what waits to where it was to go to.
func sendSpool(ctx context.Context, s *spool.Spool, grace time.Duration, stderr io.Writer) error {
	var places []export.Place
	for _, out := range s.All() {
		p, err := export.ParsePlace(out.To(), exportSchemes)
		if err != nil {
			return err
		}
		places = append(places, p)
	}
	x, err := export.Start(s, places, exportSchemes, func(place string, n export.Notice) { printNotice(stderr, place, n) })
	if err != nil {
		return err
	}
	x.Finish(ctx, grace)
	x.Stop()
	return nil
}
