package agentx_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rtfm/mib/agentx"
	"rtfm/mib/agentx/agentxtest"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

func phase(t agentx.Type, vars ...smi.VarBind) agentx.PDU {
	return agentx.PDU{Header: agentx.Header{Type: t, TransactionID: 40}, Vars: vars}
}

// do sends the phases of a Set and returns the responses.
func do(s *agentxtest.Session, phases ...agentx.PDU) (got []string) {
	for _, p := range phases {
		if p.Type == agentx.CleanupSet || p.Type == agentx.Response {
			s.Send(p)
			continue
		}
		r := s.Do(p)
		got = append(got, fmt.Sprintf("%v %d", r.Error, r.Index))
	}
	return got
}

// settle waits until the subagent has dealt with all it was sent.
func settle(s *agentxtest.Session) { s.Do(get(agentx.Get, ".2.1")) }

func TestSets(t *testing.T) {
	two := []smi.VarBind{smitest.Int(base+".2.1", 71), smitest.Octets(base+".1.2", smi.OctetString, "new")}
	test, commit, undo, cleanup := phase(agentx.TestSet, two...), phase(agentx.CommitSet), phase(agentx.UndoSet), phase(agentx.CleanupSet)
	wrong := phase(agentx.TestSet, two[0], smitest.Int(base+".1.1", 1))
	missing := phase(agentx.TestSet, smitest.Int(base+".2.9", 1), two[0])
	other := func(p agentx.PDU) agentx.PDU { p.TransactionID++; return p }
	fault := func(s smi.Status) error { return &smi.Error{Status: s, Index: 2} }
	tests := []struct {
		name   string
		faults smitest.Faults
		phases []agentx.PDU
		want   []string // responses
		calls  []string
		set    bool // the values are those of the Set afterwards
	}{
		{name: "success", phases: []agentx.PDU{test, commit, cleanup},
			want: []string{"noError 0", "noError 0"}, calls: []string{"test 2", "commit", "cleanup"}, set: true},
		{name: "only a test", phases: []agentx.PDU{test, cleanup},
			want: []string{"noError 0"}, calls: []string{"test 2", "cleanup"}},
		{name: "wrong type", phases: []agentx.PDU{wrong, cleanup},
			want: []string{"wrongType 2"}, calls: []string{"test 2"}},
		{name: "no such row", phases: []agentx.PDU{missing, cleanup},
			want: []string{"noCreation 1"}, calls: []string{"test 2"}},
		{name: "commit after a failed test", phases: []agentx.PDU{wrong, commit, cleanup},
			want: []string{"wrongType 2", "commitFailed 0"}, calls: []string{"test 2"}},
		{name: "failed commit", faults: smitest.Faults{Commit: fault(smi.GenErr)}, phases: []agentx.PDU{test, commit, undo},
			want: []string{"noError 0", "commitFailed 2", "noError 0"}, calls: []string{"test 2", "commit", "undo", "cleanup"}},
		{name: "undone for another's sake", phases: []agentx.PDU{test, commit, undo},
			want: []string{"noError 0", "noError 0", "noError 0"}, calls: []string{"test 2", "commit", "undo", "cleanup"}},
		{name: "failed undo", faults: smitest.Faults{Undo: fault(smi.GenErr)}, phases: []agentx.PDU{test, commit, undo},
			want: []string{"noError 0", "noError 0", "undoFailed 2"}, calls: []string{"test 2", "commit", "undo", "cleanup"}},
		{name: "undone before the commit", phases: []agentx.PDU{test, undo},
			want: []string{"noError 0", "noError 0"}, calls: []string{"test 2", "cleanup"}},
		{name: "cleanup after undo", phases: []agentx.PDU{test, commit, undo, cleanup},
			want: []string{"noError 0", "noError 0", "noError 0"}, calls: []string{"test 2", "commit", "undo", "cleanup"}},
		{name: "committed twice", phases: []agentx.PDU{test, commit, commit, cleanup},
			want: []string{"noError 0", "noError 0", "commitFailed 0"}, calls: []string{"test 2", "commit", "cleanup"}, set: true},
		{name: "nothing to commit, undo or clean up", phases: []agentx.PDU{commit, undo, cleanup},
			want: []string{"commitFailed 0", "undoFailed 0"}},
		{name: "another transaction", phases: []agentx.PDU{test, other(commit), other(undo), other(cleanup), commit, cleanup},
			want: []string{"noError 0", "commitFailed 0", "undoFailed 0", "noError 0"}, calls: []string{"test 2", "commit", "cleanup"}, set: true},
		{name: "cleanup forgotten", phases: []agentx.PDU{test, commit, other(test), other(cleanup)},
			want: []string{"noError 0", "noError 0", "noError 0"}, calls: []string{"test 2", "commit", "cleanup", "test 2", "cleanup"}, set: true},
		{name: "test forgotten", phases: []agentx.PDU{test, other(test), other(cleanup)},
			want: []string{"noError 0", "noError 0"}, calls: []string{"test 2", "cleanup", "test 2", "cleanup"}},
		{name: "undo forgotten", faults: smitest.Faults{Commit: fault(smi.GenErr)}, phases: []agentx.PDU{test, commit, other(test), other(cleanup)},
			want: []string{"noError 0", "commitFailed 2", "noError 0"}, calls: []string{"test 2", "commit", "undo", "cleanup", "test 2", "cleanup"}},
		{name: "no variables", phases: []agentx.PDU{phase(agentx.TestSet), commit, cleanup},
			want: []string{"noError 0", "noError 0"}, calls: []string{"test 0", "commit", "cleanup"}},
		{name: "a read between", phases: []agentx.PDU{test, get(agentx.Get, ".1.1", ".1.2", ".1.3"), commit, cleanup},
			want: []string{"noError 0", "noError 0", "noError 0"}, calls: []string{"test 2", "commit", "cleanup"}, set: true},
		// such as the response to a Notify, which has its variables
		{name: "a response between", phases: []agentx.PDU{test, phase(agentx.Response, smitest.Int(base+".2.1", 5), smitest.Octets(base+".1.1", smi.OctetString, "no")), commit, cleanup},
			want: []string{"noError 0", "noError 0"}, calls: []string{"test 2", "commit", "cleanup"}, set: true},
	}
	for _, order := range []agentx.Flags{0, agentx.NetworkByteOrder} {
		for _, tt := range tests {
			table := rows(3)
			s, _ := connect(t, table)
			s.Flags = order
			table.SetFaults(tt.faults)
			if got := do(s, tt.phases...); !slices.Equal(got, tt.want) {
				t.Errorf("%s: responses %q, want %q", tt.name, got, tt.want)
			}
			settle(s)
			if got := table.Calls(); !slices.Equal(got, tt.calls) {
				t.Errorf("%s: calls %q, want %q", tt.name, got, tt.calls)
			}
			checkSet(t, tt.name, table, tt.set)
		}
	}
}

// checkSet looks whether the variables have the values that TestSets sets.
func checkSet(t *testing.T, name string, table *smitest.Table, set bool) {
	t.Helper()
	n, _ := table.Lookup(base + ".2.1")
	o, _ := table.Lookup(base + ".1.2")
	if (n.Value.Int == 71) != set || (string(o.Value.Octets) == "new") != set {
		t.Errorf("%s: values %v and %v", name, &n.Value, &o.Value)
	}
	if table.Open() != 0 {
		t.Errorf("%s: %d transactions are open", name, table.Open())
	}
}

// TestSetLost has the master go at every stage of a Set.
func TestSetLost(t *testing.T) {
	t.Parallel()
	two := []smi.VarBind{smitest.Int(base+".2.1", 71), smitest.Octets(base+".1.2", smi.OctetString, "new")}
	test, commit := phase(agentx.TestSet, two...), phase(agentx.CommitSet)
	for _, tt := range []struct {
		name   string
		faults smitest.Faults
		phases []agentx.PDU
		calls  []string
		undone uint64
	}{
		{"tested", smitest.Faults{}, []agentx.PDU{test}, []string{"test 2", "cleanup"}, 0},
		{"committed", smitest.Faults{}, []agentx.PDU{test, commit}, []string{"test 2", "commit", "undo", "cleanup"}, 1},
		{"commit failed", smitest.Faults{Commit: &smi.Error{Status: smi.GenErr, Index: 1}}, []agentx.PDU{test, commit}, []string{"test 2", "commit", "undo", "cleanup"}, 0},
	} {
		for how, lose := range map[string]func(*agentxtest.Session){
			"dropped": func(s *agentxtest.Session) { s.Drop() },
			"closed": func(s *agentxtest.Session) {
				s.Do(agentx.PDU{Header: agentx.Header{Type: agentx.Close}, Reason: agentx.ReasonTimeouts})
			},
			"silent": func(s *agentxtest.Session) { s.Ended() },
		} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				t.Parallel()
				table := rows(3)
				table.SetFaults(tt.faults)
				m := agentxtest.Listen(t)
				sub, _, stop := start(t, agentx.Config{Address: m.Address(), PingInterval: 20 * time.Millisecond, ResponseTimeout: time.Second}, table)
				s := m.Accept()
				s.Registered(1)
				do(s, tt.phases...)
				lose(s)
				m.Accept().Registered(1) // by then the old session is over
				if got := table.Calls(); !slices.Equal(got, tt.calls) {
					t.Errorf("calls %q, want %q", got, tt.calls)
				}
				checkSet(t, "lost", table, false)
				if got := sub.Stats().SetsUndone; got != tt.undone {
					t.Errorf("%d Sets counted as undone", got)
				}
				stop()
			})
		}
	}
}

// TestLargeSet sets 2,000 variables at once.
func TestLargeSet(t *testing.T) {
	table := rows(2000)
	s, _ := connect(t, table)
	var vars []smi.VarBind
	for i := range 2000 {
		vars = append(vars, smitest.Octets(fmt.Sprintf("%s.1.%d", base, i+1), smi.OctetString, fmt.Sprint("set ", i+1)))
	}
	if got := do(s, phase(agentx.TestSet, vars...), phase(agentx.CommitSet), phase(agentx.CleanupSet)); !slices.Equal(got, []string{"noError 0", "noError 0"}) {
		t.Fatalf("responses %q", got)
	}
	settle(s)
	for i := range 2000 {
		if vb, _ := table.Lookup(fmt.Sprintf("%s.1.%d", base, i+1)); string(vb.Value.Octets) != fmt.Sprint("set ", i+1) {
			t.Fatalf("row %d is %v", i+1, &vb.Value)
		}
	}
	vars[1999].Value.SetInt(1)
	if got := do(s, phase(agentx.TestSet, vars...), phase(agentx.CleanupSet)); !slices.Equal(got, []string{"wrongType 2000"}) {
		t.Errorf("with a wrong last variable: %q", got)
	}
}
