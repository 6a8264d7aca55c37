package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/plot"
	"rtfm/reader/seriesfile"
)

// isSeries reports whether a file is one of a series, rather than of flow data.
func isSeries(name string) bool {
	if name == "-" {
		return false
	}
	f, err := openFlows(name, nil)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, seriesfile.StartLen)
	n, _ := io.ReadFull(f, start)
	return seriesfile.Is(start[:n])
}

// drawSeries draws a series.
func (o *flowsPlotOptions) drawSeries(cmd *cobra.Command, names []string) error {
	if len(names) > 1 {
		return errors.New("a picture has one series: draw each file by itself")
	}
	for _, flag := range []string{"kind", "by", "top"} {
		if cmd.Flags().Changed(flag) {
			return fmt.Errorf("%s: it is a series, which has no flows, and is drawn as it is: --%s is for flow data", names[0], flag)
		}
	}
	f, err := openFlows(names[0], cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer f.Close()
	picture := plot.Seconds{Title: o.title, Zone: time.UTC}
	if o.zone == "local" {
		picture.Zone = time.Local
	}
	r := seriesfile.NewReader(f)
	for cmd.Context().Err() == nil {
		i, err := r.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("%s: %w", names[0], err)
		}
		picture.Add(i)
	}
	var text bytes.Buffer
	if err := picture.WriteSVG(&text); err != nil {
		return err
	}
	return writeTo(cmd.Context(), o.output, names, cmd.InOrStdin(), cmd.OutOrStdout(), func(w io.Writer) error {
		_, err := text.WriteTo(w)
		return err
	})
}
