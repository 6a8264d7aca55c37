package cmd

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"rtfm/mib/snmp"
	"rtfm/ruleset"
)

// sysServices is that of a host with applications (RFC 3418 section 2).
const sysServices = 1<<(7-1) + 1<<(4-1)

// longestDisplay is the length of a DisplayString, such as sysContact (RFC 2579
// section 2).
const longestDisplay = 255

// listenSNMP opens the socket at which SNMP is answered. An address of IPv4, 0.0.0.0
// too, is open to IPv4 only; [::] and no address are to both.
func listenSNMP(address string) (net.PacketConn, error) {
	network := "udp"
	if host, _, err := net.SplitHostPort(address); err == nil {
		if a, err := netip.ParseAddr(host); err == nil && a.Unmap().Is4() {
			network = "udp4"
		}
	}
	return net.ListenPacket(network, address)
}

// openSinks opens the sockets of those who get traps, of an agent that was started
// then.
func (o *meterOptions) openSinks(f *fronts, log *slog.Logger, started time.Time, stderr io.Writer) error {
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

// logPrepared logs what is odd about a ruleset that a manager makes active, or why it
// does not become so: all that SNMP can say is inconsistentValue.
func logPrepared(log *slog.Logger, rs *ruleset.RuleSet, warnings []string, err error) {
	about := []any{"ruleset", rs.Number, "name", rs.Name}
	switch {
	case err != nil:
		first, _, _ := strings.Cut(err.Error(), "\n")
		log.Warn("ruleset refused", append(about, "error", first)...)
	case len(warnings) > 0:
		log.Warn("ruleset with rules that hardly do what was wanted", append(about, "warnings", len(warnings), "first", warnings[0])...)
	}
}
