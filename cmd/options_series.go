package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/meter/series"
	"rtfm/reader/seriesfile"
)

// seriesOptions say where what is counted in each second is written.
type seriesOptions struct {
	file     string
	interval float64 // seconds
	writer   *seriesfile.Writer
}

// add adds the options to a command.
func (o *seriesOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.file, "series", "", "write what is counted in each second to this `FILE`; by ruleset and by interface:\npackets, octets, active and new flows and so on, as JSON lines, or CSV if it ends in .csv; - is standard output")
	f.Var(newSeconds(&o.interval, 1, 1e-3, 86400), "series-interval", "with --series, count for so many `SECONDS` each; which end by the packets' clock at their multiples")
	group(f, groupOutput, "series")
}

// addToMeter adds the options to a command whose series is kept for readers, too.
func (o *seriesOptions) addToMeter(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.file, "series", "", "append what is counted in each second to this `FILE`; by ruleset and by interface,\nas JSON lines, or CSV if it ends in .csv; - is standard output; SIGHUP opens it again")
	f.Var(newSeconds(&o.interval, 0, 1e-3, 86400), "series-interval", "count for so many `SECONDS` each; which end by the packets' clock at their multiples (default 1 with --series).\nrtfmSeriesTable has the last 3600, also without --series")
	group(f, groupOutput, "series")
}

// check finds options that do not fit each other; flows is where flow data goes.
func (o *seriesOptions) check(cmd *cobra.Command, flows string) error {
	switch {
	case o.file == "" && cmd.Flags().Changed("series-interval"):
		return errors.New("--series-interval needs --series, the file to write")
	case o.file == "-" && (flows == "" || flows == "-"):
		return errors.New("--series - and the flows would both go to standard output: give one of them a file")
	case o.file != "" && sameFile(o.file, flows):
		return fmt.Errorf("--series and -F would both write to %s", flows)
	}
	return nil
}

// sameFile reports whether two names are of one file, which may not be there yet.
func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y) && x.Mode().IsRegular()
}

// isCSV reports whether the file is to have CSV.
func (o *seriesOptions) isCSV() bool { return strings.HasSuffix(strings.ToLower(o.file), ".csv") }

// config returns the series that the options ask for, which goes to what writing opens.
func (o *seriesOptions) config() meter.SeriesConfig {
	if o.file == "" {
		return meter.SeriesConfig{}
	}
	return meter.SeriesConfig{Interval: seconds(o.interval), Take: func(i *series.Interval) error { return o.writer.Write(i) }}
}

// kept returns the series that the options of a meter ask for.
func (o *seriesOptions) kept() meter.SeriesConfig {
	if o.file != "" && o.interval == 0 {
		o.interval = 1
	}
	return meter.SeriesConfig{Interval: seconds(o.interval)}
}

// writing opens the file, if there is to be one, while run is at work. It is none of
// the inputs.
func (o *seriesOptions) writing(cmd *cobra.Command, inputs []string, run func() error) error {
	if o.file == "" {
		return run()
	}
	return writeTo(cmd.Context(), o.file, inputs, cmd.InOrStdin(), cmd.OutOrStdout(), func(w io.Writer) error {
		o.writer = seriesfile.NewWriter(w, o.isCSV(), false)
		if err := run(); err != nil {
			return err
		}
		return o.writer.Begin()
	})
}

// writing opens the file of the series, if there is to be one, and gives write that of
// the flow data.
func (o *runOptions) writing(cmd *cobra.Command, write func(io.Writer) error) error {
	return o.series.writing(cmd, o.inputs(), func() error {
		return writeTo(cmd.Context(), o.output, o.inputs(), cmd.InOrStdin(), cmd.OutOrStdout(), write)
	})
}
