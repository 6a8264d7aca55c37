package cmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/agentx"
	"rtfm/mib/snmp"
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

// start runs the front ends until ctx is done. It calls failed when one cannot go
// on.
func (f *fronts) start(ctx context.Context, wg *sync.WaitGroup, failed context.CancelCauseFunc) {
	if f.agent != nil {
		wg.Go(func() { f.agent.Run(ctx) })
	}
	for _, s := range f.sinks {
		wg.Go(func() { s.Run(ctx) })
	}
	if f.server == nil {
		return
	}
	wg.Go(func() {
		if err := f.server.Serve(ctx, f.conn); err != nil && ctx.Err() == nil {
			failed(err)
		}
	})
}

// remove removes the file of the random community, if there is one.
func (f *fronts) remove() {
	if f.secret != nil {
		f.secret.remove()
	}
}

// open makes the front ends.
func (o *frontOptions) open(f *fronts, m *control.Meter, log *slog.Logger, stderr io.Writer) (err error) {
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
	address := o.address()
	if address == "" {
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
	if f.conn, err = listenSNMP(address); err != nil {
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
