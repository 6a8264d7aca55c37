package cmd

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"rtfm/ruleset/cover"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/format"
)

// coverTraces runs the packets of traces.
func coverTraces(cmd *cobra.Command, c *cover.Counter, names []string) error {
	for _, name := range names {
		src, err := format.Open(name)
		if err == nil {
			err = addPackets(c, withInterrupt(cmd.Context(), src, names))
			src.Close()
		}
		if err != nil {
			return &exitError{status: StatusDamaged, err: err}
		}
	}
	return nil
}

func addPackets(c *cover.Counter, src traces.Source) error {
	var b traces.Batch
	var p match.Packet
	for {
		if err := src.ReadBatch(&b); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for i := range b.Packets {
			decode(&p, &b.Packets[i])
			c.Add(&p)
		}
	}
}
