package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/reader/feature"
	"rtfm/reader/feed"
	"rtfm/ruleset/attr"
)

// featureOptions say where features of flows go.
type featureOptions struct {
	to    []string
	first int
}

func (o *featureOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.to, "features", nil, "append features of flows to this `FILE`; as JSON lines, for NumPy if it ends in .npy, or as a new Parquet file if in .parquet;\nunix:PATH has a program that listens there score the flows; repeated for several")
	f.Var(newCount(&o.first, feature.DefaultFirst, 1, attr.MaxListed, "a number of packets"), "features-first", "features list the first `N` packets of a flow; a flow has its row at the N-th, or after a second without one, and at its end")
	group(f, groupOutput, "features")
}

// check finds options that do not fit each other; others are files that are written.
func (o *featureOptions) check(cmd *cobra.Command, others ...string) error {
	if len(o.to) == 0 && cmd.Flags().Changed("features-first") {
		return errors.New("--features-first needs --features, where features go")
	}
	scorers := 0
	for i, to := range o.to {
		if _, ok := strings.CutPrefix(to, "unix:"); ok {
			scorers++
			continue
		}
		if to == "" || to == "-" {
			return fmt.Errorf("--features %q: want a file, or unix:PATH", to)
		}
		for _, other := range append(others, o.to[:i]...) {
			if other != "" && sameFile(to, other) {
				return fmt.Errorf("%s would be written twice: as --features and otherwise", to)
			}
		}
	}
	if scorers > 1 {
		return errors.New("--features unix:PATH: there is one scorer, which would have to score for all")
	}
	return nil
}

// addFeatures has the features go where they are to, before other sinks, which want the
// labels that come of them. Feeds of files wait for their scorer.
func (r *feedRun) addFeatures(waits bool) error {
	o := &r.options.features
	if len(o.to) == 0 {
		return nil
	}
	c := feature.Config{First: o.first, MaxFlows: r.options.maxFlows, Labelled: r.labelled}
	for _, to := range o.to {
		rows, err := r.features(&c, to, waits)
		if err != nil {
			return err
		}
		c.Rows = append(c.Rows, rows)
	}
	r.table, r.scorer = feature.New(c), c.Scorer
	r.sinks = append(r.sinks, r.table)
	r.flush = append(r.flush, r.table.Flush)
	return nil
}

func (r *feedRun) features(c *feature.Config, to string, waits bool) (feature.Rows, error) {
	if path, ok := strings.CutPrefix(to, "unix:"); ok {
		c.Scorer = feature.NewScorer(path, c.First, waits, func(text string) { fmt.Fprintf(r.stderr, "rtfm: scorer %s\n", text) })
		r.close = append(r.close, c.Scorer)
		return c.Scorer, nil
	}
	switch filepath.Ext(to) {
	case ".npy":
	case ".parquet":
		rows, err := parquetFeatures(to, c.First)
		if err == nil {
			r.close = append(r.close, rows)
		}
		return rows, err
	default:
		w, err := r.output(nil, to)
		return feature.NewJSON(w), err
	}
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	r.close = append(r.close, f)
	return feature.OpenNPY(f, c.First)
}

// label returns what the scorer has said of a flow.
func (r *feedRun) label(m *feed.Meter, id uint64) (name string, score float64, ok bool) {
	l, ok := r.table.Label(m, id)
	return l.Name, l.Score, ok
}

// labelled tells a label where all records are told.
func (r *feedRun) labelled(m *feed.Meter, id uint64, l feature.Label) error {
	if r.both == nil {
		return nil
	}
	return r.both.Label(m, id, l.Name, l.Score)
}

// tellFeatures tells what became of features. What lacks of them is no fault of the
// feed, and no reason for another exit status.
func (r *feedRun) tellFeatures(w io.Writer) {
	if r.table == nil {
		return
	}
	c := r.table.Counts()
	if !r.options.quiet {
		fmt.Fprintf(w, "features: %s of %s\n", counted(c.Rows, "row"), counted(c.Flows, "flow"))
	}
	if c.LeftOut > 0 {
		fmt.Fprintf(w, "features: no room for %s (--max-flows)\n", counted(c.LeftOut, "flow"))
	}
	if r.scorer == nil {
		return
	}
	s := r.scorer.Counts()
	if !r.options.quiet {
		fmt.Fprintf(w, "scorer: %s sent, %s\n", counted(s.Sent, "row"), counted(s.Answers, "answer"))
	}
	if s.Dropped > 0 {
		fmt.Fprintf(w, "scorer: %s dropped: it was too slow, or not there\n", counted(s.Dropped, "row"))
	}
	if s.Nonsense > 0 {
		fmt.Fprintf(w, "scorer: %s could not be read\n", counted(s.Nonsense, "answer"))
	}
	if s.Unknown > 0 {
		fmt.Fprintf(w, "scorer: %s for no flow that was there: unknown, or ended\n", counted(s.Unknown, "answer"))
	}
}
