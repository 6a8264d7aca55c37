package cmd

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rtfm/traces"
	"rtfm/traces/store"
)

const storeInfoHelp = `Tell what a store has: its files with their times, packets, and what is missing.

There is a line for each file: its name, the times of its first and last packet,
packets, octets on the wire and on disk, and packets that were lost or not stored.
A line below it is for each place and time where packets are missing, and the last
line is of all. The times of lost packets are those of the packets around them.`

func storeInfoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "info FOLDER",
		Short: "Tell what a store has",
		Long:  storeInfoHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			return storeSurvey(cmd, args, func(f *store.Survey) {
				cmd.Printf("%s  %s  %s  %s\n", f.Name, traces.TimeText(f.First), traces.TimeText(f.Last), surveyText(f))
				for _, l := range f.Losses {
					cmd.Printf("  missing from %s to %s at interface %d: %d lost, %d unstored\n", traces.TimeText(l.From), traces.TimeText(l.Until), l.Interface, l.Lost, l.Unstored)
				}
			})
		},
	}
}

const storeCheckHelp = `Check all of a store: read each chunk, and compare it with its checksum.

Exit status: 0 if all is whole, 1 for wrong usage, 2 if something is damaged.`

func storeCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FOLDER",
		Short: "Check that a store is whole",
		Long:  storeCheckHelp,
		RunE:  func(cmd *cobra.Command, args []string) error { return storeSurvey(cmd, args, nil) },
	}
}

// storeSurvey reads a store, tells of each of its files by each unless that is nil,
// and of all.
func storeSurvey(cmd *cobra.Command, args []string, each func(f *store.Survey)) error {
	if len(args) != 1 {
		return fmt.Errorf("want one FOLDER; \"%s --help\" tells more", cmd.CommandPath())
	}
	files, err := store.Files(args[0])
	if err != nil {
		return err
	}
	if len(files) == 0 { // one without packets, or none
		src, err := store.Open(args[0], store.Query{})
		if err != nil {
			return err
		}
		src.Close()
	}
	var all store.Survey
	damaged := false
	for _, f := range files {
		if err := cmd.Context().Err(); err != nil {
			return &exitError{status: StatusInterrupted, err: errors.New("interrupted")}
		}
		s, err := store.Look(args[0], f)
		if err != nil {
			damaged = true
			cmd.PrintErrf("rtfm: %v\n", err)
		}
		if each != nil {
			each(&s)
		}
		all.Add(&s)
	}
	cmd.Printf("%s  %s\n", counted(uint64(len(files)), "file"), surveyText(&all))
	if damaged {
		return &exitError{status: StatusDamaged}
	}
	return nil
}

// surveyText returns the numbers of a file, or of all.
func surveyText(s *store.Survey) string {
	text := fmt.Sprintf("%s of %d octets in %d, %d lost, %d unstored", packets(s.Packets), s.Octets, s.Size, s.Lost, s.Unstored)
	if s.Cut > 0 {
		text += fmt.Sprintf(", %d headers only by the cutoff", s.Cut)
	}
	return text
}
