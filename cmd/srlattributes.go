package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/reader/table"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/spell"
)

// attributesCommand is `rtfm srl attributes`.
func attributesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "attributes",
		Short: "List the attributes of packets and flows",
		Long: `List the attributes of packets and flows: how wide their values are, what these are,
where they come from, what programs can do with them, and what they mean. All but
MatchingStoD can be read: a FORMAT may name them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			t := table.Table{Columns: []table.Column{
				{Name: "Attribute"}, {Name: "Width"}, {Name: "Values"}, {Name: "Source"}, {Name: "Use"}, {Name: "Meaning"},
			}}
			for _, in := range attr.All() {
				if in.Class == attr.ClassNull || in.Class == attr.ClassVariable {
					continue // of rules only
				}
				about := in.Attr.About()
				if in.Attr.IsMeasure() {
					about.Meaning = "distribution of " + about.Meaning
				}
				var row []table.Value
				for _, cell := range [...]string{in.Name, in.Attr.Width(), about.Unit, about.Source, in.Attr.Use(), about.Meaning} {
					row = append(row, table.String(cell))
				}
				t.Rows = append(t.Rows, row)
			}
			w := cmd.OutOrStdout()
			return t.Text(w, table.Options{Bold: styleOf(w).Bold}) // uncut: meanings are long
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
		Example: `  rtfm srl names dscp
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

// namedAttribute finds an attribute whose values have names, by its name or what people
// call it.
func namedAttribute(name string) (attr.Attr, error) {
	a, ok := attr.ByName(name)
	if called := attr.ByWord(name); !ok && len(called) > 0 {
		a, ok = called[0], true
	}
	if !ok {
		known := attr.Words()
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
