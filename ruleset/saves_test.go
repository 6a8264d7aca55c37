package ruleset

import (
	"math"
	"slices"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

func TestSaves(t *testing.T) {
	rs, _, err := ParseRules("x", []byte(`
  SourcePeerType & 255 = ip: PushRuleToAct, Next;
  v1 & 0 = DestTransAddress: AssignAct, Next;
  v1 & 0 = SourcePeerAddress: AssignAct, Next;
  v1 & 255.255 = 0: PushPktToAct, Next;
  SourcePeerAddress & 255.255.255 = 0: PushPktToAct, Next;
  DestPeerAddress & 255.255 = 0: GotoAct, Next;
  VLANid & 255.255 = 0: CountPkt, 0;
  Null & 0 = 0: Count, 0;`))
	if err != nil {
		t.Fatal(err)
	}
	want := []attr.Attr{attr.SourcePeerType, attr.SourcePeerAddress, attr.SourcePeerMask, attr.DestTransAddress, attr.VLANid}
	if got := rs.Saves(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUptime(t *testing.T) {
	for _, tt := range []struct {
		t, epoch int64
		want     uint64
	}{
		{0, 0, 0},
		{9_999_999, 0, 0},
		{10_000_000, 0, 1},
		{-5, 0, 0},
		{1_000_000_000, -1_000_000_000, 200},
		{497 * 86400e9, 0, 497 * 8640000},
		{math.MaxInt64, math.MinInt64, 1_844_674_407_370},
	} {
		if got := match.Uptime(tt.t, tt.epoch); got != tt.want {
			t.Errorf("%d - %d: got %d, want %d", tt.t, tt.epoch, got, tt.want)
		}
	}
}

// TestSavesOften: a long rule file that assigns and saves a variable again and
// again takes no memory for each pair of them.
func TestSavesOften(t *testing.T) {
	const n = 30_000
	rs := &RuleSet{}
	for range n {
		rs.Rules = append(rs.Rules, Rule{Attr: attr.V1, Value: attr.AttrValue(attr.SourcePeerAddress), Op: OpAssignAct, Param: 1})
	}
	for i := range n {
		rs.Rules = append(rs.Rules, Rule{Attr: attr.V1, Mask: attr.WidthMask(1+i%32, 4), Op: OpPushPktToAct, Param: 1})
	}
	allocated := testing.AllocsPerRun(1, func() {
		if got := rs.Saves(); len(got) != 2 || got[0] != attr.SourcePeerAddress || got[1] != attr.SourcePeerMask {
			t.Errorf("saves %v", got)
		}
	})
	if allocated > 100 {
		t.Errorf("%v allocations", allocated)
	}
}
