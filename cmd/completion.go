package cmd

import (
	"net"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rtfm/traces/live"
)

// completion returns what shells offer for the option of this name, nil if that is
// nothing in particular.
func completion(option string) cobra.CompletionFunc {
	words := func(words ...cobra.Completion) cobra.CompletionFunc {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	switch option {
	case "dedup":
		return words("mark", "drop")
	case "octets":
		return words("frame", "ip")
	case "auth":
		return words("SHA-224", "SHA-256", "SHA-384", "SHA-512")
	case "priv":
		return words("AES-128", "AES-192", "AES-256")
	case "rules", "standby":
		return cobra.FixedCompletions([]cobra.Completion{"srl", "rules"}, cobra.ShellCompDirectiveFilterFileExt)
	case "interface":
		names := []cobra.Completion{live.All, netflowScheme}
		interfaces, _ := net.Interfaces()
		for _, i := range interfaces {
			names = append(names, i.Name)
		}
		return words(names...)
	}
	return nil
}

// forShells readies a command, and those below it, for the completion of shells.
// Options lose the quotes within which they name their arguments: help does not
// show them either.
func forShells(cmd *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			f.Usage = strings.ReplaceAll(f.Usage, "`", "")
			if complete := completion(f.Name); complete != nil {
				cmd.RegisterFlagCompletionFunc(f.Name, complete)
			}
		})
	}
	for _, c := range cmd.Commands() {
		forShells(c)
	}
}
