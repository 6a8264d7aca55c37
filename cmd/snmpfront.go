package cmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"rtfm/meter"
	"rtfm/mib"
	"rtfm/mib/agentx"
	"rtfm/mib/snmp"
	"rtfm/ruleset"
)

// fronts are the SNMP front ends of a meter.
type fronts struct {
	server *snmp.Server
	conn   net.PacketConn
	agent  *agentx.Subagent
	sinks  []*snmp.TrapSink
	secret *secretFile // of a random community, if there is one
}

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

// open makes the front ends.
func (o *meterOptions) open(f *fronts, m *meter.Controlled, log *slog.Logger, stderr io.Writer) (err error) {
	handler := mib.New(m)
	if o.agentx != "" {
		f.agent, err = agentx.New(agentx.Config{
			Address: o.agentx, Descr: "rtfm meter", Context: o.context, Subtrees: mib.Subtrees(), Capabilities: mib.Capabilities(),
			Changed: func(err error) {
				if err != nil {
					log.Warn("no session with the AgentX master", "error", err)
				} else {
					log.Info("registered with the AgentX master", "address", o.agentx)
				}
			},
		}, handler)
		if err != nil {
			return err
		}
	}
	if o.snmp == "" {
		return nil
	}
	read, err := o.read.value(stderr)
	if err != nil {
		return err
	}
	write, err := o.write.value(stderr)
	if err != nil {
		return err
	}
	if read == "" {
		if read, f.secret, err = randomCommunity(); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "rtfm: the read community is in %s\n", f.secret.f.Name())
	}
	started := time.Now()
	f.server, err = snmp.New(snmp.Config{
		ReadCommunity: read, WriteCommunity: write,
		System: snmp.System{
			Descr: "rtfm " + version() + ", network traffic meter", Name: hostName(), Contact: o.contact, Location: o.location,
			Services: sysServices, Capabilities: mib.Capabilities(),
			ObjectID: mib.Subtrees()[1], Uptime: func() time.Duration { return time.Since(started) },
		},
	}, handler)
	if err != nil {
		return err
	}
	if f.conn, err = listenSNMP(o.snmp); err != nil {
		return err
	}
	if err := o.openSinks(f, log, started, stderr); err != nil {
		return err
	}
	log.Info("answering SNMPv2c", "address", f.conn.LocalAddr().String(), "writable", write != "")
	warnOfOthers(log, f.conn.LocalAddr())
	return nil
}

// warnOfOthers warns of an address that others than this machine can reach.
func warnOfOthers(log *slog.Logger, a net.Addr) {
	if udp, ok := a.(*net.UDPAddr); !ok || udp.IP.IsLoopback() {
		return
	}
	log.Warn("whoever reaches this address can read the community off the network; with it they can read all flows, and have "+
		"answers of a thousand times their requests' length sent to an address that they pretend to have: keep others away from it, or use --agentx",
		"address", a.String())
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "rtfm"
	}
	return name
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

// events are the notifications as the log tells them.
var events = map[mib.NotificationKind]string{
	mib.MeterStarted:   "meter started",
	mib.Standby:        "task switched to its standby ruleset",
	mib.Flood:          "flood mode entered",
	mib.ReaderTimedOut: "reader timed out",
	mib.PacketsLost:    "packets lost",
	mib.StandbyOver:    "task no longer on its standby ruleset",
	mib.FloodOver:      "flood mode ended",
	mib.TableFull:      "flow table full: packets are in no flow",
}

// about returns what an event's log entry says besides what happened.
func about(n mib.Notification) []slog.Attr {
	flows := slog.Uint64("flows", n.Count)
	switch n.Kind {
	case mib.Standby, mib.StandbyOver:
		return []slog.Attr{slog.Int("task", n.Index), slog.Int("ruleset", n.RuleSet), slog.Int("standby", n.StandbyRuleSet), slog.String("owner", n.Owner), flows}
	case mib.Flood, mib.FloodOver:
		return []slog.Attr{flows}
	case mib.ReaderTimedOut:
		return []slog.Attr{slog.Int("reader", n.Index), slog.Int("ruleset", n.RuleSet), slog.String("owner", n.Owner)}
	case mib.TableFull:
		return []slog.Attr{slog.Int("ruleset", n.RuleSet), slog.Uint64("packets", n.Count)}
	case mib.PacketsLost:
		return []slog.Attr{slog.Int("interface", n.Index), slog.Uint64("packets", n.Count)}
	}
	return nil
}

// notify logs an event and tells it to the AgentX master and to those who get traps.
func (f *fronts) notify(log *slog.Logger, n mib.Notification) {
	level, event := slog.LevelWarn, events[n.Kind]
	switch {
	case n.Kind == mib.MeterStarted || n.Kind == mib.StandbyOver || n.Kind == mib.FloodOver:
		level = slog.LevelInfo
	case n.Kind == mib.Standby && n.StandbyRuleSet == 0:
		event = "task stopped: it has no standby ruleset"
	}
	log.LogAttrs(context.Background(), level, event, about(n)...)
	name, vars := n.Bindings()
	if f.agent != nil {
		f.agent.Notify(name, vars...)
	}
	for _, s := range f.sinks {
		s.Notify(name, vars...)
	}
}
