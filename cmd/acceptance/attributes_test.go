package acceptance

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// TestPrivateAttributes tests and saves the attributes that are no part of
// RFC 2722, from an SRL program to both kinds of flow data.
func TestPrivateAttributes(t *testing.T) {
	dir := t.TempDir()
	eth := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	trace := write("t.pcap", string(tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Packets(
		eth.VLAN(5<<13|100).IPv4("192.0.2.1", "192.0.2.2", tracetest.IP{TOS: 46<<2 | 1, TTL: 7}).UDP(1, 2),
		eth.QinQ(3<<13|200).VLAN(7).IPv6("2001:db8::1", "2001:db8::2", tracetest.IP{TOS: 10<<2 | 3}).UDP(1, 2),
		eth.VLAN(300).IPv4("192.0.2.1", "192.0.2.2").UDP(1, 2),
		eth.IPv4("192.0.2.1", "192.0.2.2").UDP(1, 2),
	)...)))
	rules := write("private.srl", `
		if VLANid == (100, 200) save;
		else if VLANid == 300 ignore;
		if DSCodePoint == (46, 10) && ECNCodeBits == (1, 3) save;
		save Priority;
		save HopLimit & 7;
		count;
		format VLANid " " Priority " " DSCodePoint " " ECNCodeBits " " HopLimit " " ToPDUs;`)
	for _, tc := range []struct {
		option string
		want   []string // of each flow
	}{
		{"--nemac", []string{"100 5 46 1 7 1", "200 3 10 3 0 1", "0 0 0 0 0 1"}},
		{"--json", []string{
			`"DSCodePoint":46,"VLANid":100,"Priority":5,"ECNCodeBits":1,"HopLimit":7,"ToPDUs":1,`,
			`"DSCodePoint":10,"VLANid":200,"Priority":3,"ECNCodeBits":3,"HopLimit":0,"ToPDUs":1,`,
			`"Priority":0,"HopLimit":0,"ToPDUs":1,`,
		}},
	} {
		var out strings.Builder
		if err := runIn(context.Background(), []string{"run", "-q", tc.option, "-r", rules, trace}, nil, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(out.String()), "\n"), func(l string) bool {
			return l[0] == '#' || l[0] == '{' && !strings.HasPrefix(l, `{"record":"flow"`)
		})
		if len(lines) != len(tc.want) {
			t.Fatalf("%s: %d flows, want %d:\n%s", tc.option, len(lines), len(tc.want), out.String())
		}
		for i, l := range lines {
			if !strings.Contains(l, tc.want[i]) {
				t.Errorf("%s: flow %d is %s, want %s", tc.option, i+1, l, tc.want[i])
			}
		}
	}
}
