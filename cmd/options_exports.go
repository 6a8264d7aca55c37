package cmd

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/reader/export"
)

// exportOptions say where collections go beside the flow data file.
type exportOptions struct {
	urls   []string
	folder string // of the spool
	limit  int    // MiB
	full   string
	grace  float64 // seconds
	places []export.Place
}

// add adds the options to a command.
func (o *exportOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.urls, "export", nil, "send collections to this `URL`, too; once for each place.\nWithout -F nothing goes to standard output then.\nSchemes: "+strings.Join(export.Names(exportSchemes), ", "))
	group(f, groupOutput, "export")
	f.StringVar(&o.folder, "spool", "", "keep what was not sent yet in this `FOLDER` (default the flow data file's name, or rtfm, with .spool)")
	f.Var(newCount(&o.limit, 1024, 0, 1<<30, "a number of MiB"), "spool-limit", "keep so many `MIB` at most; 0 for any number")
	f.Var(newChoice(&o.full, "wait", "wait", "drop"), "spool-full", "when the spool is full make no collection but a longer one later (wait),\nor drop the oldest (drop)")
	f.Var(newSeconds(&o.grace, 10, 0, maxSeconds), "export-grace", "at the end wait so many `SECONDS` for places that do not answer")
	group(f, groupExport)
}

// check finds URLs that are wrong, and options without any.
func (o *exportOptions) check(cmd *cobra.Command, flows string) error {
	for _, name := range []string{"spool", "spool-limit", "spool-full", "export-grace"} {
		if len(o.urls) == 0 && cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s needs --export", name)
		}
	}
	for _, text := range o.urls {
		p, err := export.ParsePlace(text, exportSchemes)
		if err == nil {
			err = p.Check(cmd.Context(), false)
		}
		if err != nil {
			return fmt.Errorf("--export %w", err)
		}
		for _, other := range o.places {
			if other.OutletName() == p.OutletName() {
				return fmt.Errorf("--export %s is given twice", p)
			}
		}
		o.places = append(o.places, p)
	}
	if o.folder == "" {
		o.folder = "rtfm.spool"
		if flows != "" && flows != "-" {
			o.folder = filepath.Clean(flows) + ".spool"
		}
	}
	return nil
}

// wanted reports whether collections go anywhere.
func (o *exportOptions) wanted() bool { return len(o.urls) > 0 }
