package compile

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// TestPlacesOfRules wants each rule to know what it comes from: the operand of a
// list, the statement, also in a subroutine and out of a DEFINE.
func TestPlacesOfRules(t *testing.T) {
	rs, _, err := Source("p.srl", []byte(`define web = (80,
  443);
if SourceTransAddress == web ignore;
if SourceTransType == 6 save, call each (SourcePeerAddress) endcall;
count;
subroutine each (address a)
  save a /24;
endsub;
`), srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rs.File != "p.srl" {
		t.Errorf("file %q", rs.File)
	}
	at := map[string]bool{}
	for i := range rs.Rules {
		r := &rs.Rules[i]
		p := r.At
		place := fmt.Sprintf("%d:%d", p.Line, p.Col)
		if p.Def != nil {
			place += fmt.Sprintf(" %s %d:%d", p.Def.Name, p.DefLine, p.DefCol)
		}
		at[fmt.Sprintf("%v %v %s", r.Attr, r.Value, place)] = true
		if got := rs.Diagnose(i+1, "x").Error(); !strings.HasPrefix(got, fmt.Sprintf("p.srl:%d:%d: x", p.Line, p.Col)) {
			t.Errorf("rule %d: %s", i+1, got)
		}
	}
	for _, want := range []string{
		"SourceTransAddress 0.80 3:26 web 1:15", "SourceTransAddress 1.187 3:26 web 2:3", "SourceTransType 6 4:23",
		"SourcePeerAddress 0 7:3",
	} {
		if !at[want] {
			t.Errorf("no rule %s among\n%v", want, at)
		}
	}
	if d := (&ruleset.RuleSet{Rules: rs.Rules}).Diagnose(3, "x"); d.Error() != "ruleset: rule 3: x" {
		t.Errorf("without a file: %v", d)
	}
}
