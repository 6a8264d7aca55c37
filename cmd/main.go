// Package cmd is the command line of rtfm: one file for each command, with its
// flags, its help and the check of what does not fit each other. Beside a large
// command stand what it sets up (runsetup.go) and how it runs and ends. Others have
// what commands have in common: groups of options (options_*.go), kinds of values,
// signals, files.
//
// A group of options has up to three verbs: add defines them, check finds those
// that do not fit, config makes of them what a package below wants.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/ruleset"
)

// Exit statuses, besides 0.
const (
	StatusFailed  = 1 // wrong usage, a faulty ruleset, a file that cannot be written
	StatusDamaged = 2 // a trace was damaged or none: what could be read was metered
	StatusFull    = 3 // a table was full or rules looped: packets are missing from flows or distributions
	StatusFault   = 4 // numbers do not add up: a fault of the program
	StatusMissing = 4 // of a feed: not all that was told has come
	StatusUnsent  = 5 // collections wait in the spool: places that they go to were away, or refused them

	StatusInterrupted = 130 // by a signal: what had been read was metered
)

// Main is the program: it runs the command that args name, without the program's
// own name, and returns the exit status.
func Main(args []string, stdin, stdout, stderr *os.File) int {
	// What the Go runtime ends by itself, such as a program out of memory, has
	// exit status 2 otherwise, which means something else here.
	debug.SetTraceback("crash")
	if isStandIn(stdout) {
		stdout = closedOutput()
		os.Stdout = stdout // which "-" stands for
	}
	return Run(context.Background(), args, stdin, stdout, stderr)
}

// Run is Main without what it does to the process. When ctx is done, the command
// ends as it does at a signal.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	ctx, ending, stop := withEnding(ctx, stderr)
	defer stop()
	err := run(ctx, args, stdin, stdout, stderr)
	if err == nil {
		return 0
	}
	if status := ending.status(); status != 0 && errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "rtfm: interrupted")
		return status
	}
	var exit *exitError
	var faults ruleset.Diagnostics
	switch {
	case errors.As(err, &faults):
		// Each line begins with its place, for editors to find it.
		fmt.Fprintln(stderr, faults)
		return StatusFailed
	case !errors.As(err, &exit):
		fmt.Fprintf(stderr, "rtfm: %v\n", err)
		return StatusFailed
	}
	if exit.err != nil {
		fmt.Fprintf(stderr, "rtfm: %v\n", exit.err)
	}
	return exit.status
}

// exitError asks for an exit status other than StatusFailed; err is nil when
// all has been said already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return fmt.Sprintf("exit status %d: %v", e.status, e.err) }
func (e *exitError) Unwrap() error { return e.err }

// run runs the command that args name.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	root := Program()
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		forShells(root)
	}
	return root.ExecuteContext(ctx)
}

// Program returns the program's commands and their options.
func Program() *cobra.Command {
	root := &cobra.Command{
		Use:   "rtfm",
		Short: "Meter network traffic by rulesets",
		Long: `rtfm is a network traffic meter. It counts who talks to whom, and how much, in
traces, at interfaces and in the flow records of routers. Rulesets, small programs
in SRL, say what else to count, and how finely (RFC 2720 to 2724).

Questions that people ask, and the commands that answer them, are in
docs/COOKBOOK.md, which "make install" makes a manual page, rtfm-cookbook(7).`,
		Example: `  rtfm run trace.pcap               who talks to whom
  rtfm run --by Host trace.pcap     the top talkers
  rtfm srl list                     what else can be asked without a program`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
	}
	root.SetVersionTemplate(builtFrom())
	root.AddCommand(runCommand(), meterCommand(), managerCommand(), readerCommand(), feedCommand(), flowsCommand(), srlCommand(), traceCommand(), storeCommand(), topCommand(), viewCommand(), mibCommand(), versionCommand())
	root.SetHelpCommand(helpCommand())
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { cmd.Print(helpText(cmd, false)) })
	return root
}
