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
	if err := o.check(cmd, args); err != nil {
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
	if err := o.metrics.check(cmd); err != nil {
		return err
	}
	if err := o.metrics.listen(func(message string) { log.Info(message) }); err != nil {
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
	config := o.config(args[0], log)
	var x *exports
	if o.exports.wanted() {
		if x, err = o.exports.openReader(log, known); err != nil {
			return err
		}
		config.Spool, o.metrics.exports = x.Spool, x.Exports
	}
	if w := o.metrics.watched(); w != nil {
		r.watch = w.meter(config.Header.Meter).Collected
		config.Watch = r.watch
		defer o.metrics.serve(func(err error) { log.Error("metrics", "error", err) }, w.gather)()
	}
	r.collector = reader.New(config, r.out, known)
	if err = r.run(cmd.Context()); x == nil {
		return err
	}
	return x.ended(cmd.Context(), err)
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
