package manager

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

func loadRules(t testing.TB, name string) *ruleset.RuleSet {
	t.Helper()
	rs, _, err := compile.Load(filepath.Join("testdata", name), nil, srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// testMeter is what to do with a loopMeter.
func testMeter(l *loopMeter) *Meter {
	m := Defaults()
	m.Name, m.Address, m.Owner = "m", l.address, "test"
	m.SNMP.Community, m.SNMP.Timeout = NewSecret("w"), time.Second
	m.Output = filepath.Join(l.t.TempDir(), "m.flows")
	return &m
}

// tables returns the control tables of a meter as text.
func tables(t *testing.T, c *client.Client) string {
	t.Helper()
	var b strings.Builder
	sets, err := c.RuleSets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range sets.All {
		name, _, _ := strings.Cut(r.Name, " ")
		fmt.Fprintf(&b, "ruleset %d %s %s %d %v\n", i, r.Owner, name, r.Size, r.Active)
	}
	tasks, err := c.Managers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range tasks.All {
		fmt.Fprintf(&b, "task %d %s %d/%d %d%% %v %v\n", i, m.Owner, m.CurrentRuleSet, m.StandbyRuleSet, m.HighWaterMark, m.RunningStandby, m.Active)
	}
	readers, err := c.Readers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range readers.All {
		fmt.Fprintf(&b, "reader %d %s %d %v\n", i, r.Owner, r.RuleSet, r.Active)
	}
	return b.String()
}

// bringTo makes a meter as m wants it, without a reader.
func bringTo(t *testing.T, c *client.Client, m *Meter) *control {
	t.Helper()
	k := &control{meter: m, client: c, log: slog.New(slog.DiscardHandler)}
	now := time.Now()
	for _, err := range []error{k.settings(t.Context()), k.download(t.Context()), k.run(t.Context(), now), k.removeRetired(t.Context(), false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// TestControl brings a meter from one state to others.
func TestControl(t *testing.T) {
	l := startMeter(t, "", 100)
	c := l.dial()
	all, coarse := loadRules(t, "all.srl"), loadRules(t, "coarse.rules")
	builtin := "ruleset 1 meter default 1 true\n"
	builtin = tables(t, c)
	if strings.Count(builtin, "\n") != 1 {
		t.Fatalf("a new meter has\n%s", builtin)
	}
	// Others' rows, and what another run left behind half done.
	theirs := *all
	if err := c.PutRuleSet(t.Context(), 3, "other", &theirs); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateManager(t.Context(), 1, &mib.Manager{Row: mib.Row{Owner: "other"}, CurrentRuleSet: 3}); err != nil {
		t.Fatal(err)
	}
	if err := c.StartManagers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	others := fmt.Sprintf("ruleset 3 other all %d true\n", len(all.Rules))
	m := testMeter(l)
	m.Tasks = []Task{{RuleSet: all, Standby: coarse, HighWaterMark: 60}}
	flood, timeout := 80, 77
	m.FloodMark, m.InactivityTimeout = &flood, &timeout
	ruleSets := builtin + fmt.Sprintf("ruleset 2 test coarse %d true\n", len(coarse.Rules)) + others + fmt.Sprintf("ruleset 4 test all %d true\n", len(all.Rules))
	want := ruleSets + "task 1 other 3/0 0% false true\ntask 2 test 4/2 60% false true\n"
	bringTo(t, c, m)
	if got := tables(t, c); got != want {
		t.Errorf("the meter has\n%s\nwant\n%s", got, want)
	}
	st, err := c.Status(t.Context())
	if err != nil || st.FloodMark != flood || st.InactivityTimeout != timeout {
		t.Errorf("status %+v, %v", st, err)
	}
	before, _ := c.RuleSets(t.Context())
	// A manager that is started again leaves all as it is.
	bringTo(t, c, m)
	after, _ := c.RuleSets(t.Context())
	if got := tables(t, c); got != want || before.At(4).TimeStamp != after.At(4).TimeStamp {
		t.Errorf("the second time the meter has\n%s", got)
	}
	// Tasks swap rulesets, and another one comes.
	m.Tasks = []Task{{RuleSet: coarse}, {RuleSet: all, Standby: coarse, HighWaterMark: 50}}
	bringTo(t, c, m)
	want = ruleSets + "task 1 other 3/0 0% false true\ntask 2 test 2/0 0% false true\ntask 3 test 4/2 50% false true\n"
	if got := tables(t, c); got != want {
		t.Errorf("then the meter has\n%s\nwant\n%s", got, want)
	}
	// One task less, one ruleset less.
	m.Tasks = []Task{{RuleSet: coarse}}
	k := bringTo(t, c, m)
	want = builtin + fmt.Sprintf("ruleset 2 test coarse %d true\n", len(coarse.Rules)) + others +
		"task 1 other 3/0 0% false true\ntask 2 test 2/0 0% false true\n"
	if got := tables(t, c); got != want {
		t.Errorf("at last the meter has\n%s\nwant\n%s", got, want)
	}
	if err := k.endTasks(t.Context()); err != nil {
		t.Fatal(err)
	}
	k.retireAll()
	if err := k.removeRetired(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if got := tables(t, c); got != builtin+others+"task 1 other 3/0 0% false true\n" {
		t.Errorf("in the end the meter has\n%s", got)
	}
}

// TestWatch lets a meter's flow table fill up and empty, be restarted, and
// lose a task.
func TestWatch(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 100)
	c := l.dial()
	m := testMeter(l)
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl"), Standby: loadRules(t, "coarse.rules"), HighWaterMark: 50}}
	k := bringTo(t, c, m)
	watch := func(want condition) {
		t.Helper()
		got, err := k.watch(t.Context(), time.Now())
		if err != nil || got != want {
			t.Errorf("condition %+v, %v, want %+v", got, err, want)
		}
	}
	watch(condition{})
	for i := range 60 {
		l.send(fmt.Sprint("10.0.0.", i), 1)
	}
	watch(condition{standby: true})
	// A manager that is started anew leaves it so.
	k = bringTo(t, c, m)
	watch(condition{standby: true})
	if err := c.SetFloodMode(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	// The flows are less than three quarters of the meter's FloodMark, 95 %, but
	// not of the task's HighWaterMark.
	watch(condition{standby: true})
	st, err := c.Status(t.Context())
	if err != nil || st.FloodMode {
		t.Errorf("status %+v, %v", st, err)
	}
	// A flood that has come and gone between two looks.
	for _, flood := range []bool{true, false} {
		if err := c.SetFloodMode(t.Context(), flood); err != nil {
			t.Fatal(err)
		}
	}
	watch(condition{standby: true})
	if k.entered != 2 {
		t.Errorf("the manager knows of %d floods, want 2", k.entered)
	}
	// Without readers, idle flows are recovered.
	if err := c.SetInactivityTimeout(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); st.ActiveFlows >= 30; {
		if time.Now().After(until) {
			t.Fatalf("status %+v", st)
		}
		time.Sleep(50 * time.Millisecond)
		if st, err = c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	watch(condition{})
	if rows, err := c.Managers(t.Context()); err != nil || rows.At(k.tasks[0]).RunningStandby {
		t.Errorf("the task runs its standby ruleset still: %v", err)
	}
	if err := c.DestroyManager(t.Context(), k.tasks[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := k.watch(t.Context(), time.Now()); !errors.Is(err, errRowsChanged) {
		t.Errorf("error %v, want %v", err, errRowsChanged)
	}
	l.stop()
	startMeter(t, l.address, 100)
	if _, err := k.watch(t.Context(), time.Now()); !errors.Is(err, errRestarted) {
		t.Errorf("error %v, want %v", err, errRestarted)
	}
}

// TestTurns has a task run another ruleset on Sundays: both are in the meter
// all the time, and packets are counted by one of them.
func TestTurns(t *testing.T) {
	l := startMeter(t, "", 100)
	c := l.dial()
	sundays, err := ParseWhen("sun")
	if err != nil {
		t.Fatal(err)
	}
	m := testMeter(l)
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl"), Turns: []Turn{{[]When{sundays}, loadRules(t, "coarse.rules")}}}}
	k := bringTo(t, c, m)
	for _, tt := range []struct{ day, packets int }{{1, 1}, {2, 20}, {7, 300}, {8, 4000}} { // of November 2026: the 1st and 8th are Sundays
		at := time.Date(2026, 11, tt.day, 12, 0, 0, 0, time.UTC)
		if err := k.run(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if _, err := k.watch(t.Context(), at); err != nil {
			t.Error(err)
		}
		l.send("10.0.0.1", tt.packets)
	}
	counts, err := c.Counts(t.Context(), []int{2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if all, coarse := counts.RuleSets[3].Matched, counts.RuleSets[2].Matched; all != 320 || coarse != 4001 {
		t.Errorf("%d and %d packets were counted, want 320 by one ruleset and 4001 by that for Sundays", all, coarse)
	}
	if got := tables(t, c); strings.Count(got, "task") != 1 || strings.Count(got, "ruleset") != 3 {
		t.Errorf("the meter has\n%s", got)
	}
}
