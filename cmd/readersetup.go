package cmd

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/mib/client"
	"rtfm/reader"
	"rtfm/reader/flowfile"
)

// maxFlowsUsage tells what the option means that the reader and the manager have.
const maxFlowsUsage = "refuse collections of more `FLOWS` than this; or of more than 4096 octets for each of them;\n" +
	"with --json, the counters of so many flows are remembered, in 128 octets each"

// run reaches the meter, opens the flow data file, and makes collections.
func (o *readerOptions) run(cmd *cobra.Command, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	var meter client.Config
	var err error
	if !o.pair {
		meter, err = o.snmp.config(args, cmd.ErrOrStderr())
	}
	if err != nil {
		return err
	}
	log, file := newLog(o.log, cmd.ErrOrStderr(), slog.LevelInfo)
	if err := file.reopen(); err != nil {
		return err
	}
	r := &reading{log: log, options: o, stdout: cmd.OutOrStdout()}
	known, err := r.open()
	if err != nil {
		return err
	}
	defer r.close()
	if o.passive && !o.isView() {
		log.Warn("the meter does not know of this reader: it may recover flows before they are read")
	}
	if o.pair {
		return o.runPair(cmd.Context(), args, r, known, cmd.ErrOrStderr())
	}
	if r.client, err = client.Dial(cmd.Context(), meter); err != nil {
		return err
	}
	defer r.client.Close()
	r.collector = reader.New(o.config(args[0], log), r.out, known)
	return r.run(cmd.Context())
}

// open opens the flow data file, or what stands for it, and returns what is known of
// earlier collections there.
func (r *reading) open() (*reader.State, error) {
	o := r.options
	switch {
	case o.isView():
		r.out = &r.page
		return nil, nil
	case o.output == "" || o.output == "-":
		r.out = &reader.Stream{W: r.stdout}
		return nil, nil
	}
	file, known, err := reader.OpenFile(o.output)
	if err != nil {
		return nil, err
	}
	if err := file.Damage(); err != nil {
		r.log.Warn("what was known of the flow data file is lost", "error", err)
	}
	r.out, r.file = file, file
	return known, nil
}

// close closes the flow data file.
func (r *reading) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// isView reports whether flows are shown, and nothing is kept of them.
func (o *readerOptions) isView() bool { return o.once || o.watch }

// config returns the reader of the meter at host that the options ask for.
func (o *readerOptions) config(host string, log *slog.Logger) reader.Config {
	c := reader.Config{
		Header: flowfile.Header{Version: flowfile.Release(version()), Parameters: o.parameters(), Meter: cmp.Or(o.name, host)},
		Format: o.format, JSON: o.json, CSV: o.csv, ISO: o.iso, Once: o.once, Passive: o.passive || o.isView(),
		Owner: cmp.Or(o.owner, o.defaultOwner()), FirstRow: o.firstRow, LastRow: o.lastRow, MaxFlows: o.maxFlows,
	}
	if !o.isView() {
		c.Warn = func(err error) { log.Warn("collection", "warning", err) }
	}
	if !o.trace {
		c.Timeout = int(max(10*o.interval, 3600))
	}
	return c
}

// parameters are the options as the flow data shows them.
func (o *readerOptions) parameters() string {
	p := []string{fmt.Sprintf("-c%v", o.interval)}
	if o.trace {
		p = []string{"-C"}
	}
	if o.ruleSet != 0 {
		p = append(p, fmt.Sprintf("-r%d", o.ruleSet))
	}
	if o.passive {
		p = append(p, "--passive")
	}
	return strings.Join(p, " ")
}

// defaultOwner tells readers of one meter from each other.
func (o *readerOptions) defaultOwner() string {
	const longest = 127 // UTF8OwnerString (RFC 2720)
	of := strconv.Itoa(os.Getpid())
	if path, err := filepath.Abs(o.output); err == nil && o.output != "" {
		of = path
	}
	owner := strings.ToValidUTF8(hostName()+" "+of, "_")
	if len(owner) > longest {
		owner = strings.ToValidUTF8(owner[len(owner)-longest:], "")
	}
	return owner
}
