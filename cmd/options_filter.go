package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/ruleset"
	"rtfm/ruleset/filter"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/traces"
)

// filterOptions say which packets a command looks at.
type filterOptions struct {
	text    string       // of --filter, or of arguments
	program *pme.Program // nil if there is no filter
}

// add adds the option to a command's.
func (o *filterOptions) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.text, "filter", "", "meter only packets that pass this `FILTER`; the same as at the end of the\narguments, for one that begins with the name of a file")
}

// take prepares the filter and returns the traces among the arguments, see split.
func (o *filterOptions) take(args []string, noTraces bool, stderr io.Writer) (names []string, err error) {
	if names, err = o.split(args, noTraces, stderr); err != nil || o.text == "" {
		return names, err
	}
	rs, warnings, err := filter.Compile(o.text)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		fmt.Fprintln(stderr, w)
	}
	o.program, err = pme.Compile(rs, 0, nil)
	return names, err
}

// split returns those of the arguments that are traces; the rest of them, from the
// first that is no file on, is the filter. If there are no traces to be given all
// of them are. stderr is told of an argument that could be either.
func (o *filterOptions) split(args []string, noTraces bool, stderr io.Writer) (names []string, err error) {
	n := 0
	for !noTraces && n < len(args) && isTrace(args[n]) {
		n++
	}
	if n == len(args) || o.text != "" && !noTraces {
		return args, nil
	}
	if o.text != "" && !isTrace(args[0]) {
		return nil, fmt.Errorf("%s: either --filter or a filter as arguments, not both; traces do not go with -i or -C", args[0])
	}
	text := strings.Join(args[n:], " ")
	_, _, fault := filter.Compile(text)
	switch {
	case fault == nil && n == 0 && !noTraces:
		return nil, fmt.Errorf("%s: a filter, but there is no TRACE before it", text)
	case fault == nil:
		o.text = text
		return args[:n], nil
	case noTraces && isTrace(args[0]):
	case noTraces:
		return nil, fmt.Errorf("%v; with -i or -C the arguments are a filter, no traces", fault)
	case n > 0 && resembles(args[n], fault):
		if strings.Contains(args[n], " ") {
			return nil, fault
		}
		return nil, fmt.Errorf("%v; nor is there a file %s", fault, args[n])
	case n > 0:
		fmt.Fprintf(stderr, "rtfm: %s is no filter either: %v\n", text, fault)
	}
	return args, nil // whoever opens them tells what is not there
}

// resembles reports whether an argument, or it and those behind it, with which this
// is wrong, is rather meant for a filter than for a trace.
func resembles(arg string, fault error) bool {
	var at ruleset.Diagnostics
	errors.As(fault, &at)
	return len(at) > 0 && at[0].Col > 1 || filter.IsWord(arg) || strings.ContainsAny(arg, " =<>&|!()")
}

// isTrace reports whether an argument names a trace that is there.
func isTrace(arg string) bool {
	if strings.HasPrefix(arg, storePrefix) {
		return true
	}
	path := strings.TrimPrefix(arg, netflowPrefix)
	if path == "-" {
		return true
	}
	st, err := os.Stat(path)
	return err == nil && !st.IsDir()
}

// passing returns a function that asks the filter of packets, or of what they carry in
// tunnels; nil if there is none.
func (o *filterOptions) passing(in *tunnelOptions) func(from *traces.Packet) bool {
	if o.program == nil {
		return nil
	}
	program := o.program.Start(0, new(match.Shapes))
	var p match.Packet
	var flow match.FlowKey // of no use
	return func(from *traces.Packet) bool {
		in.decode(&p, from)
		return program.Match(&p, &p.Key, false, &flow) == pme.Success
	}
}

// decode sets p to what a ruleset sees of a packet of a trace.
func decode(p *match.Packet, from *traces.Packet) { new(tunnelOptions).decode(p, from) }
