package client

import (
	"context"
	"fmt"
	"math"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// Status is what a meter says of itself.
type Status struct {
	MaxFlows, ActiveFlows int
	FloodMark             int // percent; 0 and 100 mean none
	FloodMode             bool
	InactivityTimeout     int // seconds
	// SysUpTime is that of the SNMP agent, in centiseconds: under AgentX not
	// the meter's.
	SysUpTime uint32

	// Extension is set if the meter has RTFM-EXTENSION-MIB. All below is zero
	// if not.
	Extension bool
	Version   string
	// Boot is a number that the meter made at random when it started.
	Boot [8]byte
	// Start is the time from which Uptime counts, in nanoseconds since
	// 1970-01-01 00:00:00 UTC; Uptime in centiseconds, modulo 2^32.
	Start  int64
	Uptime uint32
	// Now is the time up to which it has metered, in nanoseconds since
	// 1970-01-01 00:00:00 UTC; 0 if the meter does not tell.
	Now    int64
	Counts mib.Counts
}

// Restarted reports whether the meter was started again between before and s:
// by its boot identifier, or if it has none, and the agent's uptime is the
// meter's, by that. An uptime that went around after 497 days is none.
func (s *Status) Restarted(before *Status) bool {
	if s.Extension || before.Extension {
		return s.Extension != before.Extension || s.Boot != before.Boot
	}
	return int32(s.SysUpTime-before.SysUpTime) < 0
}

// Begun reports whether the meter's Uptime counts: that of a meter of traces does
// from their first packet on.
func (s *Status) Begun() bool { return !s.Extension || s.Start != 0 || s.Counts.Packets > 0 }

// Status reads what the meter says of itself.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	names := []smi.OID{}
	for _, o := range []*module.Object{
		module.FlowMaxFlows, module.FlowActiveFlows, module.FlowFloodMark, module.FlowFloodMode, module.FlowInactivityTimeout, module.SysUpTime,
		module.RtfmMeterVersion, module.RtfmMeterBoot, module.RtfmMeterStart, module.RtfmMeterUptime, module.RtfmMeterMemory,
		module.RtfmMeterFlowsCreated, module.RtfmMeterFlowsRecovered, module.RtfmPacketsMetered, module.RtfmPacketsOctets, module.RtfmPacketsCut, module.RtfmPacketsMalformed,
		module.RtfmPacketsUnknownLink, module.RtfmPacketsBackInTime, module.RtfmPacketsLost,
		module.RtfmStreamsCreated, module.RtfmStreamsEnded, module.RtfmStreamsUnstreamed, module.RtfmStreamsActive, module.RtfmMeterFloods, module.RtfmMeterNow,
		module.RtfmMeterStartExact, module.RtfmMeterNowExact, module.RtfmMeterMemoryUsed,
	} {
		names = append(names, o.At(0))
	}
	vars, err := c.get(ctx, names...)
	if err != nil {
		return nil, err
	}
	var r values
	s := &Status{
		MaxFlows:          r.int(&vars[0], 0, math.MaxInt32),
		ActiveFlows:       r.int(&vars[1], 0, math.MaxInt32),
		FloodMark:         r.int(&vars[2], 0, 100),
		FloodMode:         r.truth(&vars[3]),
		InactivityTimeout: r.int(&vars[4], 0, math.MaxInt32),
	}
	if vars[5].Value.Type == smi.TimeTicks { // a view may hide it
		s.SysUpTime = uint32(vars[5].Value.Uint)
	}
	if !absent(&vars[7]) {
		s.Extension = true
		s.Version = string(r.octets(&vars[6], longestText))
		if n := copy(s.Boot[:], r.octets(&vars[7], len(s.Boot))); n < len(s.Boot) && r.err == nil {
			r.err = nonsense(vars[7].Name, "%d octets, not %d", n, len(s.Boot))
		}
		s.Start = r.time(&vars[26], &vars[8])
		s.Uptime = uint32(r.uint(&vars[9], smi.TimeTicks))
		for i, n := range []*uint64{
			&s.Counts.FlowsCreated, &s.Counts.FlowsRecovered, &s.Counts.Packets,
			&s.Counts.Octets, &s.Counts.CutShort, &s.Counts.Malformed, &s.Counts.UnknownLink,
			&s.Counts.BackInTime, &s.Counts.Lost, &s.Counts.StreamsCreated, &s.Counts.StreamsEnded, &s.Counts.Unstreamed,
		} {
			*n = r.uint(&vars[11+i], smi.Counter64)
		}
		s.Counts.StreamsActive = r.uint(&vars[23], smi.Gauge32)
		s.Counts.Floods = r.later(&vars[24])
		if !absent(&vars[27]) || !absent(&vars[25]) { // as in an older meter
			s.Now = r.time(&vars[27], &vars[25])
		}
		if used := &vars[28]; absent(used) { // as in an older meter
			s.Counts.Memory = r.uint(&vars[10], smi.Counter64)
		} else {
			s.Counts.Memory = r.uint(used, smi.Gauge32) << 10
		}
	}
	if r.err != nil {
		return nil, c.wrap(fmt.Errorf("reading the meter's state: %w", r.err))
	}
	return s, nil
}

// SetFloodMark sets the percentage of the flow table at which the meter enters
// flood mode; 0 and 100 mean never.
func (c *Client) SetFloodMark(ctx context.Context, percent int) error {
	return c.set(ctx, nil, integer(module.FlowFloodMark.At(0), percent))
}

// SetFloodMode makes the meter leave flood mode, or enter it.
func (c *Client) SetFloodMode(ctx context.Context, flood bool) error {
	return c.set(ctx, nil, integer(module.FlowFloodMode.At(0), int(smi.Truth(flood))))
}

// SetInactivityTimeout sets after how many seconds a flow is idle.
func (c *Client) SetInactivityTimeout(ctx context.Context, seconds int) error {
	return c.set(ctx, nil, integer(module.FlowInactivityTimeout.At(0), seconds))
}

// Interfaces reads the meter's interfaces. Packets is zero on meters without
// the extension, Name empty on older ones too.
func (c *Client) Interfaces(ctx context.Context) (*mib.Rows[mib.Interface], error) {
	rows := new(mib.Rows[mib.Interface])
	err := c.rows(ctx, maxInterfaces, []*module.Object{module.FlowInterfaceSampleRate, module.FlowInterfaceLostPackets}, func(i int, row []smi.VarBind) error {
		var r values
		rows.Put(i, &mib.Interface{SampleRate: r.int(&row[0], 0, math.MaxInt32), Lost: r.uint(&row[1], smi.Counter32)})
		return r.err
	})
	if err != nil {
		return nil, err
	}
	err = c.rows(ctx, maxInterfaces, []*module.Object{module.RtfmInterfacePackets, module.RtfmInterfaceLost}, func(i int, row []smi.VarBind) error {
		var r values
		if in := rows.At(i); in != nil {
			in.Packets, in.Lost = r.uint(&row[0], smi.Counter64), r.uint(&row[1], smi.Counter64)
		}
		return r.err
	})
	if err != nil {
		return nil, err
	}
	err = c.rows(ctx, maxInterfaces, []*module.Object{module.RtfmInterfaceName}, func(i int, row []smi.VarBind) error {
		var r values
		if in := rows.At(i); in != nil {
			in.Name = r.text(&row[0])
		}
		return r.err
	})
	return rows, err
}

// maxInterfaces is how many interfaces a meter may have; it ends the walk of a
// table without end.
const maxInterfaces = 10_000

// SetSampleRate makes the meter count one of n packets of an interface; 1
// means all, 0 none.
func (c *Client) SetSampleRate(ctx context.Context, ifIndex, n int) error {
	return c.set(ctx, nil, integer(module.FlowInterfaceSampleRate.At(uint32(ifIndex)), n))
}
