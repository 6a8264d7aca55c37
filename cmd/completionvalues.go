package cmd

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/reader/query"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/builtin"
	"rtfm/traces/live"
)

// traceExtensions are those that traces mostly have, plain or compressed.
var traceExtensions = []string{"pcap", "pcapng", "cap", "dmp", "snoop", "erf", "tsh", "raw", "gz", "bz2", "xz", "zst"}

// programExtensions are those of rulesets.
var programExtensions = []string{"srl", "rules"}

// extensions completes files with one of these.
func extensions(names ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveFilterFileExt)
}

// completePrograms completes files of rulesets, and programs that come with rtfm.
func completePrograms(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch {
	case builtin.Is(begun) || begun == "@":
		return builtinNames(begun), cobra.ShellCompDirectiveNoFileComp
	case begun != "":
		return programExtensions, cobra.ShellCompDirectiveFilterFileExt
	}
	// Shells cannot be asked for both.
	all := builtinNames("")
	entries, _ := os.ReadDir(".")
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != "" && slices.Contains(programExtensions, ext[1:]) {
			all = append(all, e.Name())
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

func completeBuiltin(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return builtinNames(begun), cobra.ShellCompDirectiveNoFileComp
}

// builtinNames returns the programs that come with rtfm whose names begin so, each
// with its title.
func builtinNames(begun string) (names []cobra.Completion) {
	for _, p := range builtin.Programs() {
		if strings.HasPrefix(p.Name, begun) {
			names = append(names, cobra.CompletionWithDesc(p.Name, p.Title))
		}
	}
	return names
}

func completeInterfaces(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names := []string{live.All, netflowScheme}
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	return lists(begun, ",", names)
}

// completeKeys completes what flows can be added up by.
func completeKeys(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return lists(begun, ",", query.KeyNames())
}

// completeAttributes completes the columns of flow data, which have blanks between
// them.
func completeAttributes(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []string
	for _, in := range attr.All() {
		names = append(names, in.Name)
	}
	return lists(begun, " ", names)
}

func completeSums(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return query.SumNames(), cobra.ShellCompDirectiveNoFileComp
}

// lists completes the last of several words. Names match whatever the case of their
// letters.
func lists(begun, separator string, names []string) (all []cobra.Completion, _ cobra.ShellCompDirective) {
	at := strings.LastIndex(begun, separator) + 1
	for _, name := range names {
		if len(name) >= len(begun)-at && strings.EqualFold(name[:len(begun)-at], begun[at:]) {
			all = append(all, begun[:at]+name)
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
