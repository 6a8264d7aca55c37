package cmd

import (
	"cmp"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
)

const flowsInfoHelp = `Tell what flow data files hold: form, meters, collections, times, flow records by
ruleset and what they have saved, packets and octets, losses.

With --json there is an object a line for each file; times are nanoseconds since 1970.

Exit status: 0 if all went well, 1 for wrong usage, 2 if a file was damaged or a
collection incomplete (what stands before is told), 130 after a signal.`

func flowsInfoCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "info FILE...",
		Short:   "Tell what flow data files hold",
		Long:    flowsInfoHelp,
		Example: `  rtfm flows info monday.flows tuesday.json.gz`,
		RunE: func(cmd *cobra.Command, names []string) error {
			write := (*flowfile.Info).WriteText
			if asJSON {
				write = (*flowfile.Info).WriteJSON
			}
			return eachFlowFile(cmd, names, func(in *flowFiles) error {
				info, err := in.info(cmd.Context())
				if err != nil || errors.Is(in.damage, flowfile.ErrSeries) {
					return err
				}
				return write(info, cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write a JSON object a line for each file")
	return cmd
}

// eachFlowFile calls do for each file.
func eachFlowFile(cmd *cobra.Command, names []string, do func(*flowFiles) error) error {
	if len(names) == 0 {
		return errors.New(`no flow data file given ("-" is standard input)`)
	}
	if err := readOnce(names...); err != nil {
		return err
	}
	all := flowFiles{}
	for _, name := range names {
		in := flowFiles{names: []string{name}, stdin: cmd.InOrStdin(), stderr: cmd.ErrOrStderr()}
		if err := do(&in); err != nil {
			return err
		}
		all.damage = cmp.Or(all.damage, in.damage)
	}
	return all.status()
}

// info tells what the file holds.
func (f *flowFiles) info(ctx context.Context) (*flowfile.Info, error) {
	info := &flowfile.Info{File: f.names[0], Meters: []string{}, RuleSets: []flowfile.RuleSetInfo{}}
	err := f.each(ctx, func(file *flowFile, from record.From) error {
		info.Form = file.all.Head().Form.String()
		_, err := record.Copy(info, from)
		return err
	})
	if f.damage != nil {
		info.Damage = f.damage.Error()
	}
	return info, err
}
