package cmd

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// forShells readies a command, and those below it, for the completion of shells.
// Options lose the quotes within which they name their arguments: help does not
// show them either.
func forShells(cmd *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			cmd.RegisterFlagCompletionFunc(f.Name, completion(f))
			f.Usage = strings.ReplaceAll(f.Usage, "`", "")
		})
	}
	if cmd.ValidArgsFunction == nil && !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = argumentCompletion(cmd)
	}
	for _, c := range cmd.Commands() {
		forShells(c)
	}
}

// completion returns what shells offer for an option: by its name or its kind, else
// by what its help says that it takes.
func completion(option *pflag.Flag) cobra.CompletionFunc {
	if c, ok := option.Value.(*choice); ok {
		return cobra.FixedCompletions(c.words, cobra.ShellCompDirectiveNoFileComp)
	}
	switch option.Name {
	case "rules", "standby":
		return completePrograms
	case "interface":
		return completeInterfaces
	case "decap":
		return completeTunnels
	case "by":
		return completeKeys
	case "format":
		return completeAttributes
	case "sort", "sum":
		return completeSums
	case "config":
		return extensions("yaml", "yml")
	}
	switch value, _ := pflag.UnquoteUsage(option); value {
	case "FILE":
		return nil
	case "TRACE":
		return extensions(traceExtensions...)
	}
	return cobra.NoFileCompletions
}

// argumentCompletion returns what shells offer for the arguments of a command, by what
// its usage says that it takes.
func argumentCompletion(cmd *cobra.Command) cobra.CompletionFunc {
	switch cmd.CommandPath() {
	case "rtfm srl check", "rtfm srl compile", "rtfm srl fmt":
		return completePrograms
	case "rtfm srl show":
		return completeBuiltin
	case "rtfm trace info", "rtfm trace convert":
		return extensions(traceExtensions...)
	}
	switch {
	case strings.Contains(cmd.Use, "TRACE"):
		return extensions(traceExtensions...)
	case strings.Contains(cmd.Use, "FILE..."):
		return nil
	}
	return cobra.NoFileCompletions
}
