package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/spell"
)

// attributesCommand is `rtfm srl attributes`.
func attributesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "attributes",
		Short: "List the attributes that programs can test or save",
		Long:  "List the attributes that programs can test or save: name, octets, meaning.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, in := range attr.All() {
				if meaning := in.Attr.Meaning(); meaning != "" {
					if in.Class == attr.ClassDistrib {
						meaning = "distribution of " + meaning
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%-22s %2d  %s\n", in.Name, in.Size, meaning)
				}
			}
			return nil
		},
	}
}

// namesCommand is `rtfm srl names`.
func namesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "names [ATTRIBUTE]",
		Short: "List the values that have names",
		Long: `List the values that have names, of all attributes or of one. Those of SourcePeerType
are those of DestPeerType too, and so on. The first name of a value is the one that
tables show; programs may have any of them.`,
		Example: `  rtfm srl names DSCodePoint
  rtfm srl names | grep wireguard`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, a := range attr.Named() {
				names = append(names, a.String())
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			named := attr.Named()
			if len(args) > 0 {
				a, err := namedAttribute(args[0])
				if err != nil {
					return err
				}
				named = []attr.Attr{a}
			}
			for _, a := range named {
				for _, v := range attr.NamedValues(a) {
					line := fmt.Sprintf("%-18s %5d  %s", a, v.Value, strings.Join(v.Names, ", "))
					if v.Of != "" {
						line = fmt.Sprintf("%-52s %s", line, v.Of)
					}
					fmt.Fprintln(cmd.OutOrStdout(), line)
				}
			}
			return nil
		},
	}
}

// namedAttribute finds an attribute whose values have names.
func namedAttribute(name string) (attr.Attr, error) {
	a, ok := attr.ByName(name)
	if !ok {
		var known []string
		for _, in := range attr.All() {
			known = append(known, in.Name)
		}
		return a, errors.New(spell.Unknown("attribute", name, known))
	}
	if len(attr.NamedValues(a)) == 0 {
		return a, fmt.Errorf("no value of %v has a name", a)
	}
	return a, nil
}
