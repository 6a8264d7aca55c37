package cmd

import (
	"net"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rtfm/traces/live"
)

// completion returns what shells offer for an option, nil if that is nothing in
// particular.
func completion(option *pflag.Flag) cobra.CompletionFunc {
	words := func(words ...cobra.Completion) cobra.CompletionFunc {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	if c, ok := option.Value.(*choice); ok {
		return words(c.words...)
	}
	switch option.Name {
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
			if complete := completion(f); complete != nil {
				cmd.RegisterFlagCompletionFunc(f.Name, complete)
			}
		})
	}
	for _, c := range cmd.Commands() {
		forShells(c)
	}
}
