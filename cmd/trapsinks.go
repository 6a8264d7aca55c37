package cmd

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"rtfm/mib/snmp"
)

// openSinks opens the sockets of those who get traps, of an agent that was started
// then.
func (o *frontOptions) openSinks(f *fronts, log *slog.Logger, started time.Time, stderr io.Writer) error {
	if len(o.sinks) == 0 {
		return nil
	}
	value, err := o.trap.value(stderr)
	if err != nil {
		return err
	}
	if value == "" {
		return fmt.Errorf("--trap-sink: no community is given, by --%s or %s", o.trap.option, o.trap.variable)
	}
	for _, address := range o.sinks {
		if _, _, err := net.SplitHostPort(address); err != nil {
			address = net.JoinHostPort(strings.Trim(address, "[]"), "162")
		}
		sink, err := snmp.NewTrapSink(snmp.TrapConfig{
			Address: address, Community: value, Uptime: func() time.Duration { return time.Since(started) },
			Failed: func(err error) { log.Warn("trap not taken", "sink", address, "error", err) },
		})
		if err != nil {
			return fmt.Errorf("--trap-sink %s: %w", address, err)
		}
		f.sinks = append(f.sinks, sink)
	}
	return nil
}
