package cmd

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The groups that help lists options in, in this order.
const (
	groupInput   = "Input"
	groupRules   = "Rulesets"
	groupOutput  = "Output"
	groupFeed    = "Feed"
	groupExport  = "Export"
	groupStore   = "Packets"
	groupLimits  = "Limits"
	groupCapture = "Capture"
	groupSNMP    = "SNMP"
	groupProcess = "Process"
)

var groups = []string{groupInput, groupRules, groupOutput, groupFeed, groupExport, groupStore, groupLimits, groupCapture, groupSNMP, groupProcess}

// Annotations of options, by which help finds them.
const (
	groupKey  = "rtfm-group"
	commonKey = "rtfm-common"
)

// group puts the options that were added to f since it was called last into a group
// of help. Common ones are shown by --help, the others by "rtfm help" alone.
//
// What --help shows of an option is its usage up to a semicolon or a line end.
func group(f *pflag.FlagSet, name string, common ...string) {
	f.VisitAll(func(option *pflag.Flag) {
		if option.Annotations[groupKey] != nil {
			return
		}
		if option.Annotations == nil {
			option.Annotations = make(map[string][]string)
		}
		option.Annotations[groupKey] = []string{name}
		if slices.Contains(common, option.Name) {
			option.Annotations[commonKey] = []string{}
		}
	})
}

// groupOf returns the group of an option, "" if it has none.
func groupOf(option *pflag.Flag) string {
	if name := option.Annotations[groupKey]; name != nil {
		return name[0]
	}
	return ""
}

// isCommon reports whether --help shows an option.
func isCommon(option *pflag.Flag) bool { return option.Annotations[commonKey] != nil }

// isGrouped reports whether a command has so many options that they are in groups,
// and --help shows the common ones.
func isGrouped(options *pflag.FlagSet) (grouped bool) {
	options.VisitAll(func(option *pflag.Flag) { grouped = grouped || groupOf(option) != "" })
	return grouped
}

// OptionGroup is a group of a command's options.
type OptionGroup struct {
	Name    string
	Options []*pflag.Flag
}

// Options returns the options of a command in their groups, all in one if it has no
// groups.
func Options(cmd *cobra.Command) (all []OptionGroup) {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	cmd.LocalFlags() // takes in those of the commands above
	byGroup := make(map[string][]*pflag.Flag)
	cmd.Flags().VisitAll(func(o *pflag.Flag) {
		if !o.Hidden {
			byGroup[groupOf(o)] = append(byGroup[groupOf(o)], o)
		}
	})
	for _, name := range groups {
		if len(byGroup[name]) > 0 {
			all = append(all, OptionGroup{name, byGroup[name]})
		}
	}
	last := "Options"
	if len(all) > 0 {
		last = "Help"
	}
	return append(all, OptionGroup{last, byGroup[""]})
}

// OptionText returns what an option does, and its default.
func OptionText(option *pflag.Flag) string { return optionText(option, false) }
