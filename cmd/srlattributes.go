package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/ruleset/attr"
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
		Use:   "names",
		Short: "List the values that have names",
		Long:  "List the values that have names: those of SourcePeerType are those of DestPeerType too, and so on.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, a := range attr.Named() {
				for _, v := range attr.NamedValues(a) {
					fmt.Fprintf(cmd.OutOrStdout(), "%-18s %5d  %s\n", a, v.Value, strings.Join(v.Names, ", "))
				}
			}
			return nil
		},
	}
}
