package cmd

import (
	"slices"

	"github.com/spf13/pflag"
)

// The groups that help lists options in, in this order.
const (
	groupInput   = "Input"
	groupRules   = "Rulesets"
	groupOutput  = "Output"
	groupLimits  = "Limits"
	groupCapture = "Capture"
	groupSNMP    = "SNMP"
	groupProcess = "Process"
)

var groups = []string{groupInput, groupRules, groupOutput, groupLimits, groupCapture, groupSNMP, groupProcess}

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
