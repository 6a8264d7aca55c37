package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rtfm/traces/store"
)

// storeExportOptions are the options of `rtfm store export`.
type storeExportOptions struct {
	period storePeriod
	output string
	quiet  bool
}

const storeExportHelp = `Copy a time of a store to a new store, to keep it or to take it elsewhere.

Whole chunks are copied, of 1 MiB or a second, so NEW has packets around the time as
well; rtfm store get cuts exactly. What rtfm store does with FOLDER it does with NEW, and
what is told to be missing is told there, too. Each of its files is pcapng.

TIMEs are as for rtfm store get. It ends with the same verdict. After a signal NEW.part
has what was copied until then.

Exit status: 0 if the time is complete, 1 for wrong usage, 2 if a chunk was damaged
(all others are copied), 4 if packets are missing, 130 if a signal ended it.`

func storeExportCommand() *cobra.Command {
	var o storeExportOptions
	cmd := &cobra.Command{
		Use:     "export FOLDER -d NEW",
		Short:   "Copy packets of a time to a store of their own",
		Long:    storeExportHelp,
		Example: `  rtfm store export packets --from 2026-11-30T20:00:00Z --to 2026-11-30T21:00:00Z -d attack`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return errors.New("want one FOLDER")
			case o.output == "":
				return errors.New("no new folder given, want -d NEW")
			}
			return o.run(cmd, args[0])
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(timeLimit{&o.period.from}, "from", "leave out chunks whose packets are all before this `TIME`")
	f.Var(timeLimit{&o.period.to}, "to", "leave out chunks whose packets are all at this `TIME` or later")
	f.StringVarP(&o.output, "dir", "d", "", "copy to this new folder, `NEW`")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no verdict; the exit status has it")
	return cmd
}

func (o *storeExportOptions) run(cmd *cobra.Command, dir string) error {
	switch entries, err := os.ReadDir(o.output); {
	case len(entries) > 0:
		return fmt.Errorf("%s: is not empty, want a new folder", o.output)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	o.output = filepath.Clean(o.output) // without a slash behind it
	q, err := o.period.query(dir)
	if err != nil {
		return err
	}
	ctx, part := cmd.Context(), o.output+".part"
	defer finishing(ctx)()
	copied, covered, damaged, err := store.Export(ctx, dir, q, store.Config{Dir: part, Key: keyOf(), Tuple: tupleOf, Notify: notes(cmd.ErrOrStderr())})
	for _, d := range damaged {
		cmd.PrintErrf("rtfm: %v\n", d)
	}
	if err != nil {
		return err
	}
	if ctx.Err() == nil {
		if err := os.Rename(part, o.output); err != nil {
			return err
		}
	}
	if !o.quiet {
		cmd.PrintErrf("%s\n", verdict(copied, &covered))
	}
	switch {
	case ctx.Err() != nil:
		return &exitError{status: StatusInterrupted, err: fmt.Errorf("interrupted: %s ends here, the store may not", part)}
	case covered.Damaged > 0:
		return &exitError{status: StatusDamaged}
	case !covered.Complete():
		return &exitError{status: StatusMissing}
	}
	return nil
}
