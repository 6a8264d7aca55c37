package query

import (
	"testing"

	"rtfm/reader/table"
	"rtfm/ruleset/attr"
)

// TestTitleICMP: transport addresses are type and code if nothing else is shown, and if
// the type is at the source.
func TestTitleICMP(t *testing.T) {
	flow := func(transport uint8, toPDUs uint64) (c counted) {
		c.flow.Key.SetTransType(transport)
		c.flow.ToPDUs, c.flow.FromPDUs = toPDUs, 1
		return c
	}
	for _, tt := range []struct {
		flows []counted
		want  string
	}{
		{[]counted{flow(1, 1), flow(58, 2)}, "Type"},
		{[]counted{flow(1, 1), flow(17, 2)}, "SourcePort"},
		{[]counted{flow(1, 0)}, "SourcePort"},
		{nil, "SourcePort"},
	} {
		columns := []table.Column{columnOf(attr.SourceTransAddress)}
		titleICMP(columns, tt.flows)
		if columns[0].Title != tt.want || columns[0].Name != "SourceTransAddress" {
			t.Errorf("%v: %+v, want %s", tt.flows, columns[0], tt.want)
		}
	}
}
