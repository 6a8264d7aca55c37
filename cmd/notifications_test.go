package cmd

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"rtfm/mib"
	"rtfm/ruleset"
)

// TestStandbyIsLogged looks at what the log says of a task with a standby ruleset
// and of one without.
func TestStandbyIsLogged(t *testing.T) {
	for standby, want := range map[int]string{0: "task stopped: it has no standby ruleset", 4: "task switched to its standby ruleset"} {
		var b bytes.Buffer
		var f fronts
		f.notify(slog.New(slog.NewTextHandler(&b, nil)), mib.Notification{Kind: mib.Standby, Index: 1, RuleSet: 3, StandbyRuleSet: standby})
		if !strings.Contains(b.String(), want) {
			t.Errorf("standby %d: %s, want %q", standby, b.String(), want)
		}
	}
}

// TestPreparedIsLogged looks at what the log says of rulesets that managers make
// active.
func TestPreparedIsLogged(t *testing.T) {
	for _, tt := range []struct {
		warnings []string
		err      error
		want     string
	}{
		{nil, nil, ""},
		{[]string{"rule 1: odd", "rule 2: odd"}, nil, `level=WARN msg="ruleset with rules that hardly do what was wanted" ruleset=5 name=hosts warnings=2 first="rule 1: odd"`},
		{nil, errors.Join(errors.New("no"), errors.New("never")), `level=WARN msg="ruleset refused" ruleset=5 name=hosts error=no`},
	} {
		var b bytes.Buffer
		logPrepared(slog.New(slog.NewTextHandler(&b, nil)), &ruleset.RuleSet{Number: 5, Name: "hosts"}, tt.warnings, tt.err)
		if got := b.String(); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("have %q, want %q", got, tt.want)
		}
	}
}
