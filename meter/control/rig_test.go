package control

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/mib"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// piped is a source that is fed by the test. It has nothing to read until then.
type piped struct {
	batches chan []traces.Packet
	waiting chan struct{} // has an element for each ReadBatch that began
	stats   traces.Stats
}

func newPiped() *piped {
	return &piped{make(chan []traces.Packet), make(chan struct{}, 1), traces.Stats{}}
}

func (p *piped) ReadBatch(b *traces.Batch) error {
	p.waiting <- struct{}{}
	packets, ok := <-p.batches
	if !ok {
		return io.EOF
	}
	b.Packets, b.File = append(b.Packets[:0], packets...), "piped"
	return nil
}

func (p *piped) Stats() traces.Stats { return p.stats }
func (p *piped) Close() error        { return nil }

// rig is a controlled meter at work.
type rig struct {
	t      *testing.T
	m      *Meter
	h      *mib.Handler
	src    *piped
	told   []mib.Notification
	ended  chan error
	cancel context.CancelFunc
}

func newRig(t *testing.T, cfg Config) *rig { return newRigAt(t, cfg, nil) }

// newRigAt is newRig of a live meter whose time is that of wall, if it is not nil, from
// its start on.
func newRigAt(t *testing.T, cfg Config, wall func() int64) *rig {
	r := &rig{t: t, src: newPiped(), ended: make(chan error, 1)}
	if cfg.MaxFlows == 0 {
		cfg.MaxFlows = 1000
	}
	cfg.Notify = func(n mib.Notification) { r.told = append(r.told, n) }
	r.m = New(cfg)
	if wall != nil {
		r.m.wall = wall
	}
	r.h = mib.New(r.m)
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() { r.ended <- r.m.Run(ctx, r.src, func(err error) { t.Error(err) }) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-r.src.waiting:
			close(r.src.batches)
		case <-time.After(time.Second):
		}
	})
	return r
}

// feed has packets metered.
func (r *rig) feed(packets ...traces.Packet) {
	<-r.src.waiting
	r.src.batches <- packets
	// The next read begins when they were.
	<-r.src.waiting
	r.src.waiting <- struct{}{}
}

// set does a Set of variables, as bindings reads them:
// `flowFloodMark.0=95 flowInactivityTimeout.0=600`.
func (r *rig) set(variables string) {
	r.t.Helper()
	x, err := r.h.Test(bindings(r.t, variables))
	if err != nil {
		r.t.Fatalf("%s: %v", variables, err)
	}
	if err := x.Commit(); err != nil {
		r.t.Fatalf("%s: %v", variables, err)
	}
	x.Cleanup()
}

// names are the OIDs of the objects that the texts of our MIBs define.
var names = smitest.Names("../../mib/FLOW-METER-MIB.txt", "../../mib/RTFM-EXTENSION-MIB.txt")

// bindings reads variables: h is for octets in hex, t for TimeTicks, u for
// Unsigned32.
func bindings(t *testing.T, variables string) (vbs []smi.VarBind) {
	t.Helper()
	for _, v := range strings.Fields(variables) {
		name, value, _ := strings.Cut(v, "=")
		name = names.OID(name).String()
		var n int32
		switch {
		case strings.HasPrefix(value, "h"):
			var b []byte
			fmt.Sscanf(value[1:], "%x", &b)
			vbs = append(vbs, smitest.Octets(name, smi.OctetString, string(b)))
		case strings.HasPrefix(value, "u"):
			fmt.Sscan(value[1:], &n)
			vbs = append(vbs, smitest.Uint(name, smi.Gauge32, uint64(n)))
		case strings.HasPrefix(value, "t"):
			vbs = append(vbs, smitest.Uint(name, smi.TimeTicks, 0))
		default:
			if _, err := fmt.Sscan(value, &n); err != nil {
				t.Fatal(v)
			}
			vbs = append(vbs, smitest.Int(name, n))
		}
	}
	return vbs
}

// get returns the value of a variable, as a number.
func (r *rig) get(name string) int64 {
	r.t.Helper()
	out := make([]smi.VarBind, 1)
	vb := bindings(r.t, name+"=0")[0]
	r.h.Get([]smi.OID{vb.Name}, out)
	switch v := &out[0].Value; v.Type {
	case smi.Integer32:
		return int64(v.Int)
	case smi.NoSuchInstance:
		return -1
	default:
		return int64(v.Uint)
	}
}

// flows returns the packets of each flow of a ruleset that was active since a
// TimeMark, in order of index: index:ToPDUs.
func (r *rig) flows(ruleSet, mark int) string {
	var all []string
	column := names.OID(fmt.Sprintf("flowDataToPDUs.%d.%d", ruleSet, mark))
	out := make([]smi.VarBind, 1)
	for at := column; ; at = slices.Clone(out[0].Name) {
		r.h.Next([]smi.Range{{Start: at}}, out)
		if !out[0].Name.HasPrefix(column) || out[0].Value.Type == smi.EndOfMibView {
			return strings.Join(all, " ")
		}
		all = append(all, fmt.Sprintf("%d:%d", out[0].Name[len(column)], out[0].Value.Uint))
	}
}

func (r *rig) want(what string, have, want any) {
	r.t.Helper()
	if fmt.Sprint(have) != fmt.Sprint(want) {
		r.t.Errorf("%s: have %v, want %v", what, have, want)
	}
}

// pairs downloads a ruleset with a flow for each pair of IPv4 addresses, or
// for each destination only.
func pairs(index int) string {
	return fmt.Sprintf(`flowRuleInfoStatus.%[1]d=4 flowRuleInfoSize.%[1]d=2
		flowRuleSelector.%[1]d.1=9 flowRuleMask.%[1]d.1=hffffffff flowRuleMatchedValue.%[1]d.1=h00 flowRuleAction.%[1]d.1=15 flowRuleParameter.%[1]d.1=2
		flowRuleSelector.%[1]d.2=19 flowRuleMask.%[1]d.2=hffffffff flowRuleMatchedValue.%[1]d.2=h00 flowRuleAction.%[1]d.2=4
		flowRuleSelector.%[1]d.1=0 flowRuleAction.%[1]d.1=11 `, index)
}

// runTask starts a task.
func runTask(index, current, standby, mark int) string {
	return fmt.Sprintf(" flowManagerStatus.%[1]d=4 flowManagerCurrentRuleSet.%[1]d=%[2]d flowManagerStandbyRuleSet.%[1]d=%[3]d flowManagerHighWaterMark.%[1]d=%[4]d ", index, current, standby, mark)
}

const epoch = 1_000_000_000_000_000_000

// to returns a packet to host n of 10.0.0.0/16, so many seconds after the epoch.
func to(n int, seconds float64) traces.Packet {
	p := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").
		IPv4("192.0.2.1", fmt.Sprintf("10.0.%d.%d", n/256, n%256)).UDP(1, 2))[0]
	p.Time, p.Interface = epoch+int64(seconds*1e9), 1
	return p
}
