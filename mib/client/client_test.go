package client

import (
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/smi"
	"rtfm/mib/snmp"
	"rtfm/mib/snmp/snmptest"
	"rtfm/ruleset"
)

const community = "the secret"

// serve answers for h at a loopback address until the test ends.
func serve(t testing.TB, h smi.Handler) string {
	t.Helper()
	return snmptest.Serve(t, snmp.Config{ReadCommunity: "reader", WriteCommunity: community}, h)
}

func dial(t testing.TB, address string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), Config{Address: address, Community: community, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// newMeter serves a meter that has seen nothing.
func newMeter(t testing.TB) (*control.Meter, *Client) {
	m := control.New(control.Config{Config: meter.Config{MaxFlows: 1000}, Version: "rtfm test"})
	return m, dial(t, serve(t, mib.New(m)))
}

// TestControl makes every kind of row in a meter and reads it back.
func TestControl(t *testing.T) {
	ctx := t.Context()
	_, c := newMeter(t)
	rs, _, err := ruleset.ParseRules("all", []byte(`
		SourcePeerType & 255 = IP: PushPkttoAct, Next;
		SourcePeerAddress & 255.255.255.0 = 0: PushPkttoAct, Next;
		DestPeerAddress & 255.255.255.0 = 0: PushPkttoAct, Next;
		SourceTransType & 255 = 0: PushPkttoAct, Next;
		Null & 0 = 0: Count, 0;`))
	if err != nil {
		t.Fatal(err)
	}
	for len(rs.Rules) < 50 {
		rs.Rules = append(rs.Rules, rs.Rules[len(rs.Rules)-1])
	}
	if err := c.PutRuleSet(ctx, 7, "me", rs); err != nil {
		t.Fatal(err)
	}
	got, err := c.RuleSet(ctx, 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range rs.Rules {
		w.Mask, w.Value = w.Mask.Resize(max(w.Mask.Len(), 1)), w.Value.Resize(max(w.Value.Len(), 1))
		if g, w := got.Rules[i].String(), w.String(); g != w {
			t.Errorf("rule %d is %s, want %s", i+1, g, w)
		}
	}
	if err := c.CreateManager(ctx, 3, &mib.Manager{Row: mib.Row{Owner: "me"}, CurrentRuleSet: 7, StandbyRuleSet: 1, HighWaterMark: 65}); err != nil {
		t.Fatal(err)
	}
	if err := c.StartManagers(ctx, 3); err != nil {
		t.Fatal(err)
	}
	tasks, err := c.Managers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := mib.Manager{Row: mib.Row{Owner: "me", Active: true}, CurrentRuleSet: 7, StandbyRuleSet: 1, HighWaterMark: 65}
	if task := tasks.At(3); task == nil || *task != want {
		t.Errorf("the task is %+v, want %+v", task, want)
	}
	sets, err := c.RuleSets(ctx)
	if err != nil {
		t.Fatal(err)
	}
	info := RuleSetInfo{Row: mib.Row{Owner: "me", Active: true}, Name: "all", Size: 50, RulesReady: true}
	if s := sets.At(7); sets.Len() != 2 || s == nil || *s != info {
		t.Errorf("the ruleset is %+v, want %+v", s, info)
	}
	if err := c.CreateReader(ctx, 9, &mib.Reader{Row: mib.Row{Owner: "me"}, Timeout: 900, RuleSet: 7}); err != nil {
		t.Fatal(err)
	}
	r, err := c.Reader(ctx, 9)
	if err != nil || r == nil || *r != (mib.Reader{Row: mib.Row{Owner: "me", Active: true}, Timeout: 900, RuleSet: 7}) {
		t.Errorf("%v: the reader is %+v", err, r)
	}
	if r, err := c.Reader(ctx, 10); err != nil || r != nil {
		t.Errorf("%v: there is a reader 10: %+v", err, r)
	}
	st, err := c.Status(ctx)
	if err != nil || !st.Extension || st.Version != "rtfm test" || st.MaxFlows != 1000 || st.FloodMark != 95 || st.InactivityTimeout != 600 {
		t.Errorf("%v: the meter's state is %+v", err, st)
	}
	for _, err := range []error{
		c.SetFloodMark(ctx, 90), c.SetInactivityTimeout(ctx, 60), c.SetFloodMode(ctx, true),
		c.SetManager(ctx, 3, &mib.Manager{CurrentRuleSet: 1, StandbyRuleSet: 7, HighWaterMark: 50}),
		c.SetRunningStandby(ctx, 3, true), c.SetReaderTimeout(ctx, 9, 0), c.DestroyManager(ctx, 3),
		c.DestroyReader(ctx, 9), c.DestroyRuleSet(ctx, 7), c.DestroyRuleSet(ctx, 7),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if st, err := c.Status(ctx); err != nil || st.FloodMark != 90 || st.InactivityTimeout != 60 || !st.FloodMode {
		t.Errorf("%v: the meter's state is %+v", err, st)
	}
	if sets, err := c.RuleSets(ctx); err != nil || sets.Len() != 1 {
		t.Errorf("%v: %d rulesets are left", err, sets.Len())
	}
}
