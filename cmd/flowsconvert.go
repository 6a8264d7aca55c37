package cmd

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/ruleset"
)

// flowsConvertOptions are the options of `rtfm flows convert` and `rtfm flows merge`.
type flowsConvertOptions struct {
	to     string
	format *ruleset.Format
	iso    bool
	output string
	merge  bool
	grace  float64 // seconds, for a place that does not answer
}

const flowsConvertHelp = `Write flow data files in another form: the collections of all FILEs, one after the
other.

Text that was made JSON lines and text again is the same. What a form does not tell
is not there any longer: text has times in centiseconds, and what an interval added
only with --format; CSV has flows alone, and no losses or other numbers of the
collections. What is not known is left out: text does not tell what intervals added,
and no hashes of rulesets.

CSV has columns for all that any of the flows has saved. To find that out, FILEs are
read twice, and standard input waits in a file in TMPDIR, as a collection larger than
4 MB does until it is whole.

With a URL at the end the collections go to that place, as --export of rtfm run sends
them. Those of a file that was sent before are told from new ones by their keys. Text
tells neither Boot nor RuleSet, so that its rows have other keys than those of the
same flows in JSON lines.

Exit status: 0 if all went well, 1 for wrong usage, 2 if a file was damaged or a
collection incomplete (the collections before it are written, no part of it), 5 if
collections were not delivered to a URL, 130 after a signal.`

func flowsConvertCommand() *cobra.Command {
	var o flowsConvertOptions
	cmd := &cobra.Command{
		Use:   "convert [--to FORM] [-F OUT] FILE... [URL]",
		Short: "Write flow data files in another form",
		Long:  flowsConvertHelp,
		Example: `  rtfm flows convert --to csv all.flows >all.csv
  rtfm flows convert --to text --format 'SourcePeerAddress DeltaToOctets DeltaToBitRate' all.json
  rtfm flows convert --to json -F old.json old.flows.gz
  rtfm flows convert 2026-*.json.gz https://logs.example.com/flows`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if last := len(args) - 1; last >= 0 && isPlace(args[last]) {
				return o.export(cmd, args[:last], args[last])
			}
			return o.run(cmd, args)
		},
	}
	o.add(cmd, "json")
	cmd.Flags().Var(newSeconds(&o.grace, 10, 0, maxSeconds), "export-grace", "wait so many `SECONDS` for a URL that does not answer")
	return cmd
}

// add adds the options to a command.
func (o *flowsConvertOptions) add(cmd *cobra.Command, to string) {
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(newChoice(&o.to, to, "text", "json", "csv"), "to", "write text, json or csv")
	f.Var(columns{&o.format}, "format", "the `ATTRIBUTES` of text; as a FORMAT statement names them (default those of the FILE)")
	f.BoolVar(&o.iso, "iso", false, "add times as texts to rows of JSON and CSV; those of ISO 8601")
	f.StringVarP(&o.output, "flows", "F", "", "write to this file `OUT`; not to standard output")
}

// check finds options that do not fit each other.
func (o *flowsConvertOptions) check(names []string) error {
	switch {
	case len(names) == 0:
		return errors.New(`no flow data file given ("-" is standard input)`)
	case o.format != nil && o.to != "text":
		return errors.New("--format is for text: JSON and CSV have all attributes")
	case o.iso && o.to == "text":
		return errors.New("--iso is for JSON and CSV: text has times of its own kind")
	}
	return readOnce(names...)
}

func (o *flowsConvertOptions) run(cmd *cobra.Command, names []string) error {
	if err := o.check(names); err != nil {
		return err
	}
	in := &flowFiles{names: names, stdin: cmd.InOrStdin(), stderr: cmd.ErrOrStderr(), ordered: o.merge}
	k := &flowfile.Converter{Form: o.form(), ISO: o.iso, Version: flowfile.Release(version()), Format: o.format}
	if k.Form == flowfile.CSV || k.Form == flowfile.Text && k.Format == nil {
		var waiting held
		defer waiting.close()
		if err := in.columns(cmd.Context(), k, &waiting); err != nil {
			return err
		}
	}
	err := writeTo(cmd.Context(), o.output, names, cmd.InOrStdin(), cmd.OutOrStdout(), func(w io.Writer) error {
		var whole held
		defer whole.close()
		k.W = &whole
		return in.each(cmd.Context(), func(file *flowFile, from record.From) error {
			defer whole.close()
			if err := k.Write(file.all.Head(), from); err != nil {
				return err
			}
			_, err := io.Copy(w, whole.reader())
			return err
		})
	})
	if err != nil {
		return err
	}
	return in.status()
}

// form returns the form that is asked for.
func (o *flowsConvertOptions) form() flowfile.Form {
	return map[string]flowfile.Form{"text": flowfile.Text, "json": flowfile.JSON, "csv": flowfile.CSV}[o.to]
}
